"""Structures are compared on a grid of their own, whatever their planes, pixels and names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rtstruct import Structure, StructureSet, read
from rtstruct.comparison import (
    NothingToCompare,
    UnknownStructure,
    agree,
    common_grid,
    compare,
    explicit,
    matched,
    structure_named,
)
from unit.rtstruct.meshes.solids import SOLIDS, ball, sections, turned
from unit.rtstruct.shapes import circle, structure


def at(x: float, radius: float = 20.0, spacing: float = 2.0) -> Structure:
    heights = np.arange(-radius - spacing, radius + spacing, spacing) + 0.3
    return structure(*sections(ball(radius, centre=(x, 0)), heights))


@pytest.mark.parametrize("shift", [1.0, 5.0, 12.5])
def test_shifted_spheres_overlap_as_closed_forms_say(shift: float) -> None:
    found = compare(at(0), at(shift), pixel_mm=0.5).metrics
    # A lens of two caps.
    shared = (4 * 20 + shift) * (2 * 20 - shift) ** 2 / (16 * 20**3)
    assert found.dice == pytest.approx(shared, abs=0.015)
    assert found.centre_distance_mm == pytest.approx(shift, abs=0.05)
    assert found.hausdorff_mm == pytest.approx(shift, abs=0.8)
    assert found.volume_ratio == pytest.approx(1, abs=0.01)


def test_planes_of_any_direction_compare_alike() -> None:
    straight = compare(at(0), at(5), pixel_mm=0.5).metrics
    for normal in ((1, 0, 0), (0, 1, 0), (1, 2, 3)):
        oblique = compare(*[turned(each, normal, (30.0, -80.0, 12.0)) for each in (at(0), at(5))], pixel_mm=0.5).metrics
        assert oblique.dice == pytest.approx(straight.dice, abs=0.01)
        assert oblique.mean_surface_distance_mm == pytest.approx(straight.mean_surface_distance_mm, abs=0.1)


def test_planes_at_right_angles_are_compared_on_those_of_the_reference() -> None:
    found = compare(at(0), turned(at(0), (1, 0, 0), (0.0, 0.0, 0.0)), pixel_mm=0.5)
    assert found.metrics.dice is not None and found.metrics.dice > 0.97


def test_other_spacings_of_planes_are_brought_together() -> None:
    found = compare(at(0, spacing=3.0), at(0, spacing=1.0), pixel_mm=0.5)
    assert found.spacing_mm[0] == pytest.approx(1.0)
    assert found.metrics.dice is not None and found.metrics.dice > 0.97
    assert found.metrics.volume_ratio == pytest.approx(1, abs=0.01)


def test_a_small_structure_gets_small_pixels() -> None:
    small = structure(circle(3), circle(3, 1.0))
    assert compare(small, small).spacing_mm == pytest.approx((1.0, 0.2, 0.2))
    assert compare(at(0), at(1), pixel_mm=1.0).spacing_mm[1] == 1.0


@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered:RuntimeWarning")
def test_the_grid_is_bounded_however_far_structures_lie_apart() -> None:
    grid = common_grid([at(0), at(2000.0)])
    assert np.prod(grid.shape) <= 32_000_000
    for huge in ([at(0), structure(circle(1e300))], [structure(circle(1e300))]):
        with pytest.raises(NothingToCompare):
            common_grid(huge)
    with pytest.raises(NothingToCompare, match="too far apart"):
        far = [replace(each, points_mm=each.points_mm + np.array((0, 0, 1e9))) for each in at(0).contours]
        common_grid([at(0), replace(at(0), contours=tuple(far))])


def test_nothing_drawn_is_said() -> None:
    empty = Structure(number=9, name="empty")
    found = compare(at(0), empty, pixel_mm=1.0)
    assert found.metrics.dice == 0 and found.metrics.hausdorff_mm is None
    assert "empty_mask" in [finding.code for finding in found.findings]
    with pytest.raises(NothingToCompare):
        compare(empty, empty)


def test_frames_of_reference_that_differ_are_a_finding() -> None:
    other = replace(at(0), frame_of_reference_uid="1.2.3")
    found = compare(replace(at(0), frame_of_reference_uid="1.2.4"), other, pixel_mm=1.0)
    assert found.findings[0].code == "different_frames_of_reference"
    assert not compare(other, other, pixel_mm=1.0).findings


@pytest.fixture(scope="module")
def sarcomas(data_folder: Path) -> list[StructureSet]:
    folder = data_folder / "sts" / "STS_001"
    return [read((folder / kind / "mask" / "RS.dcm").read_bytes()) for kind in ("CT", "MR_T1", "PET")]


def test_one_tumour_on_three_images_is_nearly_the_same(sarcomas: list[StructureSet]) -> None:
    ct, mr, pet = (each.structures[0] for each in sarcomas)
    for other in (mr, pet):
        found = compare(ct, other)
        assert found.metrics.dice is not None and found.metrics.dice > 0.98
        assert found.metrics.surface_dice is not None and found.metrics.surface_dice > 0.99
        assert found.metrics.mean_surface_distance_mm is not None and found.metrics.mean_surface_distance_mm < 0.5
        assert found.metrics.volume_a_cm3 == pytest.approx(365.17, rel=0.005)
        assert found.metrics.volume_ratio == pytest.approx(1, abs=0.002)
        assert not found.findings


def test_three_drawings_of_one_tumour_agree(sarcomas: list[StructureSet]) -> None:
    found = agree([each.structures[0] for each in sarcomas])
    assert found.consensus.converged and found.volume_cm3 == pytest.approx(365.2, rel=0.005)
    assert all(rater.dice is not None and rater.dice > 0.99 for rater in found.consensus.raters)


def named(*names: str) -> list[Structure]:
    return [Structure(number=number, name=name) for number, name in enumerate(names, start=1)]


def pairs(a: list[Structure], b: list[Structure], by: str) -> list[tuple[str, str, str]]:
    return [(pair.a.name, pair.b.name, pair.by) for pair in matched(a, b, by)]  # type: ignore[arg-type]


def test_names_match_without_regard_to_case_blanks_and_punctuation() -> None:
    a = named("Lung_L", "PTV_50.4", "PTV_504", "GTV", "alone")
    b = named("GTV+", "ptv 50.4", "LUNG L", "PTV-504")
    assert pairs(a, b, "name") == [
        ("Lung_L", "LUNG L", "name"),
        ("PTV_50.4", "ptv 50.4", "name"),
        ("PTV_504", "PTV-504", "name"),
    ]


def test_other_words_for_the_same_organ_match_by_tg263() -> None:
    a, b = named("Lt Lung", "Heart", "Moelle"), named("heart", "Lunge links", "SpinalCord", "unknown thing")
    found = dict((one, (other, by)) for one, other, by in pairs(a, b, "auto"))
    assert found["Heart"] == ("heart", "name")
    assert found["Lt Lung"] == ("Lunge links", "tg263")


def test_two_of_a_name_are_nobodys_match() -> None:
    assert pairs(named("GTV", "gtv"), named("GTV"), "name") == []
    assert pairs(named("x", "y"), named("z"), "number") == [("x", "z", "number")]


def test_explicit_pairs_are_by_number_or_name() -> None:
    a, b = named("GTV_CT", "2"), named("GTV_MR")
    (pair,) = explicit(a, b, [("gtv ct", "1")])
    assert (pair.a.name, pair.b.name, pair.by) == ("GTV_CT", "GTV_MR", "explicit")
    # A number comes before a name that looks like one.
    assert structure_named(named("2", "other"), "2", "a").name == "other"
    with pytest.raises(UnknownStructure, match="set b has no structure 'nothing'") as refused:
        explicit(a, b, [("1", "nothing")])
    assert refused.value.names == ("GTV_MR",)


def test_holes_count_in_a_comparison() -> None:
    hollow, whole = SOLIDS["hollow sphere"].structure(2.0), at(0, radius=30.0)
    found = compare(hollow, whole, pixel_mm=0.5).metrics
    assert found.volume_ratio == pytest.approx(27 / 19, rel=0.01)
    assert found.mean_distance_a_to_b_mm is not None and found.mean_distance_b_to_a_mm is not None
    # The inner surface is 10 mm from the outer one; nothing of the whole is far from the hollow.
    assert found.mean_distance_a_to_b_mm == pytest.approx(10 * 400 / 1300, rel=0.05)
    assert found.mean_distance_b_to_a_mm < 0.1


def test_a_single_plane_can_be_compared() -> None:
    found = compare(structure(circle(10)), structure(circle(10, centre=(2, 0))))
    assert found.metrics.dice == pytest.approx(0.873, abs=0.01)
