"""The quality report: a sound set has no finding, and each code appears when the set is spoiled in its way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from rtstruct import read
from rtstruct.quality import KINDS, Held, QualityReport, report_on
from rtstruct.references import read_references
from unit.rtstruct.phantom import (
    SERIES,
    STRUCTURES,
    add_structure,
    contour_item,
    contours_of,
    file_of,
    image_series,
    image_uid,
    number_of,
    structure_set,
    z_of,
)
from unit.rtstruct.shapes import circle

Spoil = Callable[[Dataset], Held | None]
SPOILS: dict[str, list[Spoil]] = {}


def spoils(code: str) -> Callable[[Spoil], Spoil]:
    """The function below makes `code` appear; it may say what the archive holds instead."""

    def note(spoil: Spoil) -> Spoil:
        SPOILS.setdefault(code, []).append(spoil)
        return spoil

    return note


def report(made: Dataset, held: Held | None = None) -> QualityReport:
    data = file_of(made)
    return report_on(read(data), read_references(data), held or Held((image_series(),)))


def codes(found: QualityReport) -> set[str]:
    return {finding.code for finding in found.findings}


def frame(made: Dataset) -> Dataset:
    item: Dataset = made.ReferencedFrameOfReferenceSequence[0]
    return item


def series(made: Dataset) -> Dataset:
    item: Dataset = frame(made).RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    return item


def observation(made: Dataset, name: str) -> Dataset:
    item: Dataset = made.RTROIObservationsSequence[number_of(name) - 1]
    return item


def redraw(made: Dataset, name: str, place: int, points: np.ndarray, image: str | None = None) -> None:
    slices = STRUCTURES[name][4]
    contours_of(made, name)[place] = contour_item(points, image or image_uid(slices[place]))


@spoils("no_referenced_series")
def _(made: Dataset) -> None:
    del made.ReferencedFrameOfReferenceSequence


@spoils("referenced_series_absent")
def _(made: Dataset) -> Held:
    return Held(())


@spoils("referenced_series_absent")
def _(made: Dataset) -> None:
    series(made).SeriesInstanceUID = "1.2.3.77"


@spoils("referenced_series_is_no_image")
def _(made: Dataset) -> Held:
    return Held((), other_series_uids=frozenset({SERIES}))


@spoils("referenced_series_without_images")
def _(made: Dataset) -> None:
    del series(made).ContourImageSequence


@spoils("series_images_absent")
def _(made: Dataset) -> None:
    series(made).ContourImageSequence[3].ReferencedSOPInstanceUID = "1.2.3.77"


@spoils("stale_referenced_series")
def _(made: Dataset) -> None:
    stale = Dataset()
    stale.SeriesInstanceUID = "1.2.3.77"
    made.ReferencedSeriesSequence = [stale]


@spoils("several_referenced_series")
def _(made: Dataset) -> Held:
    other = Dataset()
    other.SeriesInstanceUID = "1.2.3.8"
    other.ContourImageSequence = series(made).ContourImageSequence
    frame(made).RTReferencedStudySequence[0].RTReferencedSeriesSequence.append(other)
    return Held((image_series(), image_series(uid="1.2.3.8")))


@spoils("referenced_images_absent")
def _(made: Dataset) -> None:
    contours_of(made, "GTV")[1].ContourImageSequence[0].ReferencedSOPInstanceUID = "1.2.3.77"


@spoils("references_other_plane")
def _(made: Dataset) -> None:
    contours_of(made, "GTV")[1].ContourImageSequence[0].ReferencedSOPInstanceUID = image_uid(2)


@spoils("no_image_references")
def _(made: Dataset) -> None:
    for name in STRUCTURES:
        for contour in contours_of(made, name):
            del contour.ContourImageSequence


@spoils("foreign_frame_of_reference")
def _(made: Dataset) -> Held:
    return Held((image_series(frame="1.2.3.88"),))


@spoils("several_frames_of_reference")
def _(made: Dataset) -> None:
    made.StructureSetROISequence[2].ReferencedFrameOfReferenceUID = "1.2.3.88"


@spoils("several_instances_in_series")
def _(made: Dataset) -> Held:
    return Held((image_series(),), own_series_instances=2)


@spoils("single_slice_series")
def _(made: Dataset) -> Held:
    return Held((image_series(range(9, 10)),))


@spoils("no_structure_set_roi_sequence")
def _(made: Dataset) -> None:
    del made.StructureSetROISequence


@spoils("no_structures")
def _(made: Dataset) -> None:
    del made.StructureSetROISequence, made.ROIContourSequence, made.RTROIObservationsSequence


@spoils("no_contours_at_all")
def _(made: Dataset) -> None:
    made.ROIContourSequence = []


@spoils("contour_without_data")
def _(made: Dataset) -> None:
    del contours_of(made, "CTV")[2].ContourData


@spoils("unreadable_contours")
def _(made: Dataset) -> None:
    contours_of(made, "CTV")[2].ContourData = ["1", "2", "3", "4"]


@spoils("empty_structure")
def _(made: Dataset) -> None:
    del made.ROIContourSequence[4].ContourSequence


@spoils("reading")
def _(made: Dataset) -> None:
    contours_of(made, "CTV")[2].NumberOfContourPoints = 3


@spoils("geometry")
def _(made: Dataset) -> None:
    tilted = circle(14, z_of(8), points=40, centre=(0, -40))
    tilted[::2, 2] += 1
    redraw(made, "CTV", 2, tilted)


@spoils("contours_off_image_planes")
def _(made: Dataset) -> None:
    for place, contour in enumerate(contours_of(made, "PTV")):
        points = circle(20, z_of(5 + place) + 1.0, points=40, centre=(0, -40))
        contour.ContourData = [f"{value:.3f}" for value in points.ravel()]


@spoils("contours_beyond_image")
def _(made: Dataset) -> Held:
    return Held((image_series(half_mm=90),))


@spoils("contours_beyond_image")
def _(made: Dataset) -> Held:
    return Held((image_series(range(5, 15)),))


@spoils("missing_slices")
def _(made: Dataset) -> None:
    del contours_of(made, "Lung_L")[4:6]


@spoils("stray_contours")
def _(made: Dataset) -> None:
    contours_of(made, "Lung_L").append(contour_item(circle(3, z_of(4), 20, centre=(0, 40)), image_uid(4)))


@spoils("tiny_islands")
def _(made: Dataset) -> None:
    contours_of(made, "Lung_L").append(contour_item(circle(0.5, z_of(9), 20, centre=(55, 35)), image_uid(9)))


@spoils("duplicate_contours")
def _(made: Dataset) -> None:
    contours_of(made, "Lung_L").append(contours_of(made, "Lung_L")[2])


@spoils("duplicate_points")
def _(made: Dataset) -> None:
    points = circle(14, z_of(8), points=40, centre=(0, -40))
    redraw(made, "CTV", 2, np.insert(points, 5, points[5], axis=0))


@spoils("self_intersection")
def _(made: Dataset) -> None:
    points = circle(14, z_of(8), points=40, centre=(0, -40))
    points[[10, 30]] = points[[30, 10]]
    redraw(made, "CTV", 2, points)


@spoils("overlapping_contours")
def _(made: Dataset) -> None:
    contours_of(made, "Lung_L").append(contour_item(circle(20, z_of(9), 60, centre=(70, 0)), image_uid(9)))


@spoils("duplicate_names")
def _(made: Dataset) -> None:
    made.StructureSetROISequence[5].ROIName = "ptv"


@spoils("no_name")
def _(made: Dataset) -> None:
    made.StructureSetROISequence[5].ROIName = ""


@spoils("name_not_tg263")
def _(made: Dataset) -> None:
    made.StructureSetROISequence[3].ROIName = "Rückenmark"


@spoils("laterality_contradicts_position")
def _(made: Dataset) -> None:
    made.StructureSetROISequence[1].ROIName, made.StructureSetROISequence[2].ROIName = "Lung_R", "Lung_L"


@spoils("laterality_contradicts_position")
def _(made: Dataset) -> None:
    made.StructureSetROISequence[1].ROIName, made.StructureSetROISequence[2].ROIName = "Kidney_R", "Heart"


@spoils("identical_colors")
def _(made: Dataset) -> None:
    made.ROIContourSequence[2].ROIDisplayColor = made.ROIContourSequence[1].ROIDisplayColor


@spoils("unapproved")
def _(made: Dataset) -> None:
    made.ApprovalStatus = "UNAPPROVED"


@spoils("structures_overlap")
def _(made: Dataset) -> None:
    contours = [contour_item(circle(20, z_of(nth), 60, centre=(80, 0)), image_uid(nth)) for nth in range(5, 12)]
    add_structure(made, 20, "Heart", "ORGAN", (1, 2, 3), contours)


@spoils("target_not_inside")
def _(made: Dataset) -> None:
    for place in range(4):
        redraw(made, "GTV", place, circle(8, z_of(8 + place), 60, centre=(0, -58)))


@spoils("outside_body")
def _(made: Dataset) -> None:
    for place in range(14):
        redraw(made, "Lung_L", place, circle(25, z_of(3 + place), 60, centre=(80, 0)))


def test_a_sound_set_has_no_finding() -> None:
    found = report(structure_set())
    assert [finding for finding in found.findings] == []
    assert found.viewable_in_ohif
    assert found.series_instance_uid == SERIES


@pytest.mark.parametrize(
    ("code", "spoil"),
    [(code, spoil) for code, spoils in SPOILS.items() for spoil in spoils],
    ids=lambda each: str(each),
)
def test_each_finding_appears_when_the_set_is_spoiled_in_its_way(code: str, spoil: Spoil) -> None:
    made = structure_set()
    held = spoil(made)
    found = report(made, held)
    assert code in codes(found)
    finding = next(each for each in found.findings if each.code == code)
    assert finding.severity == KINDS[code].severity or finding.severity == "info"
    assert finding.message and finding.remedy
    assert found.viewable_in_ohif is not any(each.in_ohif == "hidden" for each in found.findings)


def test_no_code_is_without_a_test_and_a_paragraph(data_folder: Path) -> None:
    assert set(SPOILS) == set(KINDS)
    text = (data_folder.parents[1] / "docs" / "rtstruct" / "quality.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE)) == set(KINDS)


def test_places_lead_to_the_fault() -> None:
    made = structure_set()
    del contours_of(made, "Lung_L")[4:6]
    missing = next(each for each in report(made).findings if each.code == "missing_slices")
    assert (missing.place.structure_name, missing.place.position_mm) == ("Lung_L", z_of(7))
    assert "2 planes" in missing.message


def test_errors_come_first_and_are_counted() -> None:
    made = structure_set()
    made.ApprovalStatus = "UNAPPROVED"
    del contours_of(made, "CTV")[2].ContourData
    found = report(made)
    assert [each.severity for each in found.findings] == sorted(
        (each.severity for each in found.findings), key=["error", "warning", "info"].index
    )
    assert (found.count("error"), found.count("info")) == (1, 1)


def test_without_an_archive_nothing_is_said_about_what_is_absent() -> None:
    data = file_of(structure_set())
    assert report_on(read(data), read_references(data)).findings == ()


def test_a_touching_keyhole_does_not_cross_itself() -> None:
    made = structure_set()
    outer, inner = circle(14, z_of(8), points=40, centre=(0, -40)), circle(5, z_of(8), points=40, centre=(0, -40))
    keyhole = np.concatenate((outer, outer[:1], inner[:1], inner[:0:-1], inner[:1]))
    redraw(made, "CTV", 2, keyhole)
    assert "self_intersection" not in codes(report(made))


@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered:RuntimeWarning")
@pytest.mark.parametrize("value", ["1e300", "-1e300", "1e16", "0"])
def test_absurd_coordinates_do_not_keep_the_rest_from_being_told(value: str) -> None:
    made = structure_set()
    made.ApprovalStatus = "UNAPPROVED"
    contours_of(made, "GTV")[0].ContourData = [value] * 9
    contours_of(made, "CTV")[0].ContourData = [value, "0", "0", "0", value, "0", value, value, "0"]
    assert "unapproved" in codes(report(made))


def test_of_very_many_overlaps_the_largest_are_told_one_by_one() -> None:
    made = structure_set()
    for nth in range(9):
        outlines = [circle(20, z_of(each), 40, centre=(4 * nth - 16, 0)) for each in range(8, 12)]
        contours = [contour_item(points, image_uid(8 + each)) for each, points in enumerate(outlines)]
        add_structure(made, 20 + nth, f"Heart{nth}", "ORGAN", (1, 2, nth), contours)
    told = [each.message for each in report(made).findings if each.code == "structures_overlap"]
    assert len(told) == 31
    assert "Heart" in told[0]
    assert "further pairs" in told[-1]


def test_two_lungs_in_one_structure_are_no_strays() -> None:
    made = structure_set()
    contours_of(made, "Lung_L").extend(contours_of(made, "Lung_R"))
    made.StructureSetROISequence[1].ROIName = "Lungs"
    assert not {"stray_contours", "tiny_islands"} & codes(report(made))


def test_the_sarcoma_sets_say_why_ohif_draws_nothing(sarcoma: bytes) -> None:
    found = read(sarcoma)
    named = found.referenced_series_uids[0]
    planes = image_series(range(20)).planes
    held = Held((replace(image_series(), series_instance_uid=named, planes=planes, frame_of_reference_uid=None),))
    verdict = report_on(found, read_references(sarcoma), held)
    assert not verdict.viewable_in_ohif
    assert "referenced_images_absent" in {reason.code for reason in verdict.ohif_reasons}
