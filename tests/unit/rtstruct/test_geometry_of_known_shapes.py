"""Areas, volumes and centroids are those of closed forms, whichever way the planes lie."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from rtstruct import StructureAnalysis, analyse
from unit.rtstruct.shapes import Points, circle, polygon, rectangle, rotation, structure

NORMALS = {
    "axial": (0, 0, 1),
    "sagittal": (1, 0, 0),
    "coronal": (0, 1, 0),
    "oblique": (1, 2, 3),
    "oblique the other way": (-3, 1, 2),
    "nearly axial": (0.01, 0, 1),
}
HEIGHTS = np.arange(0, 30, 3.0)


def codes(found: StructureAnalysis) -> list[str]:
    return [finding.code for finding in found.findings]


def areas(found: StructureAnalysis) -> list[float]:
    return [plane.area_mm2 for plane in found.areas]


def ring(z: float = 0.0) -> list[Points]:
    return [rectangle(0, 0, 30, 30, z), rectangle(10, 10, 10, 10, z)]


def keyhole(z: float = 0.0) -> Points:
    outer = [(0, 0), (30, 0), (30, 30), (0, 30), (0, 0)]
    inner = [(10, 10), (10, 20), (20, 20), (20, 10), (10, 10)]
    return polygon([*outer, *inner], z)


@pytest.mark.parametrize("corners", [3, 4, 5, 17, 400])
@pytest.mark.parametrize("centre", [(0, 0), (-250, 310), (5000, -5000)])
def test_a_regular_polygon_has_its_area(corners: int, centre: tuple[float, float]) -> None:
    found = analyse(structure(circle(20, points=corners, centre=centre)))
    assert areas(found) == pytest.approx([np.pi * 20**2], rel=1e-9)
    assert found.centroid_mm == pytest.approx((*centre, 0), abs=1e-7)


def test_the_direction_and_a_repeated_first_point_change_nothing() -> None:
    square = rectangle(5, 5, 10, 20)
    for points in (square, square[::-1], np.vstack((square, square[:1]))):
        found = analyse(structure(points))
        assert areas(found) == pytest.approx([200], rel=1e-12)
        assert found.centroid_mm == pytest.approx((10, 15, 0))
        assert not found.contours[0].hole


def sphere_volume_cm3(radius: float, shift: float) -> float:
    heights = np.arange(-radius - 3, radius + 3, 3.0) + shift
    sections = [(np.sqrt(radius**2 - z**2), z) for z in heights if abs(z) < radius - 1e-9]
    found = analyse(structure(*[circle(r, z, points=180) for r, z in sections]))
    assert found.volume_cm3 is not None
    return found.volume_cm3


@pytest.mark.parametrize("shift", [0.0, 0.7, 1.5, 2.9])
def test_a_sphere_of_80_mm_in_slabs_of_3_mm_has_its_volume(shift: float) -> None:
    assert sphere_volume_cm3(40, shift) == pytest.approx(4 / 3 * np.pi * 4**3, rel=0.001)


def test_full_slabs_have_no_bias_even_for_small_spheres() -> None:
    # Where the planes fall matters by up to 1.6 % at 24 mm; on the average it must not.
    volumes = [sphere_volume_cm3(12, shift) for shift in np.arange(0, 3, 0.1)]
    assert np.mean(volumes) == pytest.approx(4 / 3 * np.pi * 1.2**3, rel=1e-3)
    assert volumes == pytest.approx([4 / 3 * np.pi * 1.2**3] * 30, rel=0.017)


def test_a_cylinder_has_full_slabs_at_its_ends_or_half_ones() -> None:
    found = analyse(structure(*[circle(10, z) for z in HEIGHTS]))
    base = np.pi * 10**2
    assert found.volume_cm3 == pytest.approx(base * 30 / 1000, rel=1e-9)
    assert found.volume_half_end_slabs_cm3 == pytest.approx(base * 27 / 1000, rel=1e-9)
    assert found.centroid_mm == pytest.approx((0, 0, 13.5), abs=1e-9)
    assert (found.plane_count, found.plane_spacing_mm) == (10, 3.0)
    assert found.position_range_mm == (0, 27)
    assert found.findings == ()


@pytest.mark.parametrize("geometric_type", ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "CLOSED_PLANAR_XOR"])
def test_a_contour_within_another_is_a_hole(geometric_type: str) -> None:
    found = analyse(structure(*ring(), geometric_type=geometric_type))
    assert areas(found) == pytest.approx([800], rel=1e-12)
    assert [contour.hole for contour in found.contours] == [False, True]
    assert [contour.area_mm2 for contour in found.contours] == pytest.approx([900, 100])
    assert found.areas[0].contour_count == 2
    assert codes(found) == ["single_plane"]


def test_an_island_in_a_hole_counts() -> None:
    found = analyse(structure(rectangle(14, 14, 2, 2), *ring()))
    assert areas(found) == pytest.approx([804], rel=1e-12)
    assert [contour.hole for contour in found.contours] == [False, False, True]


def test_a_keyhole_is_the_same_ring() -> None:
    by_keyhole = analyse(structure(*[keyhole(z) for z in HEIGHTS]))
    by_holes = analyse(structure(*[points for z in HEIGHTS for points in ring(z)], geometric_type="CLOSEDPLANAR_XOR"))
    assert areas(by_keyhole) == pytest.approx(areas(by_holes), rel=1e-12)
    assert by_keyhole.volume_cm3 == pytest.approx(by_holes.volume_cm3, rel=1e-12)
    assert by_keyhole.centroid_mm == pytest.approx(by_holes.centroid_mm)


def test_neighbours_add_up_even_when_they_touch() -> None:
    found = analyse(structure(rectangle(0, 0, 10, 10), rectangle(10, 0, 10, 10), rectangle(40, 0, 10, 10)))
    assert areas(found) == pytest.approx([300], rel=1e-12)
    assert codes(found) == ["single_plane"]


def test_a_hole_that_touches_the_border_is_a_hole() -> None:
    found = analyse(structure(rectangle(0, 0, 30, 30), rectangle(0, 10, 10, 10)))
    assert areas(found) == pytest.approx([800], rel=1e-12)
    assert [contour.hole for contour in found.contours] == [False, True]
    assert codes(found) == ["single_plane"]


@pytest.mark.parametrize("angle", [0.0, 0.3, 1.0])
def test_partial_overlap_is_told_and_counted_even_odd(angle: float) -> None:
    turn = np.array([[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    found = analyse(structure(rectangle(0, 0, 10, 10) @ turn, rectangle(6, 6, 10, 10) @ turn))
    assert areas(found) == pytest.approx([168], rel=1e-4)
    assert "partial_overlap" in codes(found)
    assert "16.0 mm²" in next(f.message for f in found.findings if f.code == "partial_overlap")


def test_a_cross_of_two_bars_overlaps_though_no_corner_is_inside() -> None:
    found = analyse(structure(rectangle(-20, -2, 40, 4), rectangle(-2, -20, 4, 40)))
    assert areas(found) == pytest.approx([288], rel=1e-4)
    assert "partial_overlap" in codes(found)


def test_a_contour_that_is_there_twice_counts_once() -> None:
    found = analyse(structure(rectangle(0, 0, 10, 10), rectangle(0, 0, 10, 10)))
    assert areas(found) == pytest.approx([100], rel=1e-12)
    assert "duplicate_contour" in codes(found)


@pytest.mark.parametrize("normal", NORMALS.values(), ids=NORMALS.keys())
def test_turned_planes_give_the_same_numbers(normal: npt.ArrayLike) -> None:
    contours = [points for z in HEIGHTS for points in (*ring(z), circle(8, z, centre=(-20, 5)))]
    turn = rotation(normal)
    axial = analyse(structure(*contours))
    turned = analyse(structure(*[points @ turn + [7, -11, 13] for points in contours]))
    assert areas(turned) == pytest.approx(areas(axial), rel=1e-9)
    assert turned.volume_cm3 == pytest.approx(axial.volume_cm3, rel=1e-9)
    assert turned.plane_spacing_mm == pytest.approx(3, rel=1e-9)
    assert axial.centroid_mm is not None
    assert turned.centroid_mm == pytest.approx(np.array(axial.centroid_mm) @ turn + [7, -11, 13], abs=1e-9)
    assert sorted(each.hole for each in turned.contours) == sorted(each.hole for each in axial.contours)
    unit = np.asarray(normal, dtype=float) / np.linalg.norm(normal)
    assert np.abs(np.dot(turned.plane_normal or (), unit)) == pytest.approx(1, abs=1e-9)
    assert codes(turned) == []


def test_oblique_planes_rounded_to_two_decimals_stay_planes() -> None:
    turn = rotation((1, 2, 3))
    contours = [np.round(circle(20, z, points=100) @ turn, 2) for z in HEIGHTS]
    found = analyse(structure(*contours))
    assert found.plane_count == 10
    assert found.volume_cm3 == pytest.approx(np.pi * 400 * 30 / 1000, rel=1e-3)


def test_gaps_are_told_and_not_filled() -> None:
    found = analyse(structure(*[circle(10, z) for z in (0, 3, 6, 15, 18)]))
    assert codes(found) == ["gaps_between_planes"]
    assert "9.00 mm from position 6.00 to 15.00 mm" in found.findings[0].message
    assert found.volume_cm3 == pytest.approx(np.pi * 100 * 15 / 1000, rel=1e-9)


def test_slab_thickness_wins_over_spacing() -> None:
    contours = [circle(10, z) for z in (0, 3, 6)]
    found = analyse(structure(*contours, thickness_mm=2))
    assert found.volume_cm3 == pytest.approx(np.pi * 100 * 6 / 1000, rel=1e-9)
    assert codes(found) == ["thickness_differs_from_spacing"]


def test_a_single_plane_has_a_volume_only_with_a_thickness() -> None:
    alone = analyse(structure(circle(10)))
    assert (alone.volume_cm3, codes(alone)) == (None, ["single_plane"])
    thick = analyse(structure(circle(10), thickness_mm=3))
    assert thick.volume_cm3 == pytest.approx(np.pi * 100 * 3 / 1000, rel=1e-9)
    assert codes(thick) == []


def test_points_and_open_contours_have_no_area() -> None:
    points = analyse(structure(np.array([[1.0, 2, 3]]), np.array([[3.0, 4, 5]]), geometric_type="POINT"))
    assert (points.centroid_mm, points.volume_cm3, points.areas) == ((2, 3, 4), None, ())
    assert points.bounding_box_mm == ((1, 2, 3), (3, 4, 5))
    assert points.findings == ()
    for geometric_type in ("OPEN_PLANAR", "OPEN_NONPLANAR", "", "SOMETHING"):
        found = analyse(structure(rectangle(0, 0, 10, 10), geometric_type=geometric_type))
        assert (found.volume_cm3, found.areas, found.plane_normal) == (None, (), None)
        assert (found.contour_count, found.point_count) == (1, 4)


def test_a_contour_that_leaves_its_plane_is_told() -> None:
    bent = rectangle(0, 0, 10, 10)
    bent[2, 2] = 4
    assert "not_on_a_plane" in codes(analyse(structure(rectangle(0, 0, 50, 50, z=-3), bent)))


@pytest.mark.parametrize(
    "points", [[[0, 0, 0]], [[0, 0, 0], [1, 1, 1]], [[0, 0, 0]] * 5, [[0, 0, 0], [1, 0, 0], [2, 0, 0]]]
)
def test_closed_contours_without_extent_do_no_harm(points: npt.ArrayLike) -> None:
    degenerate = np.asarray(points, dtype=float)
    alone = analyse(structure(degenerate))
    assert alone.areas == ()
    assert alone.findings
    together = analyse(structure(degenerate, *ring()))
    assert sum(areas(together)) == pytest.approx(800)


def test_an_empty_structure_has_nothing_to_tell() -> None:
    found = analyse(structure())
    assert (found.contour_count, found.volume_cm3, found.centroid_mm, found.bounding_box_mm) == (0, None, None, None)


def test_a_plane_crowded_with_contours_does_not_keep_us_busy() -> None:
    grid = [rectangle(x % 80, x // 80, 0.5, 0.5) for x in range(6000)]
    found = analyse(structure(*grid))
    assert areas(found) == pytest.approx([1500])
    assert "holes_not_searched" in codes(found)
