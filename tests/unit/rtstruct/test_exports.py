"""Masks as files: what independent readers find in them is what was drawn."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import highdicom
import nibabel
import nrrd as pynrrd
import numpy as np
import pytest
import slicerio
from pydicom import dcmread

import rtstruct
from rtstruct.exports import nrrd as nrrd_module
from rtstruct.exports import segmentation as segmentation_module
from rtstruct.exports.nifti import nifti
from rtstruct.exports.npz import npz
from rtstruct.exports.nrrd import TooManyLayers, nrrd
from rtstruct.exports.segmentation import TooManySegments, segmentation
from rtstruct.grids import Grid
from rtstruct.images import read_image
from rtstruct.labels import Segment, label_map, labels_of, layers_of
from rtstruct.masks import mask_of
from unit.rtstruct.image_files import image_file
from unit.rtstruct.shapes import circle, rectangle, rotation, structure


def tilted() -> Grid:
    """Oblique, unlike in every direction: whatever is swapped or flipped shows."""
    turn = rotation((0.2, -0.3, 1))
    return Grid(np.array([-40.0, 15.0, 60.0]), turn, np.array([0.8, 1.3, 2.7]), (5, 30, 40))


def segments(grid: Grid | None = None) -> list[Segment]:
    """A large disc, a small one within, one beside: on the planes of the grid."""
    grid = grid or tilted()
    made = []
    for label, (centre, radius, name) in enumerate(
        [((12, 14), 9, "body"), ((14, 14), 3, "Cœur"), ((34, 6), 4, "x")], 1
    ):
        contours = []
        for k in range(1, 4):
            pixels = circle(radius, k, points=60, centre=centre)
            contours.append(grid.to_patient(pixels))
        drawn = replace(structure(*contours), number=label * 10, name=name, color=(255, 0, label))
        made.append(Segment(label * 10, drawn, mask_of(drawn, grid)))
    return made


def test_nifti_puts_each_voxel_where_it_lies_in_ras() -> None:
    values = np.random.default_rng(1).integers(0, 200, tilted().shape, dtype=np.uint8)
    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(nifti(values, tilted(), "test")))
    assert (np.asarray(image.dataobj) == values.T).all()
    index = np.array([7.0, 5.0, 3.0])
    lps = tilted().to_patient(index[None])[0]
    np.testing.assert_allclose(nibabel.affines.apply_affine(image.affine, index), lps * [-1, -1, 1], atol=1e-4)
    np.testing.assert_allclose(image.get_qform(), image.get_sform(), atol=1e-4)
    assert image.header.get_xyzt_units()[0] == "mm"


def test_a_sheared_nifti_has_no_qform_that_would_be_wrong() -> None:
    sheared = replace(tilted(), directions=np.array([[1, 0, 0], [0, 1, 0], [0, 0.2, 0.98]]))
    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(nifti(np.zeros((5, 30, 40)), sheared, "")))
    assert (int(image.header["qform_code"]), int(image.header["sform_code"])) == (0, 1)
    np.testing.assert_allclose(image.affine, sheared.affine_ras, atol=1e-6)


def test_a_label_map_shows_the_smaller_structure_and_counts_what_is_hidden() -> None:
    made = segments()
    labels = label_map(made)
    body, heart, other = (each.mask.values for each in made)
    assert (labels.values == np.where(heart, 20, np.where(other, 30, np.where(body, 10, 0)))).all()
    assert labels.hidden == (int((body & heart).sum()), 0, 0)
    assert labels.values.dtype == np.uint8


def test_labels_are_roi_numbers_unless_these_are_none() -> None:
    assert labels_of([replace(structure(), number=number) for number in (7, 300)]) == [7, 300]
    assert labels_of([replace(structure(), number=number) for number in (7, -1)]) == [1, 2]
    assert labels_of([replace(structure(), number=number) for number in (7, 70000)]) == [1, 2]


def test_the_same_masks_make_the_same_bytes() -> None:
    for write in (nrrd, npz):
        assert write(segments()) == write(segments())


def read_nrrd(content: bytes, tmp_path: Path) -> tuple[np.ndarray, dict[str, str]]:
    path = tmp_path / "file.seg.nrrd"
    path.write_bytes(content)
    return pynrrd.read(str(path))


def test_slicer_finds_names_colours_and_layers(tmp_path: Path) -> None:
    made = segments()
    values, header = read_nrrd(nrrd(made), tmp_path)
    assert layers_of(made) == [0, 1, 0]
    # pynrrd reads ASCII alone; Slicer writes and reads UTF-8.
    assert "\nSegment1_Name:=Cœur\n" in nrrd(made).partition(b"\n\n")[0].decode("utf-8")
    for number, segment in enumerate(made):
        assert header[f"Segment{number}_Name"] == segment.structure.name.replace("œ", "")
        assert header[f"Segment{number}_LabelValue"] == str(segment.label)
        layer = int(header[f"Segment{number}_Layer"])
        assert (values[layer] == segment.label).sum() == segment.mask.voxel_count
        assert (segment.mask.values == (values[layer] == segment.label).T).all()
    assert header["Segment0_Color"] == "1 0 0.00392157"
    assert header["space"] == "left-posterior-superior"
    np.testing.assert_allclose(header["space directions"][1:], tilted().steps_mm)
    np.testing.assert_allclose(header["space origin"], tilted().origin_mm)


def test_one_layer_is_three_dimensional(tmp_path: Path) -> None:
    made = segments()[::2]
    values, header = read_nrrd(nrrd(made), tmp_path)
    assert values.shape == (40, 30, 5)
    assert [int(each) for each in header["Segment1_Extent"].split()] == [30, 38, 2, 10, 1, 3]


def test_a_name_cannot_write_into_the_header(tmp_path: Path) -> None:
    (first, *_) = segments()
    evil = replace(first, structure=replace(first.structure, name="a\nencoding: raw\n\nb"))
    _, header = read_nrrd(nrrd([evil]), tmp_path)
    assert header["encoding"] == "gzip"
    assert header["Segment0_Name"] == "a encoding: raw  b"


def test_too_many_layers_are_refused_before_they_are_allocated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nrrd_module, "MOST_BYTES", 5 * 30 * 40)
    with pytest.raises(TooManyLayers, match="2 layers"):
        nrrd(segments())


def test_numpy_finds_boxes_and_masks() -> None:
    made = segments()
    with np.load(BytesIO(npz(made))) as file:
        assert file["names"].tolist() == ["body", "Cœur", "x"]
        for segment in made:
            number = segment.structure.number
            whole = np.zeros(file["shape"], dtype=bool)
            whole[tuple(slice(*each) for each in file[f"box_{number}"])] = file[f"mask_{number}"]
            assert (whole == segment.mask.values).all()
        np.testing.assert_allclose(file["affine"], tilted().affine)


def series() -> list[bytes]:
    """Images with what a SEG takes over from them."""
    told = {"StudyDate": "20240229", "StudyTime": "120000", "AccessionNumber": "A1", "PatientSex": "O"}
    pixels = np.zeros((30, 40), "<i2")
    return [image_file(z, pixels, PatientBirthDate="19700101", StudyID="1", **told) for z in (9, 0, 3, 6)]


def structure_set(*made: Segment) -> rtstruct.StructureSet:
    structures = tuple(segment.structure for segment in made)
    return rtstruct.StructureSet("2.25.1", "", "2.25.2", "2.25.3", label="Plan A", structures=structures)


def test_a_dicom_seg_holds_the_masks_on_the_images_they_were_drawn_on(tmp_path: Path) -> None:
    files = series()
    image = read_image(files, pixels=False)
    made = segments(image.grid)
    written = segmentation(made, image, files, structure_set(*made), "1.2.3")

    path = tmp_path / "seg.dcm"
    path.write_bytes(written)
    seg = highdicom.seg.segread(path)
    assert [seg.get_segment_description(n).segment_label for n in (1, 2, 3)] == ["body", "Cœur", "x"]
    planes = seg.get_pixels_by_source_instance(
        source_sop_instance_uids=list(image.sop_instance_uids), assert_missing_frames_are_empty=True
    )
    for number, segment in enumerate(made):
        assert (planes[..., number].astype(bool) == segment.mask.values).all()
    assert seg.SOPInstanceUID == dcmread(BytesIO(segmentation(made, image, files, structure_set(), ""))).SOPInstanceUID
    assert seg.PatientID == "SECRET-ID"
    shared = sum(segment.mask.values.astype(int) for segment in made) > 1
    assert seg.SegmentsOverlap == "YES" and shared.any()

    if shutil.which("dciodvfy"):
        report = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True, timeout=60)
        errors = [line for line in report.stderr.splitlines() if line.startswith("Error")]
        assert errors == []


def test_slicers_own_package_reads_the_nrrd_with_names_colors_and_places(tmp_path: Path) -> None:
    made = segments()
    path = tmp_path / "labels.seg.nrrd"
    path.write_bytes(nrrd(made))

    read = slicerio.read_segmentation(str(path))

    # Slicer reads UTF-8; pynrrd, on which its package stands, leaves out what is not ASCII.
    assert [segment["name"] for segment in read["segments"]] == ["body", "Cur", "x"]
    for segment, told in zip(made, read["segments"], strict=True):
        assert np.allclose(told["color"], np.array(segment.structure.color) / 255, atol=0.003)
        assert np.array_equal(slicerio.segment_mask(read, told["id"]).T, segment.mask.values)
    index = np.array([7.0, 5.0, 3.0])
    assert np.allclose((np.array(read["ijkToLPS"]) @ [*index, 1])[:3], tilted().to_patient(index[None])[0], atol=1e-4)


@pytest.mark.skipif(shutil.which("segimage2itkimage") is None, reason="dcmqi has wheels for x86-64 alone")
def test_what_slicer_reads_segs_with_finds_the_masks_where_they_were_drawn(tmp_path: Path) -> None:
    files = series()
    image = read_image(files, pixels=False)
    made = segments(image.grid)
    (tmp_path / "seg.dcm").write_bytes(segmentation(made, image, files, structure_set(*made), "1"))
    command = ["segimage2itkimage", "--inputDICOM", "seg.dcm", "--outputDirectory", ".", "--outputType", "nrrd"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)

    told = json.loads((tmp_path / "meta.json").read_text())["segmentAttributes"]
    assert [segment["SegmentLabel"] for (segment,) in told] == ["body", "Cœur", "x"]
    for segment, (about,) in zip(made, told, strict=True):
        values, header = pynrrd.read(str(tmp_path / f"{about['labelID']}.nrrd"))
        steps = np.array(header["space directions"])
        # Slices without any voxel are not in the file, so that it begins where it says.
        inside = np.argwhere(values)
        found = np.array(header["space origin"]) + inside @ steps
        expected = image.grid.to_patient(np.argwhere(segment.mask.values)[:, ::-1].astype(float))
        assert sorted(map(tuple, np.round(found, 2))) == sorted(map(tuple, np.round(expected, 2)))


@pytest.mark.parametrize(("rows", "columns"), [(9, 11), (9, 10), (8, 9)])
def test_the_bits_of_a_seg_fill_whole_words_as_ohif_needs_it(rows: int, columns: int) -> None:
    files = [image_file(z, np.zeros((rows, columns), "<i2")) for z in range(9)]
    image = read_image(files, pixels=False)
    made = []
    for number, height in ((1, 7), (2, 2)):
        drawn = replace(structure(*(rectangle(11, 21, 4, 6, z) for z in range(height))), number=number)
        made.append(Segment(number, drawn, mask_of(drawn, image.grid)))
    written = segmentation(made, image, files, structure_set(*made), "1")

    pixels = int(dcmread(BytesIO(written)).NumberOfFrames) * rows * columns
    assert pixels % 16 == 0
    planes = highdicom.seg.segread(BytesIO(written)).get_pixels_by_source_instance(
        source_sop_instance_uids=list(image.sop_instance_uids), assert_missing_frames_are_empty=True
    )
    for number, segment in enumerate(made):
        assert segment.mask.voxel_count
        assert (planes[..., number].astype(bool) == segment.mask.values).all()


def test_segments_that_share_no_voxel_are_said_not_to_overlap() -> None:
    files = series()
    image = read_image(files, pixels=False)
    made = segments(image.grid)
    first, other = made[0], next(each for each in made[1:] if not (each.mask.values & made[0].mask.values).any())
    seg = dcmread(BytesIO(segmentation([first, other], image, files, structure_set(first, other), "1")))
    assert seg.SegmentsOverlap == "NO"


def test_no_frame_is_added_where_none_is_needed_or_none_is_free() -> None:
    for rows, columns, heights in ((8, 10, range(3)), (9, 11, range(4))):
        files = [image_file(z, np.zeros((rows, columns), "<i2")) for z in range(4)]
        image = read_image(files, pixels=False)
        drawn = replace(structure(*(rectangle(11, 21, 4, 6, z) for z in heights)), number=1)
        made = Segment(1, drawn, mask_of(drawn, image.grid))
        written = dcmread(BytesIO(segmentation([made], image, files, structure_set(made), "1")))
        assert int(written.NumberOfFrames) == len(heights)


def test_names_that_dicom_does_not_allow_become_names_that_it_does() -> None:
    files = series()
    image = read_image(files, pixels=False)
    (first, *_) = segments(image.grid)
    evil = replace(first, structure=replace(first.structure, name="a\\b\n" + "c" * 100))
    seg = highdicom.seg.segread(BytesIO(segmentation([evil], image, files, structure_set(evil), "1")))
    assert seg.get_segment_description(1).segment_label == "a/b" + "c" * 61


def test_a_real_series_gets_a_seg(data_folder: Path) -> None:
    folder = data_folder / "sts" / "STS_001" / "PET"
    files = [path.read_bytes() for path in (folder / "image").glob("*.dcm")]
    real = rtstruct.read((folder / "mask" / "RS.dcm").read_bytes())
    image = read_image(files, pixels=False)
    mask = mask_of(real.structures[0], image.grid)
    seg = highdicom.seg.segread(BytesIO(segmentation([Segment(1, real.structures[0], mask)], image, files, real, "1")))
    assert int(seg.pixel_array.sum()) == 5095


def test_too_many_segments_are_refused_before_they_are_allocated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmentation_module, "MOST_VOXELS", 1000)
    files = series()
    image = read_image(files, pixels=False)
    made = segments(image.grid)
    with pytest.raises(TooManySegments):
        segmentation(made, image, files, structure_set(*made), "1")


def test_empty_masks_are_written_as_empty(tmp_path: Path) -> None:
    drawn = replace(structure(rectangle(9000, 0, 5, 5)), number=3)
    segment = Segment(3, drawn, mask_of(drawn, tilted()))
    values, _ = read_nrrd(nrrd([segment]), tmp_path)
    assert not values.any()
    assert not label_map([segment]).values.any()
    assert npz([segment])
