"""Segmentation → structure set → mask gives the same voxels; rt-utils' own contours do not."""

from __future__ import annotations

import re
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from nibabel.nifti1 import Nifti1Image
from pydicom import dcmread

from rtstruct import analyse, read
from rtstruct.exports.nifti import nifti
from rtstruct.grids import Grid
from rtstruct.images import read_image
from rtstruct.labels import Segment
from rtstruct.masks import mask_of
from rtstruct.model import Contour, Structure
from rtstruct.quality import Held, report_on
from rtstruct.references import read_references
from rtstruct.writing import Naming, UnusableSegmentation, structure_set_of
from unit.rtstruct.image_files import image_file
from unit.rtstruct.real_images import DATA, sarcoma_series

SHAPE = (4, 12, 10)


def images(**tags: object) -> list[bytes]:
    """A small CT of four slices."""
    return [
        image_file(3.0 * nth, np.zeros(SHAPE[1:], "<i2"), StudyDate="20260101", StudyTime="12", StudyID="1", **tags)
        for nth in range(SHAPE[0])
    ]


def labels() -> np.ndarray:
    """A ring, a block inside it, and single pixels that touch at corners."""
    made = np.zeros(SHAPE, np.uint8)
    made[1:3, 2:10, 1:9] = 1
    made[1:3, 4:8, 3:7] = 0
    made[1:3, 5:7, 4:6] = 2
    made[0, 0, 0] = made[0, 1, 1] = made[3, 11, 9] = 5
    return made


def grid_of(files: list[bytes]) -> Grid:
    return read_image(files, pixels=False).grid


def label_map(values: np.ndarray, files: list[bytes], told: object = None) -> bytes:
    return nifti(values, grid_of(files), "test", told)


def masks(dicom: bytes, grid: Grid) -> dict[int, np.ndarray]:
    return {each.number: mask_of(each, grid).values for each in read(dicom).structures}


def test_a_label_map_comes_back_voxel_by_voxel() -> None:
    files, values = images(), labels()
    written = structure_set_of(label_map(values, files), files, {})
    found = masks(written.dicom, grid_of(files))
    assert set(found) == {1, 2, 5}
    for label, inside in found.items():
        assert np.array_equal(inside, values == label)
    assert [each.voxels_different for each in written.structures] == [0, 0, 0]
    assert [each.voxel_count for each in written.structures] == [np.count_nonzero(values == each) for each in (1, 2, 5)]


def test_volumes_of_the_contours_are_those_of_the_voxels() -> None:
    files, values = images(), labels()
    written = structure_set_of(label_map(values, files), files, {})
    for structure, told in zip(read(written.dicom).structures[:2], written.structures, strict=False):
        assert analyse(structure).volume_cm3 == pytest.approx(told.volume_cm3, rel=1e-9)


@pytest.mark.parametrize("orientation", [[1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1], [0.8, 0.6, 0, -0.6, 0.8, 0]])
@pytest.mark.parametrize("flip", [(), (0,), (0, 1, 2)])
def test_axes_of_the_label_map_may_run_in_any_direction(orientation: list[float], flip: tuple[int, ...]) -> None:
    normal = np.cross(orientation[:3], orientation[3:])
    files = [
        image_file(
            0.0,
            np.zeros(SHAPE[1:], "<i2"),
            ImagePositionPatient=[float(each) for each in np.round(normal * 3.0 * nth, 6)],
            ImageOrientationPatient=orientation,
            SOPInstanceUID=f"2.25.71.{nth + 1}",
        )
        for nth in range(SHAPE[0])
    ]
    grid, values = grid_of(files), labels()
    # As another program may write it: axes reversed, in another order.
    flipped = np.flip(values.T, axis=flip) if flip else values.T
    affine = grid.affine_ras.copy()
    for axis in flip:
        affine[:3, 3] += affine[:3, axis] * (flipped.shape[axis] - 1)
        affine[:3, axis] *= -1
    turned = np.ascontiguousarray(flipped.transpose(2, 0, 1))
    image = Nifti1Image(turned, affine[:, [2, 0, 1, 3]])
    written = structure_set_of(image.to_bytes(), files, {})
    for label, inside in masks(written.dicom, grid).items():
        assert np.array_equal(inside, values == label)


def test_a_label_map_of_a_part_of_the_images_is_put_in_its_place() -> None:
    files, values = images(), labels()
    grid = grid_of(files)
    part = Grid(grid.to_patient(np.array([[1.0, 2.0, 1.0]]))[0], grid.directions, grid.spacing_mm, (2, 8, 8))
    written = structure_set_of(nifti(values[1:3, 2:10, 1:9], part, "part"), files, {})
    for label, inside in masks(written.dicom, grid).items():
        assert np.array_equal(inside, (values == label) & (label != 5))


def test_names_and_colours_come_from_the_caller_else_from_the_file() -> None:
    files = images()
    told = {"labels": [{"label": 1, "name": "Lunge/Cœur", "color": [1, 2, 3], "interpreted_type": "ORGAN"}]}
    naming = {2: Naming("GTV", (255, 0, 0), "GTV")}
    found = read(structure_set_of(label_map(labels(), files, told), files, naming, "Auto 1").dicom)
    first, second, third = found.structures
    assert (first.name, first.color, first.interpreted_type) == ("Lunge/Cœur", (1, 2, 3), "ORGAN")
    assert (second.name, second.color, second.interpreted_type) == ("GTV", (255, 0, 0), "GTV")
    assert third.name == "Label 5"
    assert found.label == "Auto 1"


def test_the_set_refers_to_its_images() -> None:
    files = images()
    written = structure_set_of(label_map(labels(), files), files, {})
    dataset, first = dcmread(BytesIO(written.dicom)), dcmread(BytesIO(files[0]))
    assert (dataset.PatientID, dataset.StudyInstanceUID) == (first.PatientID, first.StudyInstanceUID)
    uids = {dcmread(BytesIO(file)).SOPInstanceUID for file in files}
    series = dataset.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    assert series.SeriesInstanceUID == first.SeriesInstanceUID == written.image_series_uid
    assert {each.ReferencedSOPInstanceUID for each in series.ContourImageSequence} == uids
    assert dataset.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID == first.FrameOfReferenceUID


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda files: b"nonsense" * 100, "neither NIfTI nor DICOM"),
        (lambda files: label_map(labels(), files)[:-9], "cut off"),
        (lambda files: label_map(labels() * 0, files), "empty"),
        (lambda files: label_map(labels().astype(np.float32) / 2, files), "no labels"),
        (lambda files: label_map(labels().astype(np.int16) - 1, files), "no labels"),
        (lambda files: files[0], "no DICOM Segmentation"),
        (lambda files: Nifti1Image(labels().T, np.diag([1.0, 1.0, 1.0, 1.0])).to_bytes(), "not those of the images"),
        (lambda files: shifted(files), "outside the images"),
        (lambda files: Nifti1Image(labels().T[..., None].repeat(2, 3), np.eye(4)).to_bytes(), "three axes"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(make: object, says: str) -> None:
    files = images()
    with pytest.raises(UnusableSegmentation, match=says):
        structure_set_of(make(files), files, {})  # type: ignore[operator]


def shifted(files: list[bytes]) -> bytes:
    grid = grid_of(files)
    away = Grid(grid.to_patient(np.array([[6.0, 0.0, 0.0]]))[0], grid.directions, grid.spacing_mm, grid.shape)
    return nifti(labels(), away, "away")


def test_a_region_without_a_voxel_is_left_out_and_told() -> None:
    files, data = images(), segmentation()
    dataset = dcmread(BytesIO(data))
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber = 1
    buffer = BytesIO()
    dataset.save_as(buffer)
    written = structure_set_of(buffer.getvalue(), files, {})
    assert written.empty == ("Core",)
    assert [each.name for each in written.structures] == ["Ring"]


def segmentation() -> bytes:
    """A DICOM Segmentation of the first two labels, as our own export writes it."""
    from rtstruct.exports.segmentation import segmentation as written

    files = images()
    image = read_image(files, pixels=False)
    naming = {1: Naming("Ring", (200, 30, 30)), 2: Naming("Core")}
    source = read(structure_set_of(label_map(labels(), files), files, naming).dicom)
    segments = [Segment(each.number, each, mask_of(each, image.grid)) for each in source.structures[:2]]
    return written(segments, image, files, source, "1")


def test_a_dicom_segmentation_comes_back_voxel_by_voxel_with_names_and_colours() -> None:
    files, values = images(), labels()
    written = structure_set_of(segmentation(), files, {2: Naming("GTV")})
    found = read(written.dicom)
    assert [structure.name for structure in found.structures] == ["Ring", "GTV"]
    assert np.abs(np.subtract(found.structures[0].color or (), (200, 30, 30))).max() <= 4
    for label, inside in masks(written.dicom, grid_of(files)).items():
        assert np.array_equal(inside, values == label)


def test_a_real_tumour_comes_back_and_the_set_is_sound(tmp_path: Path) -> None:
    files = [path.read_bytes() for path in sorted((DATA / "sts" / "STS_001" / "PET" / "image").glob("*.dcm"))]
    original = read((DATA / "sts" / "STS_001" / "PET" / "mask" / "RS.dcm").read_bytes())
    grid = grid_of(files)
    values = mask_of(original.structures[0], grid).values.astype(np.uint8)
    written = structure_set_of(nifti(values, grid, "tumour"), files, {1: Naming("GTV", (255, 0, 0), "GTV")})
    assert np.array_equal(masks(written.dicom, grid)[1], values == 1)
    report = report_on(read(written.dicom), read_references(written.dicom), Held((sarcoma_series("PET"),)))
    assert report.viewable_in_ohif
    assert {finding.code for finding in report.findings} <= {"unapproved", "tiny_islands"}
    if shutil.which("dciodvfy"):
        path = tmp_path / "RS.dcm"
        path.write_bytes(written.dicom)
        said = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, errors="replace", check=False)
        errors = [line for line in (said.stdout + said.stderr).splitlines() if line.startswith("Error")]
        # The Study ID of these images is longer than it may be.
        assert not [line for line in errors if not re.search(r"Study ID|contains invalid data values", line)]


@pytest.mark.parametrize("modality", ["PET", "MR_T1"])
def test_rt_utils_own_contours_lead_to_other_voxels_and_ours_do_not(modality: str) -> None:
    from rt_utils.ds_helper import create_roi_contour
    from rt_utils.utils import ROIData

    folder = DATA / "sts" / "STS_001" / modality
    files = [path.read_bytes() for path in sorted((folder / "image").glob("*.dcm"))]
    image = read_image(files, pixels=False)
    original = read((folder / "mask" / "RS.dcm").read_bytes())
    meant = mask_of(original.structures[0], image.grid).values
    ours = structure_set_of(nifti(meant.astype(np.uint8), image.grid, "tumour"), files, {})
    by_uid = {str(each.SOPInstanceUID): each for each in (dcmread(BytesIO(file)) for file in files)}
    series = [by_uid[uid] for uid in image.sop_instance_uids if uid]
    item = create_roi_contour(ROIData(np.moveaxis(meant, 0, -1), [255, 0, 0], 1, "GTV", "1.2"), series)
    theirs = Structure(
        1,
        contours=tuple(
            Contour("CLOSED_PLANAR", np.array(each.ContourData, dtype=float).reshape(-1, 3))
            for each in item.ContourSequence
        ),
    )
    different = np.count_nonzero(mask_of(theirs, image.grid).values != meant)
    assert ours.structures[0].voxels_different == 0
    # Their corners are pixel centres, so that the rim is half lost: a tenth of this tumour's voxels and more.
    assert different > 0.02 * np.count_nonzero(meant)
