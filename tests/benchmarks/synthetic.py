"""Synthetic RT Structure Sets and CT series, the same bytes for the same arguments.

For benchmarks and load tests; run as a script to write the files into a folder:
``python tests/benchmarks/synthetic.py large out/``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Literal, cast

import numpy as np
import numpy.typing as npt
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RTStructureSetStorage,
)

Kind = Literal["small", "moderate", "large"]

# Under the root for UIDs derived from a UUID (PS3.5 B.2), so that nothing real can ever collide with them.
UID_ROOT = "2.25.331447110593264157264093872512"
STUDY_UID = f"{UID_ROOT}.1"
CT_SERIES_UID = f"{UID_ROOT}.2"
FRAME_OF_REFERENCE_UID = f"{UID_ROOT}.3"
RTSTRUCT_SERIES_UID = f"{UID_ROOT}.4"

SLICE_SPACING_MM = 2.5
FIELD_OF_VIEW_MM = 500.0
SEED = 20240229


@dataclass(frozen=True)
class Size:
    """How big a synthetic structure set is; ``points`` is the mean number of points of a contour."""

    structures: int
    planes: int
    points: int


SIZES: dict[Kind, Size] = {
    "small": Size(structures=30, planes=20, points=40),
    "moderate": Size(structures=30, planes=100, points=213),
    "large": Size(structures=60, planes=150, points=413),
}


def structure_set(kind: Kind, ct: Sequence[Dataset] | None = None) -> bytes:
    """One RT Structure Set as a DICOM file, Implicit VR Little Endian.

    Parameters
    ----------
    kind
        ``small``: 30 ROIs x 20 planes x 40 points; ``moderate``: 30 x 100, about 0.64 million points and 13
        MB; ``large``: 60 x 150, about 3.7 million points and 76 MB.
    ct
        The slices to refer to; their planes, UIDs and frame of reference are used. Without it the contours
        lie on the planes that `ct_series` of the same number of slices has.

    """
    size = SIZES[kind]
    rng = np.random.default_rng(SEED)
    slices = _slices(size.planes, ct)
    dataset = _common("RTSTRUCT", RTStructureSetStorage, f"{UID_ROOT}.5.{size.structures}.{size.planes}")
    dataset.SeriesInstanceUID = RTSTRUCT_SERIES_UID
    dataset.StructureSetLabel = f"SYN_{kind}".upper()
    dataset.StructureSetDate, dataset.StructureSetTime = "20240229", "120000"
    dataset.ApprovalStatus = "UNAPPROVED"
    if ct:
        dataset.StudyInstanceUID = ct[0].StudyInstanceUID
    series_uid = str(ct[0].SeriesInstanceUID) if ct else CT_SERIES_UID
    frame_uid = str(ct[0].FrameOfReferenceUID) if ct else FRAME_OF_REFERENCE_UID
    dataset.ReferencedFrameOfReferenceSequence = [_referenced_frame(frame_uid, series_uid, slices)]
    numbers = range(1, size.structures + 1)
    dataset.StructureSetROISequence = [_structure_set_roi(number, frame_uid) for number in numbers]
    dataset.ROIContourSequence = [_roi_contour(number, size, slices, rng) for number in numbers]
    dataset.RTROIObservationsSequence = [_observation(number) for number in numbers]
    return _file(dataset, ImplicitVRLittleEndian)


def ct_series(slices: int, rows: int = 512, columns: int = 512) -> list[bytes]:
    """A CT series as DICOM files, Explicit VR Little Endian, uncompressed, 2.5 mm apart.

    A water-like ellipse in air with 12 HU of noise: the bytes compress about as well as a patient's do.
    """
    rng = np.random.default_rng(SEED)
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    body = np.where((x / 0.75) ** 2 + (y / 0.5) ** 2 < 1, 40, -1000)
    noise = rng.normal(0, 12, (rows + 64, columns + 64))
    return [_ct_slice(index, body, _noise_of(noise, index, body.shape)) for index in range(slices)]


def _noise_of(noise: npt.NDArray[np.float64], index: int, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    # One field of noise, shifted: drawing new noise for every slice takes ten times as long.
    row, column = (index * 37) % 64, (index * 23) % 64
    return noise[row : row + shape[0], column : column + shape[1]]


def _ct_slice(index: int, body: npt.NDArray[np.int64], noise: npt.NDArray[np.float64]) -> bytes:
    dataset = _common("CT", CTImageStorage, _slice_uid(index))
    rows, columns = body.shape
    dataset.SeriesInstanceUID = CT_SERIES_UID
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.AcquisitionNumber, dataset.KVP = 1, 120
    dataset.InstanceNumber = index + 1
    dataset.FrameOfReferenceUID = FRAME_OF_REFERENCE_UID
    dataset.PositionReferenceIndicator = None
    dataset.PatientPosition = "HFS"
    spacing = FIELD_OF_VIEW_MM / columns
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.ImagePositionPatient = [
        round((0.5 - columns / 2) * spacing, 4),
        round((0.5 - rows / 2) * spacing, 4),
        _position(index),
    ]
    dataset.PixelSpacing = [round(spacing, 6), round(spacing, 6)]
    dataset.SliceThickness = SLICE_SPACING_MM
    dataset.SliceLocation = _position(index)
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = rows, columns, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = 1
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "HU"
    dataset.WindowCenter, dataset.WindowWidth = 40, 400
    dataset.PixelData = (body + noise).astype("<i2").tobytes()
    return _file(dataset, ExplicitVRLittleEndian)


def _common(modality: str, sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class_uid, sop_instance_uid
    dataset.StudyInstanceUID = STUDY_UID
    dataset.StudyDate, dataset.StudyTime = "20240229", "110000"
    dataset.SeriesDate, dataset.SeriesTime = "20240229", "110500"
    dataset.ContentDate, dataset.ContentTime = "20240229", "110500"
    dataset.Modality, dataset.Manufacturer = modality, "Synthetic"
    dataset.AccessionNumber, dataset.StudyID, dataset.SeriesNumber = "SYN0001", "1", 1
    dataset.ReferringPhysicianName = ""
    dataset.PatientName, dataset.PatientID = "Synthetic^Phantom", "SYNTHETIC"
    dataset.PatientBirthDate, dataset.PatientSex = "", "O"
    return dataset


def _slice_uid(index: int) -> str:
    return f"{CT_SERIES_UID}.{index + 1}"


def _position(index: int) -> float:
    return -150.0 + index * SLICE_SPACING_MM


def _slices(planes: int, ct: Sequence[Dataset] | None) -> list[tuple[float, str]]:
    if ct is None:
        return [(_position(index), _slice_uid(index)) for index in range(planes)]
    found = sorted((float(image.ImagePositionPatient[2]), str(image.SOPInstanceUID)) for image in ct)
    if len(found) < planes:
        raise ValueError(f"needs {planes} CT slices, has {len(found)}: pass more slices or a smaller kind")
    return found[:planes]


def _referenced_frame(frame_uid: str, series_uid: str, slices: Sequence[tuple[float, str]]) -> Dataset:
    series = Dataset()
    series.SeriesInstanceUID = series_uid
    series.ContourImageSequence = [_image(uid) for _, uid in slices]
    study = Dataset()
    study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = "1.2.840.10008.3.1.2.3.1", STUDY_UID
    study.RTReferencedSeriesSequence = [series]
    frame = Dataset()
    frame.FrameOfReferenceUID = frame_uid
    frame.RTReferencedStudySequence = [study]
    return frame


def _image(sop_instance_uid: str) -> Dataset:
    image = Dataset()
    image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = CTImageStorage, sop_instance_uid
    return image


def _structure_set_roi(number: int, frame_uid: str) -> Dataset:
    roi = Dataset()
    roi.ROINumber, roi.ROIName, roi.ROIGenerationAlgorithm = number, f"Structure {number}", "AUTOMATIC"
    roi.ReferencedFrameOfReferenceUID = frame_uid
    return roi


def _observation(number: int) -> Dataset:
    observation = Dataset()
    observation.ObservationNumber = observation.ReferencedROINumber = number
    observation.RTROIInterpretedType, observation.ROIInterpreter = "ORGAN", ""
    return observation


def _roi_contour(number: int, size: Size, slices: Sequence[tuple[float, str]], rng: np.random.Generator) -> Dataset:
    centre = rng.uniform(-120, 120, 2)
    radius = rng.uniform(8, 60)
    contours = []
    for index, (position, uid) in enumerate(slices):
        # A barrel: never a radius of nought, so that every plane has its contour.
        taper = 0.4 + 0.6 * np.sin(np.pi * (index + 0.5) / size.planes)
        points = int(size.points * rng.uniform(0.8, 1.2))
        angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
        wobble = 1 + 0.1 * np.sin(3 * angle + index / 7) + rng.normal(0, 0.002, points)
        xy = centre + (radius * taper * wobble)[:, None] * np.stack((np.cos(angle), np.sin(angle)), axis=1)
        contours.append(_contour(xy, position, uid))
    item = Dataset()
    item.ROIDisplayColor = [int(value) for value in rng.integers(0, 256, 3)]
    item.ReferencedROINumber = number
    item.ContourSequence = contours
    return item


@cache
def _image_sequence(uid: str) -> list[Dataset]:
    return [_image(uid)]


def _contour(xy: npt.NDArray[np.float64], position: float, uid: str) -> Dataset:
    # pydicom would turn each of millions of numbers into an object; the text is therefore made here.
    line = f"%.3f\\%.3f\\{position:g}"
    text = ("\\".join([line] * len(xy)) % tuple(xy.ravel().tolist())).encode()
    text += b" " * (len(text) % 2)
    contour = Dataset()
    contour.ContourImageSequence = _image_sequence(uid)
    contour.ContourGeometricType = "CLOSED_PLANAR"
    contour.NumberOfContourPoints = len(xy)
    # OB is written as the bytes are, and Implicit VR files do not say the VR.
    contour.add(DataElement(Tag("ContourData"), "OB", text))
    return contour


def _file(dataset: Dataset, transfer_syntax: str) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = (
        dataset.SOPClassUID,
        dataset.SOPInstanceUID,
    )
    meta.TransferSyntaxUID = UID(transfer_syntax)
    dataset.file_meta = meta
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def main() -> None:
    """Write a structure set and its CT series into a folder."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("kind", choices=list(SIZES))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--no-ct", action="store_true", help="the structure set alone")
    arguments = parser.parse_args()
    kind = cast(Kind, arguments.kind)
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rtstruct.dcm").write_bytes(structure_set(kind))
    if not arguments.no_ct:
        for index, image in enumerate(ct_series(SIZES[kind].planes)):
            (folder / f"ct_{index + 1:03}.dcm").write_bytes(image)


if __name__ == "__main__":
    main()
