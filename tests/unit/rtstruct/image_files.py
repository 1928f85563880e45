"""Image slices made for tests: small, uncompressed unless asked otherwise."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

SERIES_UID = "2.25.71"


def image_file(
    z: float = 0.0,
    pixels: npt.ArrayLike | None = None,
    transfer_syntax: UID = ExplicitVRLittleEndian,
    **tags: Any,
) -> bytes:
    """One CT slice of 4 rows and 5 columns of 16 signed bits, 2 mm apart in y and 1 mm in x; ``tags`` override."""
    values = np.zeros((4, 5), "<i2") if pixels is None else np.asarray(pixels)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = transfer_syntax
    dataset.SOPClassUID, dataset.Modality = CTImageStorage, "CT"
    dataset.SOPInstanceUID = f"{SERIES_UID}.{round((z + 1000) * 100)}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "2.25.70", SERIES_UID
    dataset.FrameOfReferenceUID = "2.25.72"
    dataset.PatientName, dataset.PatientID = "Secret^Patient", "SECRET-ID"
    dataset.ImagePositionPatient = [10, 20, z]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing, dataset.SliceThickness = [2, 1], 3
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = values.shape
    bits = values.dtype.itemsize * 8
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, 0
    dataset.PixelData = values.tobytes()
    dataset["PixelData"].VR = "OW"
    for name, value in tags.items():
        setattr(dataset, name, value)
    if transfer_syntax.is_compressed:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.compress(transfer_syntax, generate_instance_uid=False)
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
