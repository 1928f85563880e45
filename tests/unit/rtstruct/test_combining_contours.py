"""Keyholes, holes, overlaps and gaps: what counts as inside, and what is said about it."""

from __future__ import annotations

import numpy as np
import pytest

from rtstruct import Contour, Structure, StructureAnalysis, analyse, read
from rtstruct.grids import grid_around
from rtstruct.masks import mask_of
from unit.rtstruct.shapes import (
    SQUARE,
    Points,
    circle,
    encoded,
    polygon,
    rectangle,
    roi_contour,
    rotation,
    structure,
)
from unit.rtstruct.shapes import dataset as made_dataset

OUTER = [(0, 0), (30, 0), (30, 30), (0, 30), (0, 0)]
INNER = [(10, 10), (20, 10), (20, 20), (10, 20), (10, 10)]
HEIGHTS = (0.0, 3.0, 6.0)


def codes(found: StructureAnalysis) -> list[str]:
    return [finding.code for finding in found.findings]


def area(found: StructureAnalysis) -> float:
    (plane,) = found.areas
    return plane.area_mm2


@pytest.mark.parametrize("hole", [INNER, INNER[::-1]], ids=["same way around", "against the border"])
@pytest.mark.parametrize("border", [OUTER, OUTER[::-1]], ids=["counter-clockwise", "clockwise"])
@pytest.mark.parametrize("normal", [(0, 0, 1), (1, 2, 3)], ids=["axial", "oblique"])
def test_a_keyhole_is_a_ring_whichever_way_its_parts_run(
    border: list[tuple[int, int]], hole: list[tuple[int, int]], normal: tuple[int, int, int]
) -> None:
    off_centre = [(x - 5, y - 5) for x, y in hole]
    turn = rotation(normal)
    found = analyse(structure(polygon([*border, *off_centre]) @ turn))
    assert area(found) == pytest.approx(800, rel=1e-9)
    assert found.contours[0].area_mm2 == pytest.approx(800, rel=1e-9)
    # 900 at (15, 15), less 100 at (10, 10).
    centroid = np.array([12500 / 800, 12500 / 800, 0]) @ turn
    assert found.areas[0].centroid_mm == pytest.approx(centroid, abs=1e-6)
    assert found.centroid_mm == pytest.approx(centroid, abs=1e-6)


def test_a_keyhole_with_several_holes_has_all_of_them() -> None:
    second = [(x + 8, y + 8) for x, y in INNER[::-1]]
    first = [(x - 8, y - 8) for x, y in INNER]
    found = analyse(structure(polygon([*OUTER, *first, (0, 0), *second])))
    assert area(found) == pytest.approx(700, rel=1e-6)


def test_a_bow_tie_has_both_of_its_halves() -> None:
    assert area(analyse(structure(polygon([(0, 0), (10, 10), (10, 0), (0, 10)])))) == pytest.approx(50, rel=1e-4)
    assert area(analyse(structure(polygon([(0, 0), (20, 20), (20, 0), (0, 10)])))) == pytest.approx(
        # The crossing lies at (20/3, 20/3).
        10 * (20 / 3) / 2 + 20 * (40 / 3) / 2,
        rel=1e-3,
    )


def test_a_contour_that_runs_twice_around_itself_is_nought_under_even_odd() -> None:
    twice = analyse(structure(polygon([*OUTER[:-1], *OUTER[:-1]])))
    assert area(twice) == pytest.approx(0, abs=1e-9)
    assert twice.areas[0].centroid_mm is None


NESTED = [rectangle(0, 0, 30, 30), rectangle(10, 10, 10, 10)]
OVERLAPPING = [rectangle(0, 0, 10, 10), rectangle(6, 6, 10, 10)]
TWICE = [rectangle(0, 0, 10, 10), rectangle(0, 0, 10, 10)]
APART = [rectangle(0, 0, 10, 10), rectangle(20, 0, 10, 10)]


@pytest.mark.parametrize(
    ("contours", "auto", "xor", "union"),
    [
        (NESTED, 800, 800, 900),
        (OVERLAPPING, 168, 168, 184),
        (TWICE, 100, 0, 100),
        (APART, 200, 200, 200),
        ([*NESTED, rectangle(14, 14, 2, 2)], 804, 804, 900),
        ([*OVERLAPPING, *APART[1:]], 268, 268, 284),
    ],
    ids=["nested", "overlapping", "twice", "apart", "island", "overlapping and apart"],
)
def test_contours_are_combined_as_asked(contours: list[Points], auto: float, xor: float, union: float) -> None:
    drawn = structure(*contours)
    grid = grid_around(np.array([-1.25, -1.25, 0]), np.array([31.25, 31.25, 0]), (0.5, 0.5, 1))
    for combine, expected in (("auto", auto), ("xor", xor), ("union", union)):
        found = analyse(drawn, combine=combine)  # type: ignore[arg-type]
        assert area(found) == pytest.approx(expected, rel=1e-3), combine
        overlap = "partial_overlap" in codes(found)
        assert overlap == (contours[0] is OVERLAPPING[0])
        # Masks go by the same rule; corners lie on pixel centres, which counts for half a pixel.
        assert mask_of(drawn, grid, combine=combine).voxel_count / 4 == pytest.approx(expected, abs=1)  # type: ignore[arg-type]


def test_under_union_nothing_is_a_hole() -> None:
    assert [contour.hole for contour in analyse(structure(*NESTED), combine="union").contours] == [False, False]


def test_partial_overlap_says_what_becomes_of_it() -> None:
    told = {
        combine: next(f.message for f in analyse(structure(*OVERLAPPING), combine=combine).findings)  # type: ignore[arg-type]
        for combine in ("auto", "union")
    }
    assert "16.0 mm² at position 0.00 mm; what they share does not count." in told["auto"]
    assert "counts once." in told["union"]


def test_the_centroid_of_overlapping_contours_is_that_of_what_counts() -> None:
    # Two squares of 100 at (5, 5) and (11, 11), less twice the 16 at (8, 8): symmetrical about (8, 8).
    lopsided = [rectangle(0, 0, 10, 10), rectangle(5, 0, 10, 10)]
    found = analyse(structure(*lopsided), combine="union")
    assert found.centroid_mm == pytest.approx((7.5, 5, 0), abs=1e-6)
    third = [rectangle(0, 0, 20, 10), rectangle(15, 0, 10, 10)]
    # xor: 0…15 and 20…25.
    found = analyse(structure(*third))
    assert found.centroid_mm == pytest.approx(((150 * 7.5 + 50 * 22.5) / 200, 5, 0), abs=1e-6)


def test_perimeters_are_those_of_all_borders() -> None:
    found = analyse(structure(*NESTED))
    assert [contour.perimeter_mm for contour in found.contours] == [120, 40]
    assert found.areas[0].perimeter_mm == 160
    assert analyse(structure(*TWICE)).areas[0].perimeter_mm == 40
    assert analyse(structure(circle(20))).areas[0].perimeter_mm == pytest.approx(2 * np.pi * 20, rel=1e-5)
    open_ = analyse(structure(rectangle(0, 0, 10, 10), geometric_type="OPEN_PLANAR"))
    assert open_.contours[0].perimeter_mm == 30
    spiral = analyse(structure(np.array([[0.0, 0, 0], [0, 0, 3], [0, 4, 3]]), geometric_type="OPEN_NONPLANAR"))
    assert spiral.contours[0].perimeter_mm == 7


def test_every_contour_has_a_centroid_and_a_box() -> None:
    found = analyse(structure(rectangle(0, 0, 10, 20, z=3), rectangle(5, 5, 2, 2, z=3)))
    assert [contour.centroid_mm for contour in found.contours] == [(5, 10, 3), (6, 6, 3)]
    assert found.contours[0].bounding_box_mm == ((0, 0, 3), (10, 20, 3))
    point = analyse(structure(np.array([[1.0, 2, 3]]), geometric_type="POINT")).contours[0]
    assert (point.centroid_mm, point.bounding_box_mm) == ((1, 2, 3), ((1, 2, 3), (1, 2, 3)))
    assert (point.perimeter_mm, point.area_mm2) == (0, 0)


def test_planes_have_centroids_of_their_own() -> None:
    leaning = structure(*[circle(10, z, centre=(z, -2 * z)) for z in HEIGHTS])
    for plane in analyse(leaning).areas:
        z = plane.position_mm
        assert plane.centroid_mm == pytest.approx((z, -2 * z, z), abs=1e-9)


def drawn_on(spacing_mm: float | None, *heights: float) -> Structure:
    contours = tuple(Contour("CLOSED_PLANAR", circle(10, z)) for z in heights)
    return Structure(number=1, source_spacing_mm=spacing_mm, contours=contours)


def test_where_the_planes_drawn_on_are_known_a_gap_is_meant() -> None:
    found = analyse(drawn_on(3, 0, 3, 6, 15, 18))
    assert codes(found) == ["empty_planes"]
    assert "it is empty there" in found.findings[0].message
    assert codes(analyse(drawn_on(None, 0, 3, 6, 15, 18))) == ["gaps_between_planes"]


def test_where_the_planes_drawn_on_are_known_even_one_has_a_volume() -> None:
    found = analyse(drawn_on(3, 0))
    assert found.volume_cm3 == pytest.approx(np.pi * 100 * 3 / 1000, rel=1e-9)
    assert codes(found) == []
    # Every second plane is empty on purpose.
    assert analyse(drawn_on(3, 0, 6, 12)).volume_cm3 == pytest.approx(np.pi * 100 * 9 / 1000, rel=1e-9)


def test_source_pixel_planes_are_read_from_the_file() -> None:
    from pydicom.dataset import Dataset

    made = made_dataset([roi_contour(1, SQUARE), roi_contour(2, SQUARE), roi_contour(3, SQUARE)])
    for item, spacing in zip(made.ROIContourSequence[:2], ("2.5", "0"), strict=True):
        planes = Dataset()
        planes.SpacingBetweenSlices = spacing
        item.SourcePixelPlanesCharacteristicsSequence = [planes]
    assert [each.source_spacing_mm for each in read(encoded(made)).structures] == [2.5, None, None]


def test_oblique_planes_rounded_to_a_millimetre_tenth_stay_planes() -> None:
    turn = rotation((1, 2, 3))
    contours = [np.round(circle(20, z, points=100) @ turn, 1) for z in np.arange(0, 30, 3.0)]
    found = analyse(structure(*contours))
    assert found.plane_count == 10
    assert found.volume_cm3 == pytest.approx(np.pi * 400 * 30 / 1000, rel=2e-3)
