"""One bad structure or contour costs itself and a warning, never the file."""

from __future__ import annotations

import pydicom
import pytest
from pydicom.dataset import Dataset

from rtstruct import Structure, read
from unit.rtstruct.shapes import SQUARE, dataset, encoded, made_file, roi, roi_contour


def only(data: bytes) -> Structure:
    (found,) = read(data).structures
    return found


def codes(found: Structure) -> list[str]:
    return [finding.code for finding in found.warnings]


def test_a_sound_structure_has_no_warnings() -> None:
    found = only(made_file([roi_contour(5, SQUARE)]))
    assert (found.number, found.name, found.interpreted_type) == (5, "ROI 5", "ORGAN")
    assert found.contours[0].points_mm.tolist() == [[0, 0, 0], [10, 0, 0], [10, 10, 0], [0, 10, 0]]
    assert found.warnings == ()


def test_points_cannot_be_written_to() -> None:
    found = only(made_file([roi_contour(1, SQUARE, SQUARE.replace("10", "+10"))]))
    for contour in found.contours:
        with pytest.raises(ValueError, match="read-only"):
            contour.points_mm[0, 0] = 1


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (None, "contour_without_data"),
        ("", "contour_without_data"),
        ("  ", "contour_without_data"),
        (r"1\2\3\4", "contour_not_triples"),
        (r"1\2\north", "contour_not_numbers"),
        (r"1\\3", "contour_not_numbers"),
        (r"1\2\nan", "contour_not_numbers"),
        (r"1\2\1e999", "contour_not_numbers"),
        (b"\xff\xfe\x00\x80", "contour_not_numbers"),
    ],
)
def test_a_bad_contour_is_left_out_and_its_neighbours_stay(bad: str | bytes | None, code: str) -> None:
    found = only(made_file([roi_contour(1, SQUARE, bad, SQUARE)]))
    assert len(found.contours) == 2
    assert codes(found) == [code]
    assert "ROIContourSequence item 1, ContourSequence item 2" in found.warnings[0].message


def test_many_bad_contours_of_a_kind_make_one_warning() -> None:
    found = only(made_file([roi_contour(1, SQUARE, *["x"] * 50)]))
    assert codes(found) == ["contour_not_numbers"]
    assert ": 50," in found.warnings[0].message


def test_odd_but_legible_numbers_are_read() -> None:
    found = only(made_file([roi_contour(1, "+1\\.5\\-.5\\5.\\ 1E2 \\-0\0")]))
    assert found.contours[0].points_mm.tolist() == [[1, 0.5, -0.5], [5, 100, 0]]
    assert codes(found) == []


def test_a_wrong_number_of_points_is_told() -> None:
    item = roi_contour(1, SQUARE)
    item.ContourSequence[0].NumberOfContourPoints = 5
    found = only(made_file([item]))
    assert len(found.contours[0].points_mm) == 4
    assert codes(found) == ["point_count_differs"]


def test_contours_without_roi_entry_are_kept_without_a_name() -> None:
    found = only(made_file([roi_contour(7, SQUARE)], rois=[]))
    assert (found.number, found.name, len(found.contours)) == (7, "", 1)
    assert codes(found) == ["no_name"]


def test_a_structure_without_contours_is_kept() -> None:
    first, second = read(made_file([roi_contour(1, SQUARE)], rois=[roi(1, "a"), roi(2, "b")])).structures
    assert (first.name, second.name) == ("a", "b")
    assert second.contours == ()
    assert codes(second) == ["no_contours", "no_observation"]


def test_an_item_without_contour_sequence_is_kept() -> None:
    item = roi_contour(1)
    del item.ContourSequence
    assert codes(only(made_file([item]))) == ["no_contours"]


def test_numbers_are_unique_even_where_the_file_repeats_them() -> None:
    found = read(made_file([roi_contour(1, SQUARE), roi_contour(None, SQUARE)], rois=[roi(1, "a"), roi(1, "b")]))
    assert [(each.number, each.name, len(each.contours)) for each in found.structures] == [
        (1, "a", 1),
        (-1, "b", 0),
        (-2, "", 1),
    ]
    assert "duplicate_roi_number" in codes(found.structures[1])
    assert "no_roi_number" in codes(found.structures[2])


def test_contours_in_several_items_come_together() -> None:
    found = only(made_file([roi_contour(1, SQUARE), roi_contour(1, SQUARE)], rois=[roi(1, "a")]))
    assert len(found.contours) == 2
    assert codes(found) == ["contours_in_several_items"]


@pytest.mark.parametrize("color", [b"255\\0", b"256\\0\\0", b"red\\0\\0", b"-1\\0\\0"])
def test_a_bad_colour_is_dropped_with_a_warning(color: bytes) -> None:
    item = roi_contour(1, SQUARE)
    item.add_new(0x3006002A, "OB", color + b" " * (len(color) % 2))
    found = only(made_file([item]))
    assert found.color is None
    assert codes(found) == ["bad_color"]


def test_a_good_colour_is_read_and_a_missing_one_is_no_matter() -> None:
    item = roi_contour(1, SQUARE)
    item.ROIDisplayColor = [255, 128, 0]
    assert only(made_file([item])).color == (255, 128, 0)
    assert only(made_file([roi_contour(1, SQUARE)])).color is None


def test_slab_thickness_must_be_positive() -> None:
    good, bad = roi_contour(1, SQUARE), roi_contour(2, SQUARE)
    good.ContourSequence[0].ContourSlabThickness = "2.5"
    bad.ContourSequence[0].ContourSlabThickness = "0"
    first, second = read(made_file([good, bad])).structures
    assert first.contours[0].slab_thickness_mm == 2.5
    assert second.contours[0].slab_thickness_mm is None
    assert (codes(first), codes(second)) == ([], ["bad_slab_thickness"])


def test_a_frame_of_reference_that_is_not_declared_is_told() -> None:
    made = dataset([roi_contour(1, SQUARE)])
    frame = Dataset()
    frame.FrameOfReferenceUID = "2.25.10"
    made.ReferencedFrameOfReferenceSequence = [frame]
    made.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = "2.25.11"
    assert codes(only(encoded(made))) == ["other_frame_of_reference"]


@pytest.mark.parametrize(
    ("character_set", "name"),
    [
        ("ISO_IR 100", "Größe"),
        ("ISO_IR 192", "脳幹"),
        ("ISO_IR 144", "Печень"),
        (["", "ISO 2022 IR 87"], "脳幹"),
        ("GB18030", "脑干"),
    ],
)
def test_names_in_other_alphabets_are_read(character_set: str | list[str], name: str) -> None:
    made = dataset([roi_contour(1, SQUARE)])
    made.SpecificCharacterSet = character_set
    made.StructureSetLabel = name
    made.StructureSetROISequence[0].ROIName = name
    found = read(encoded(made))
    assert (found.label, found.structures[0].name) == (name, name)


def test_a_name_that_does_not_fit_its_character_set_is_told() -> None:
    made = dataset([roi_contour(1, SQUARE)])
    made.StructureSetROISequence[0].ROIName = "ABCD"
    found = only(encoded(made).replace(b"ABCD", b"A\xff\xfeD"))
    assert codes(found) == ["unreadable_name"]


def test_an_unknown_character_set_is_told() -> None:
    data = made_file([roi_contour(1, SQUARE)]).replace(b"ISO_IR 192", b"ISO_IR 999")
    found = read(data)
    assert [finding.code for finding in found.warnings] == ["unknown_character_set"]
    assert found.structures[0].name == "ROI 1"


def test_a_set_without_identifiers_is_read_with_warnings() -> None:
    made = dataset([roi_contour(1, SQUARE)])
    data = encoded(made)
    start = data.index(b"\x20\x00\x0d\x00")
    stop = data.index(b"\x06\x30\x02\x00")
    found = read(data[:start] + data[stop:])
    assert [finding.code for finding in found.warnings] == ["no_study_instance_uid", "no_series_instance_uid"]
    assert len(found.structures[0].contours) == 1


def test_an_empty_set_is_read(dicompyler: bytes) -> None:
    found = read(made_file([]))
    assert found.structures == ()
    assert [finding.code for finding in found.warnings] == ["no_contours"]


def test_the_real_set_is_described_in_full(dicompyler: bytes) -> None:
    found = read(dicompyler)
    source = pydicom.dcmread(pydicom.filebase.DicomBytesIO(dicompyler))
    assert found.sop_instance_uid == source.SOPInstanceUID
    assert found.study_instance_uid == source.StudyInstanceUID
    assert found.series_instance_uid == source.SeriesInstanceUID
    assert (found.label, found.date, found.approval_status) == (
        source.StructureSetLabel,
        source.StructureSetDate,
        source.ApprovalStatus,
    )
    series = source.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0].RTReferencedSeriesSequence
    assert found.referenced_series_uid == series[0].SeriesInstanceUID
    assert [each.name for each in found.structures] == [each.ROIName for each in source.StructureSetROISequence]
    assert len(found.structures) == 10
    assert sum(len(each.contours) for each in found.structures) == 441
    assert sum(len(contour.points_mm) for each in found.structures for contour in each.contours) == 88_158
    assert [each.name for each in found.structures if not each.contours] == ["Areola"]
