"""Series of images become volumes: sorted, rescaled, checked."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGLSLossless, RLELossless

from rtstruct import read
from rtstruct.images import UnusableImage, findings_for, read_image
from unit.rtstruct.image_files import SERIES_UID, image_file


def ramp(start: int = 0, dtype: str = "<i2") -> npt.NDArray[np.generic]:
    return np.arange(start, start + 20).reshape(4, 5).astype(dtype)


@pytest.mark.parametrize("modality", ["CT", "MR_T1", "PET"])
def test_a_real_series_has_the_values_that_pydicom_reads(data_folder: Path, modality: str) -> None:
    files = sorted((data_folder / "sts" / "STS_001" / modality / "image").glob("*.dcm"))
    image = read_image(path.read_bytes() for path in reversed(files))

    datasets = sorted(map(dcmread, files), key=lambda each: float(each.ImagePositionPatient[2]))
    expected = [
        each.pixel_array * float(each.get("RescaleSlope", 1)) + float(each.get("RescaleIntercept", 0))
        for each in datasets
    ]
    np.testing.assert_allclose(image.values(), expected, rtol=1e-6)
    assert image.sop_instance_uids == tuple(each.SOPInstanceUID for each in datasets)
    assert image.units == {"CT": "HU", "MR_T1": "", "PET": "GML"}[modality]
    assert image.findings == ()


def test_a_voxel_lies_where_the_header_of_its_slice_says() -> None:
    image = read_image([image_file(z) for z in (6, 0, 3)])
    assert image.grid.shape == (3, 4, 5)
    # Pixel Spacing is row spacing first: rows are 2 mm apart, columns 1 mm.
    np.testing.assert_allclose(image.grid.to_patient(np.array([[4.0, 3.0, 2.0]])), [[14, 26, 6]])
    np.testing.assert_allclose(image.grid.to_index(np.array([[14.0, 26.0, 6.0]])), [[4, 3, 2]])
    np.testing.assert_allclose(image.grid.affine_ras @ [4, 3, 2, 1], [-14, -26, 6, 1])


def test_slices_are_sorted_along_their_normal_whatever_it_is() -> None:
    # Sagittal: columns to the back, rows downwards; the normal points to the patient's right, x falls.
    orientation = [0, 1, 0, 0, 0, -1]
    slices = [
        image_file(x, ramp(x), ImageOrientationPatient=orientation, ImagePositionPatient=[x, 0, 0]) for x in (2, 0, 4)
    ]
    image = read_image(slices)
    assert image.stored[:, 0, 0].tolist() == [4, 2, 0]
    np.testing.assert_allclose(image.grid.to_patient(np.array([[0.0, 0.0, 1.0]])), [[2, 0, 0]])


def test_a_tilted_gantry_makes_a_sheared_grid() -> None:
    image = read_image([image_file(z, ImagePositionPatient=[10, 20 + z / 2, z]) for z in (0, 4, 8)])
    np.testing.assert_allclose(image.grid.to_patient(np.array([[0.0, 0.0, 2.0]])), [[10, 24, 8]])
    np.testing.assert_allclose(image.grid.to_index(np.array([[10.0, 24.0, 8.0]])), [[0, 0, 2]], atol=1e-12)
    assert image.grid.slice_distance_mm == pytest.approx(4)


def test_each_slice_has_its_own_rescale() -> None:
    slices = [image_file(z, ramp(), RescaleSlope=slope, RescaleIntercept=-5) for z, slope in ((0, 1), (3, 0.5))]
    image = read_image(slices)
    assert image.values()[:, 3, 4].tolist() == [14.0, 4.5]
    inside = np.zeros((2, 4, 5), dtype=bool)
    inside[:, 3, 4] = True
    assert image.value_at(inside, (slice(None),) * 3).tolist() == [14.0, 4.5]


@pytest.mark.parametrize(
    "transfer_syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, RLELossless, JPEGLSLossless]
)
def test_pixels_are_the_same_in_every_transfer_syntax(transfer_syntax: str) -> None:
    pixels = ramp(3, "<u2")
    image = read_image([image_file(0, pixels, transfer_syntax)])
    assert image.stored[0].tolist() == pixels.tolist()


@pytest.mark.parametrize("name", ["MR_small_bigendian.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm"])
def test_real_files_in_other_encodings_have_the_same_pixels(name: str) -> None:
    plain, other = (read_image([Path(str(get_testdata_file(each))).read_bytes()]) for each in ("MR_small.dcm", name))
    assert (plain.stored == other.stored).all()
    assert (plain.grid.affine == other.grid.affine).all()


def test_what_lies_beyond_the_bits_stored_does_not_count() -> None:
    # Twelve bits signed; an overlay of old in the upper four.
    stored = np.full((4, 5), 0x7000 | 0xFFE, "<u2").view("<i2")
    image = read_image([image_file(0, stored, BitsStored=12, HighBit=11)])
    assert np.unique(image.stored).tolist() == [-2]


def test_a_missing_slice_is_told_and_stays_empty() -> None:
    image = read_image([image_file(z, ramp(1)) for z in (0, 3, 9)])
    assert image.grid.shape[0] == 4
    assert [finding.code for finding in image.findings] == ["missing_images"]
    assert image.sop_instance_uids[2] == ""
    inside = np.ones(image.grid.shape, dtype=bool)
    assert len(image.value_at(inside, (slice(None),) * 3)) == 3 * 20


def test_localizers_and_second_images_are_left_out_with_a_finding() -> None:
    scout = image_file(1, ImageOrientationPatient=[0, 1, 0, 0, 0, -1], SOPInstanceUID="2.25.99")
    second = image_file(3, ramp(7), SOPInstanceUID="2.25.98", InstanceNumber=2)
    image = read_image([scout, image_file(0), second, image_file(3, ramp(1)), image_file(6)])
    assert {finding.code for finding in image.findings} == {"images_left_out", "several_images_at_a_position"}
    assert image.stored[1, 0, 0] == 1


@pytest.mark.parametrize(
    ("slices", "reason"),
    [
        ([], "no images"),
        ([image_file(0), image_file(3), image_file(7)], "unevenly spaced"),
        ([image_file(0), image_file(3), image_file(90)], "missing"),
        ([image_file(0, NumberOfFrames=2)], "multi-frame"),
        ([image_file(0, SamplesPerPixel=3)], "samples"),
        ([image_file(0, PixelSpacing=[0, 1])], "spacing"),
        ([image_file(0, ImageOrientationPatient=[1, 0, 0, 1, 0, 0])], "right angles"),
        ([image_file(0, ImagePositionPatient=None)], "no place"),
        ([image_file(0)[:-10]], "damaged"),
        ([b"not DICOM at all" * 100], "decoded"),
        ([image_file(0).replace(b"\x28\x00\x30\x00DS", b"\x28\x00\x30\x00D?")], "cannot be decoded|VR of PixelSpacing"),
    ],
)
def test_what_makes_no_volume_is_refused_with_the_reason(slices: list[bytes], reason: str) -> None:
    with pytest.raises(UnusableImage, match=reason) as refusal:
        read_image(slices)
    assert "Secret" not in str(refusal.value) and "SECRET" not in str(refusal.value)


@pytest.mark.parametrize("transfer_syntax", [None, RLELossless])
def test_a_header_that_claims_too_much_allocates_nothing(transfer_syntax: str | None) -> None:
    file = image_file(0, **({} if transfer_syntax is None else {"transfer_syntax": transfer_syntax}))
    rows = b"\x28\x00\x10\x00US\x02\x00"
    claimed = file.replace(rows + b"\x04\x00", rows + b"\xff\xff")
    columns = b"\x28\x00\x11\x00US\x02\x00"
    claimed = claimed.replace(columns + b"\x05\x00", columns + b"\xff\xff")
    assert claimed != file
    tracemalloc.start()
    with pytest.raises(UnusableImage, match="claims"):
        read_image([claimed])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000_000


def test_only_one_series_is_taken() -> None:
    image = read_image([image_file(0), image_file(3), image_file(6, SeriesInstanceUID="2.25.5")])
    assert image.series_instance_uid == SERIES_UID
    assert image.grid.shape[0] == 2


def test_images_in_another_frame_of_reference_than_the_structures_are_told(data_folder: Path) -> None:
    folder = data_folder / "sts" / "STS_001" / "CT"
    image = read_image([next((folder / "image").glob("*.dcm")).read_bytes()])
    structure_set = read((folder / "mask" / "RS.dcm").read_bytes())
    assert findings_for(image, structure_set) == list(image.findings)
    elsewhere = replace(structure_set, frame_of_reference_uid="1.2.3")
    assert [each.code for each in findings_for(image, elsewhere)][-1] == "other_frame_of_reference"
