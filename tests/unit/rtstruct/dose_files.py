"""RT Doses made for tests: linear gradients on grids of any orientation, as files and as values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, RTDoseStorage

from rtstruct.dose_grid import DoseGrid
from rtstruct.doses import Dose
from unit.rtstruct.shapes import encoded

Points = npt.NDArray[np.float64]


def gradient(
    along: Sequence[float] = (0, 0, 1),
    start: float = 100.0,
    half_mm: tuple[float, float, float] = (60, 60, 60),
    spacing_mm: tuple[float, float, float] = (2.5, 2.5, 2.5),
    axes: npt.ArrayLike = ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    centre_mm: Sequence[float] = (0, 0, 0),
) -> Dose:
    """1 Gy/mm along a direction, `start` Gy at the origin, on a grid of the given half lengths, axes and centre."""
    turned = np.asarray(axes, dtype=float)
    half, spacing = np.asarray(half_mm), np.asarray(spacing_mm)
    counts = np.round(2 * half / spacing).astype(int) + 1
    # Not symmetric about the centre, so that no contour falls on voxel centres by luck.
    first = -half + 0.37 * spacing
    i, j, k = (first[n] + np.arange(counts[n]) * spacing[n] for n in range(3))
    local = np.stack(np.meshgrid(k, j, i, indexing="ij")[::-1])
    xyz = np.tensordot(turned.T, local, axes=1) + np.asarray(centre_mm, dtype=float)[:, None, None, None]
    direction = np.asarray(along, dtype=float) / np.linalg.norm(along)
    values = (start + np.tensordot(direction, xyz, axes=1)).astype(np.float32)
    grid = DoseGrid(xyz[:, 0, 0, 0], turned, spacing_mm[0], spacing_mm[1], np.arange(counts[2]) * spacing_mm[2], values)
    return Dose("2.25.9", "2.25.2", "2.25.8", None, "GY", "PHYSICAL", "PLAN", (), (), None, grid)


def dose_dataset(stored: npt.NDArray[Any], **elements: Any) -> Dataset:
    """An RT Dose with these stored values, axial, 2 mm voxels, planes 3 mm apart, 0.01 Gy a step."""
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID, made.Modality = RTDoseStorage, "2.25.9", "RTDOSE"
    made.PatientName, made.PatientID = "Secret^Patient", "SECRET-ID"
    made.StudyInstanceUID, made.SeriesInstanceUID, made.FrameOfReferenceUID = "2.25.2", "2.25.8", "2.25.7"
    made.ImagePositionPatient, made.ImageOrientationPatient = [10, 20, 30], [1, 0, 0, 0, 1, 0]
    made.PixelSpacing = [2, 2]
    made.NumberOfFrames, made.Rows, made.Columns = stored.shape
    made.BitsAllocated = made.BitsStored = stored.dtype.itemsize * 8
    made.HighBit, made.SamplesPerPixel, made.PixelRepresentation = made.BitsStored - 1, 1, 0
    made.PhotometricInterpretation = "MONOCHROME2"
    made.GridFrameOffsetVector = [3.0 * n for n in range(len(stored))]
    made.DoseUnits, made.DoseType, made.DoseSummationType, made.DoseGridScaling = "GY", "PHYSICAL", "PLAN", "0.01"
    for keyword, value in elements.items():
        if value is None:
            delattr(made, keyword)
        else:
            setattr(made, keyword, value)
    made.add_new("PixelData", "OW", stored.tobytes())
    return made


def dose_file(made: Dataset, transfer_syntax: UID = ExplicitVRLittleEndian) -> bytes:
    """The dataset as a DICOM file."""
    return encoded(made, transfer_syntax)
