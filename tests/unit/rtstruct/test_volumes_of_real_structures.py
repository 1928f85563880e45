"""Volumes and areas of real structures are those of references made by others."""

from __future__ import annotations

import gzip
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from rtstruct import analyse, read


@dataclass(frozen=True)
class Mask:
    """A published NIfTI mask: how many voxels it has, their volume, and on how many slices they lie."""

    volume_cm3: float
    slices: int
    voxel_mm: tuple[float, float, float]


def mask_of(path: Path) -> Mask:
    """Read a NIfTI-1 file of whole numbers, little endian; https://nifti.nimh.nih.gov/nifti-1."""
    content = gzip.decompress(path.read_bytes())
    shape = struct.unpack_from("<3h", content, 42)
    datatype = {2: np.uint8, 4: np.int16, 8: np.int32, 16: np.float32, 64: np.float64, 512: np.uint16}
    (code,) = struct.unpack_from("<h", content, 70)
    dx, dy, dz = struct.unpack_from("<3f", content, 80)
    (offset,) = struct.unpack_from("<f", content, 108)
    voxels = np.frombuffer(content, datatype[code], int(np.prod(shape)), int(offset)).reshape(shape, order="F")
    inside = voxels > 0
    volume_cm3 = float(inside.sum()) * dx * dy * dz / 1000
    return Mask(volume_cm3, int(inside.any(axis=(0, 1)).sum()), (dx, dy, dz))


@pytest.mark.parametrize("modality", ["CT", "MR_T1", "PET"])
def test_the_sarcomas_have_the_volume_of_their_reference_masks(data_folder: Path, modality: str) -> None:
    patient = data_folder / "sts" / "STS_001"
    (structure,) = read((patient / modality / "mask" / "RS.dcm").read_bytes()).structures
    found = analyse(structure)
    mask = mask_of(patient / "reference" / f"{modality}_mask.nii.gz")
    # A mask counts the voxels whose centres lie inside, a contour has an area: they sample the border differently.
    # Voxels of 1 mm (CT, MR) leave 0.04 % of a tumour this size; those of PET are nearly five times as wide.
    tolerance = 0.005 if modality == "PET" else 0.002
    assert found.volume_cm3 == pytest.approx(mask.volume_cm3, rel=tolerance)
    assert found.plane_count == mask.slices
    assert found.plane_spacing_mm == pytest.approx(mask.voxel_mm[2], abs=0.02)


def test_the_breast_plan_is_measured_as_a_whole(dicompyler: bytes) -> None:
    found = {each.name: each for each in map(analyse, read(dicompyler).structures)}
    assert found["Areola"].volume_cm3 is None
    assert found["Lt Lung"].volume_cm3 == pytest.approx(2005.1, abs=0.1)
    assert found["Heart"].volume_cm3 == pytest.approx(439.7, abs=0.1)
    assert sum(contour.hole for contour in found["Lt Lung"].contours) == 77
    assert all(each.volume_cm3 for each in found.values() if each.contour_count)
    assert [finding.code for each in found.values() for finding in each.findings] == []


def test_every_centroid_lies_within_its_bounding_box(real_file: bytes) -> None:
    for structure in read(real_file).structures:
        found = analyse(structure)
        if found.centroid_mm and found.bounding_box_mm:
            low, high = found.bounding_box_mm
            assert all(a <= b <= c for a, b, c in zip(low, found.centroid_mm, high, strict=True))
