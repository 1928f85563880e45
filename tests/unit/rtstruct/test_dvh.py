"""Dose-volume histograms against closed forms, and what is told where there is no answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rtstruct import Contour, Structure, analyse
from rtstruct.dvh import (
    DoseAsked,
    Dvh,
    NotAsked,
    VolumeAsked,
    doses_asked,
    dvh_of,
    volumes_asked,
)
from rtstruct.dvh.curve import Curve
from unit.rtstruct.dose_files import gradient
from unit.rtstruct.shapes import circle, polygon, rectangle, rotation, structure

Vector = tuple[float, float, float]


def cylinder(radius: float = 20, height: int = 40, step: float = 1.0) -> Structure:
    levels = np.arange(-height / 2 + step / 2, height / 2, step)
    return structure(*(circle(radius, z) for z in levels))


def sphere(radius: float = 20, step: float = 1.0) -> Structure:
    levels = np.arange(-radius + step / 2, radius, step)
    return structure(*(circle(math.sqrt(radius**2 - z**2), z) for z in levels))


def cone(radius: float = 20, height: int = 40, step: float = 1.0) -> Structure:
    """Apex at z = 0, base at z = height."""
    levels = np.arange(step / 2, height, step)
    return structure(*(circle(radius * z / height, z) for z in levels))


def turned(shape: Structure, normal: Vector) -> Structure:
    matrix = rotation(normal)
    contours = tuple(replace(contour, points_mm=contour.points_mm @ matrix) for contour in shape.contours)
    return replace(shape, contours=contours)


def quantile(volume_below: Callable[[float], float], share: float, low: float, high: float) -> float:
    """Where a share of the volume lies below, by bisection."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if volume_below(middle) < share else (low, middle)
    return low


def slab_of_disc(x: float, radius: float = 20) -> float:
    """The share of a disc, or of a cylinder across its axis, left of x."""
    return 0.5 + (x * math.sqrt(radius**2 - x**2) + radius**2 * math.asin(x / radius)) / (math.pi * radius**2)


def cap_of_ball(x: float, radius: float = 20) -> float:
    return (x + radius) ** 2 * (2 * radius - x) / (4 * radius**3)


#: Shape, volume in cm³, direction of the gradient, mean, share of the volume below, its range.
KNOWN = {
    "cylinder along its axis": (cylinder(), 16 * math.pi, (0, 0, 1), 0.0, lambda z: (z + 20) / 40, 20),
    "cylinder across its axis": (cylinder(), 16 * math.pi, (1, 0, 0), 0.0, slab_of_disc, 20),
    "cylinder along columns": (cylinder(), 16 * math.pi, (0, 1, 0), 0.0, slab_of_disc, 20),
    "sphere along z": (sphere(), 32 / 3 * math.pi, (0, 0, 1), 0.0, cap_of_ball, 20),
    "sphere along x": (sphere(), 32 / 3 * math.pi, (1, 0, 0), 0.0, cap_of_ball, 20),
    "sphere along a diagonal": (sphere(), 32 / 3 * math.pi, (1, 2, -2), 0.0, cap_of_ball, 20),
    "cone from apex to base": (cone(), 16 / 3 * math.pi, (0, 0, 1), 30.0, lambda z: (z / 40) ** 3, 40),
}


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("start", [100.0, 45.0], ids=lambda start: f"{start:g} Gy")
def test_known_shapes_in_a_gradient_of_1_gy_per_mm(name: str, start: float) -> None:
    shape, volume, along, mean, below, reach = KNOWN[name]
    dvh = dvh_of(shape, gradient(along, start))
    assert dvh.volume_cm3 == pytest.approx(volume, rel=0.002)
    assert dvh.mean == pytest.approx(start + mean, rel=0.001)
    for asked in (98, 95, 50, 5, 2):
        expected = start + quantile(below, 1 - asked / 100, -reach, reach)
        # A slab stands for 1 mm of a curved surface: what that moves is below 0.1 Gy.
        assert dvh.dose_to(DoseAsked(asked, "%")) == pytest.approx(expected, rel=0.002, abs=0.06), asked
    assert dvh.outside_cm3 == 0
    assert dvh.findings == ()


def test_a_box_along_the_axes_has_no_bias_of_half_a_step() -> None:
    box = structure(*(rectangle(-20, -20, 40, 40, z) for z in np.arange(-19.5, 20)))
    for along in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
        dvh = dvh_of(box, gradient(along))
        assert dvh.dose_to(DoseAsked(95, "%")) == pytest.approx(82, abs=0.02)
        assert dvh.dose_to(DoseAsked(5, "%")) == pytest.approx(118, abs=0.02)
        assert dvh.mean == pytest.approx(100, abs=0.01)
        assert dvh.volume_cm3 == pytest.approx(64, rel=5e-4)


def test_a_few_points_are_enough_for_the_same_quantiles() -> None:
    dvh = dvh_of(sphere(), gradient((1, 2, -2)), points=20_000)
    expected = 100 + quantile(cap_of_ball, 0.05, -20, 20)
    assert dvh.dose_to(DoseAsked(95, "%")) == pytest.approx(expected, abs=0.1)
    assert dvh.volume_cm3 == pytest.approx(32 / 3 * math.pi, rel=0.002)


@pytest.mark.parametrize("normal", [(1, 0, 0), (0, 1, 0), (0.3, -0.5, 0.8)], ids=["sagittal", "coronal", "oblique"])
def test_turning_the_contours_with_the_gradient_changes_nothing(normal: Vector) -> None:
    upright = dvh_of(cone(), gradient((0, 0, 1)))
    tilted = dvh_of(turned(cone(), normal), gradient(tuple(np.array([0, 0, 1]) @ rotation(normal))))
    assert tilted.volume_cm3 == pytest.approx(upright.volume_cm3, rel=1e-3)
    assert tilted.mean == pytest.approx(upright.mean, rel=1e-3)
    for asked in (95, 50, 5):
        one, other = (each.dose_to(DoseAsked(asked, "%")) for each in (upright, tilted))
        assert one == pytest.approx(other, abs=0.05)


@pytest.mark.parametrize("normal", [(1, 0, 0), (0.3, -0.5, 0.8)], ids=["sagittal", "oblique"])
def test_a_dose_on_a_turned_grid_is_the_same_dose(normal: Vector) -> None:
    dvh = dvh_of(sphere(), gradient((1, 2, -2), axes=rotation(normal), spacing_mm=(2.5, 3, 4)))
    assert dvh.outside_share == 0
    assert dvh.mean == pytest.approx(100, rel=1e-3)
    assert dvh.dose_to(DoseAsked(95, "%")) == pytest.approx(100 + quantile(cap_of_ball, 0.05, -20, 20), abs=0.05)


def test_minimum_and_maximum_are_those_of_the_vertices_and_of_the_voxels_inside() -> None:
    dvh = dvh_of(cylinder(), gradient((1, 0, 0)))
    assert (dvh.minimum, dvh.maximum) == (pytest.approx(80, abs=0.02), pytest.approx(120, abs=0.02))
    dose = gradient((0, 0, 1), start=1.0, half_mm=(30, 30, 30))
    dose.grid.values[:] = 1
    dose.grid.values[12, 11, 13] = 9
    assert dvh_of(cylinder(), dose).maximum == pytest.approx(9)


def test_what_lies_outside_the_dose_grid_is_reported_and_dealt_with_as_asked() -> None:
    # Voxel edges end half a voxel beyond their centres: from z = -60 to about nought.
    half = gradient((1, 0, 0), half_mm=(60, 60, 30), centre_mm=(0, 0, -30))
    edge = float(half.grid.origin_mm[2] + half.grid.offsets_mm[-1] + 1.25)
    left_out = dvh_of(cylinder(), half)
    as_nought = dvh_of(cylinder(), half, outside="zero")
    share = (20 - edge) / 40
    for dvh in (left_out, as_nought):
        assert dvh.volume_cm3 == pytest.approx(16 * math.pi, rel=0.002)
        assert dvh.outside_share == pytest.approx(share, abs=0.003)
        assert dvh.outside_cm3 == pytest.approx(share * 16 * math.pi, rel=0.01)
        assert [finding.code for finding in dvh.findings] == ["outside_dose_grid"]
    assert left_out.mean == pytest.approx(100, rel=1e-3)
    assert as_nought.mean == pytest.approx(100 * (1 - share), rel=0.01)
    assert as_nought.minimum == 0
    assert as_nought.dose_to(DoseAsked(98, "%")) == pytest.approx(0, abs=0.01)
    assert left_out.dose_to(DoseAsked(98, "%")) == pytest.approx(100 + quantile(slab_of_disc, 0.02, -20, 20), abs=0.06)


def test_a_structure_wholly_outside_has_a_volume_and_no_dose() -> None:
    away = gradient((1, 0, 0), centre_mm=(500, 0, 0))
    dvh = dvh_of(cylinder(), away)
    assert dvh.volume_cm3 == pytest.approx(16 * math.pi, rel=0.002)
    assert (dvh.mean, dvh.maximum, dvh.curve, dvh.outside_share) == (None, None, None, 1.0)
    assert dvh.dose_to(DoseAsked(95, "%")) is None


def test_holes_are_not_part_of_it_unless_asked_for() -> None:
    rings = [part for z in np.arange(-19.5, 20) for part in (circle(20, z), circle(10, z)[::-1])]
    hollow, dose = structure(*rings), gradient((0, 0, 1))
    assert dvh_of(hollow, dose).volume_cm3 == pytest.approx(12 * math.pi, rel=0.002)
    assert dvh_of(hollow, dose, combine="union").volume_cm3 == pytest.approx(16 * math.pi, rel=0.002)


def test_overlapping_contours_add_up_under_union_and_cancel_under_xor() -> None:
    pair = [part for z in np.arange(-9.5, 10) for part in (rectangle(-20, -5, 25, 10, z), rectangle(-5, -5, 25, 10, z))]
    both, dose = structure(*pair), gradient((1, 0, 0))
    assert dvh_of(both, dose, combine="union").volume_cm3 == pytest.approx(8, rel=1e-3)
    assert dvh_of(both, dose).volume_cm3 == pytest.approx(6, rel=1e-3)
    assert dvh_of(both, dose, combine="union").mean == pytest.approx(100, abs=0.05)


def test_a_keyhole_is_a_hole() -> None:
    outer, inner = circle(20)[:, :2], circle(10)[::-1, :2]
    keyhole = np.concatenate((outer, outer[:1], inner, inner[:1]))
    shape = structure(*(polygon(keyhole, z) for z in np.arange(-19.5, 20)))
    assert dvh_of(shape, gradient()).volume_cm3 == pytest.approx(12 * math.pi, rel=0.002)


def test_contours_that_are_there_twice_count_once() -> None:
    once = cylinder()
    assert dvh_of(replace(once, contours=once.contours * 2), gradient()).volume_cm3 == pytest.approx(
        16 * math.pi, rel=0.002
    )


def test_gaps_between_planes_are_left_open() -> None:
    levels = [z for z in np.arange(-19.5, 20) if abs(z) > 5]
    dvh = dvh_of(structure(*(circle(20, z) for z in levels)), gradient((0, 0, 1)))
    assert dvh.volume_cm3 == pytest.approx(0.4 * math.pi * len(levels), rel=0.002)
    assert dvh.curve is not None
    assert dvh.curve.volume_at(95.1) == pytest.approx(dvh.curve.volume_at(104.9), rel=1e-6)


def test_half_end_slabs_end_the_body_on_its_outermost_planes() -> None:
    shape = cylinder(step=2.0)
    dvh = dvh_of(shape, gradient((0, 0, 1)), end_slabs="half")
    assert dvh.volume_cm3 == pytest.approx(analyse(shape).volume_half_end_slabs_cm3, rel=1e-3)
    assert (dvh.minimum, dvh.maximum) == (pytest.approx(81, abs=0.1), pytest.approx(119, abs=0.1))


def test_a_tiny_structure_is_sampled_finely() -> None:
    tiny = structure(*(circle(1.5, z) for z in np.arange(-1.25, 1.5, 0.5)))
    dvh = dvh_of(tiny, gradient((1, 0, 0)))
    assert dvh.volume_cm3 == pytest.approx(0.00675 * math.pi, rel=1e-3)
    expected = 100 + quantile(lambda x: slab_of_disc(x, 1.5), 0.05, -1.5, 1.5)
    assert dvh.dose_to(DoseAsked(95, "%")) == pytest.approx(expected, abs=0.005)


def test_a_single_plane_without_thickness_gives_doses_to_shares_and_no_volume() -> None:
    dvh = dvh_of(structure(circle(20)), gradient((1, 0, 0)))
    assert dvh.volume_cm3 is None and dvh.mean == pytest.approx(100, abs=0.05)
    assert dvh.dose_to(DoseAsked(50, "%")) == pytest.approx(100, abs=0.05)
    assert dvh.dose_to(DoseAsked(1, "cc")) is None
    assert dvh.volume_at(VolumeAsked(100, "Gy"), None) == (None, pytest.approx(50, abs=0.3))
    assert [finding.code for finding in dvh.findings] == ["unknown_thickness"]


def test_points_have_a_dose_and_no_curve() -> None:
    made = Structure(
        2, "iso", contours=(Contour("POINT", np.array([[3.0, 4, 5]])), Contour("POINT", np.full((1, 3), 500.0)))
    )
    dvh = dvh_of(made, gradient((0, 0, 1)))
    assert [point.dose for point in dvh.points] == [pytest.approx(105), None]
    assert dvh.curve is None and dvh.maximum == pytest.approx(105)
    assert [finding.code for finding in dvh.findings] == ["outside_dose_grid"]


def test_a_structure_without_contours_says_so() -> None:
    dvh = dvh_of(Structure(4, "empty"), gradient())
    assert dvh.mean is None and [finding.code for finding in dvh.findings] == ["no_volume"]


def test_contours_that_cancel_out_enclose_nothing() -> None:
    twice = structure(*(circle(10, z) for z in (0, 0, 3, 3)), geometric_type="CLOSEDPLANAR_XOR")
    dvh = dvh_of(twice, gradient())
    assert dvh.curve is None and [finding.code for finding in dvh.findings] == ["no_volume"]


def test_another_frame_of_reference_is_told() -> None:
    dose = replace(gradient(), frame_of_reference_uid="2.25.70")
    dvh = dvh_of(replace(cylinder(), frame_of_reference_uid="2.25.71"), dose)
    assert [finding.code for finding in dvh.findings] == ["another_frame_of_reference"]


@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered:RuntimeWarning")
def test_absurd_contours_cost_no_more_than_ordinary_ones() -> None:
    needle = polygon([(0, 0), (1e-6, 1e5), (2e-6, 0)])
    zigzag = polygon(np.column_stack((np.tile([0, 50], 20_000), np.linspace(0, 1e-3, 40_000))))
    comb = polygon(np.column_stack((np.linspace(0, 1e-3, 40_000), np.tile([0, 1e4], 20_000))))
    for shape in (needle, zigzag, comb, polygon([(1e300, 0), (0, 1e300), (-1e300, -1)])):
        dvh_of(structure(shape, shape + np.array([0, 0, 3])), gradient())


def test_order_and_start_of_the_contours_change_nothing_that_matters() -> None:
    shape, dose = sphere(), gradient((1, 2, -2))
    mixed = replace(
        shape,
        contours=tuple(
            replace(each, points_mm=np.roll(each.points_mm[::-1], 17 * n, axis=0))
            for n, each in enumerate(shape.contours[::-1])
        ),
    )
    one, other = dvh_of(shape, dose), dvh_of(mixed, dose)
    assert one.volume_cm3 == pytest.approx(other.volume_cm3, rel=1e-9)
    assert one.mean == pytest.approx(other.mean, rel=1e-9)


def test_the_curve_is_read_both_ways() -> None:
    curve = Curve(np.array([0.0, 10, 20, 30]), np.array([8.0, 8, 4, 0]))
    assert (curve.dose_to(8), curve.dose_to(6), curve.dose_to(0)) == (10, 15, 30)
    assert (curve.volume_at(5), curve.volume_at(15), curve.volume_at(31)) == (8, 6, 0)
    assert curve.mean() == 20
    assert curve.resampled(5).volume.tolist() == [8, 8, 8, 6, 4, 2, 0, 0]


def test_what_is_asked_for_may_be_written_in_several_ways() -> None:
    assert [asked.name for asked in doses_asked("95, 2%,0.1cc,D50,95,1 cm3")] == [
        "D95%",
        "D2%",
        "D0.1cc",
        "D50%",
        "D1cc",
    ]
    assert [asked.name for asked in volumes_asked("20Gy,V30,50%,2000cGy,")] == ["V20Gy", "V30Gy", "V50%"]


@pytest.mark.parametrize("text", ["0", "101", "abc", "-5", "1e3", "95;96", "nan", "0cc", "20Gy"])
def test_what_is_no_volume_is_refused_by_name(text: str) -> None:
    with pytest.raises(NotAsked, match="is not a volume"):
        doses_asked(text)


@pytest.mark.parametrize("text", ["x", "5cc", "-1", "inf"])
def test_what_is_no_dose_is_refused_by_name(text: str) -> None:
    with pytest.raises(NotAsked, match="is not a dose"):
        volumes_asked(text)


def test_v_x_in_percent_needs_a_reference_dose() -> None:
    dvh = dvh_of(cylinder(), gradient((0, 0, 1)))
    assert _percent(dvh, VolumeAsked(90, "Gy"), None) == pytest.approx(75, abs=0.1)
    assert _percent(dvh, VolumeAsked(90, "%"), 100) == pytest.approx(75, abs=0.1)
    assert dvh.volume_at(VolumeAsked(90, "%"), None) is None


def _percent(dvh: Dvh, asked: VolumeAsked, reference: float | None) -> float:
    found = dvh.volume_at(asked, reference)
    assert found is not None
    return found[1]
