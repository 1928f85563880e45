"""The quality report: a sound set has no finding, and each code appears when the set is spoiled in its way."""

from __future__ import annotations

import re
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
    add_structure,
    contour_item,
    contours_of,
    file_of,
    image_series,
    image_uid,
    structure_set,
    z_of,
)
from unit.rtstruct.quality.spoiling import SPOILS, Spoil, redraw
from unit.rtstruct.shapes import circle


def report(made: Dataset, held: Held | None = None) -> QualityReport:
    data = file_of(made)
    return report_on(read(data), read_references(data), held or Held((image_series(),)))


def codes(found: QualityReport) -> set[str]:
    return {finding.code for finding in found.findings}


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
