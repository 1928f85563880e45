"""Solids with a closed form, contoured every millimetre: volumes by every method, in every orientation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtstruct import Contour, Structure, StructureAnalysis, analyse
from rtstruct.grids import grid_around
from rtstruct.masks import mask_of
from unit.rtstruct.shapes import Points, rectangle, rotation
from unit.rtstruct.shapes import circle as circle_of

#: Half way between whole numbers, so that no plane touches a pole.
HEIGHTS = np.arange(-49.5, 50)


def circle(radius: float, z: float, centre: tuple[float, float] = (0, 0)) -> Points:
    return circle_of(radius, z, points=180, centre=centre)


def ellipse(a: float, b: float, z: float) -> Points:
    return circle(1, z) * [a, b, 1]


def radius_at(radius: float, z: float) -> float:
    return float(np.sqrt(max(radius**2 - z**2, 0)))


def sphere(radius: float) -> list[Points]:
    return [circle(radius_at(radius, z), z) for z in HEIGHTS if abs(z) < radius]


def torus(ring: float, tube: float) -> list[Points]:
    wide = [(z, radius_at(tube, z)) for z in HEIGHTS if abs(z) < tube]
    return [each for z, half in wide for each in (circle(ring + half, z), circle(ring - half, z))]


def bent_tube(radius: float) -> list[Points]:
    """An oesophagus: a tube that wanders across the planes, which it is cut by at right angles to z."""
    return [circle(radius, z, centre=(10 * np.sin(z / 15), z / 5)) for z in HEIGHTS]


#: Contours, and the volume in mm³.
SOLIDS: dict[str, tuple[list[Points], float]] = {
    "sphere": (sphere(25), 4 / 3 * np.pi * 25**3),
    "cube": ([rectangle(-20, -20, 40, 40, z) for z in HEIGHTS if abs(z) < 20], 40**3),
    "cylinder": ([circle(15, z) for z in HEIGHTS if abs(z) < 30], np.pi * 15**2 * 60),
    "ellipsoid": (
        [ellipse(30 * radius_at(1, z / 20), 15 * radius_at(1, z / 20), z) for z in HEIGHTS if abs(z) < 20],
        4 / 3 * np.pi * 30 * 15 * 20,
    ),
    "torus": (torus(25, 10), 2 * np.pi**2 * 25 * 10**2),
    "hollow sphere": ([*sphere(25), *sphere(20)], 4 / 3 * np.pi * (25**3 - 20**3)),
    "thin tube": (
        [each for z in HEIGHTS if abs(z) < 30 for each in (circle(10, z), circle(8, z))],
        np.pi * (10**2 - 8**2) * 60,
    ),
    "wandering tube": (bent_tube(3), np.pi * 3**2 * 100),
}


def drawn(contours: list[Points]) -> Structure:
    return Structure(number=1, contours=tuple(Contour("CLOSED_PLANAR", points) for points in contours))


def volume_mm3(found: StructureAnalysis) -> float:
    assert found.volume_cm3 is not None
    return found.volume_cm3 * 1000


@pytest.mark.parametrize("name", SOLIDS)
def test_a_solid_has_its_volume(name: str) -> None:
    contours, expected = SOLIDS[name]
    found = analyse(drawn(contours))
    assert volume_mm3(found) == pytest.approx(expected, rel=0.01)
    if name in ("cylinder", "cube", "thin tube", "wandering tube"):
        assert volume_mm3(found) == pytest.approx(expected, rel=1e-6)
    holes = sum(contour.hole for contour in found.contours)
    assert holes == {"torus": 20, "hollow sphere": 40, "thin tube": 60}.get(name, 0)
    assert found.findings == ()


@pytest.mark.parametrize("name", SOLIDS)
def test_a_mask_of_one_millimetre_has_its_volume(name: str) -> None:
    contours, expected = SOLIDS[name]
    # Pixel centres off the symmetry of the shapes, planes on those of the contours.
    low, high = np.concatenate(contours).min(axis=0), np.concatenate(contours).max(axis=0)
    grid = grid_around(low - 2, high + 2, (1, 1, 1))
    shifted = drawn([np.add(points, [0.31, 0.17, 0.5]) for points in contours])
    assert mask_of(shifted, grid).volume_cm3 * 1000 == pytest.approx(expected, rel=0.01)


ORIENTATIONS: dict[str, Callable[[Points], Points]] = {
    "sagittal": lambda points: points[:, [2, 0, 1]],
    "coronal": lambda points: points[:, [0, 2, 1]] * [1, 1, -1],
    "oblique": lambda points: points @ rotation((1, 2, 3)),
    "oblique, rounded as in files": lambda points: np.round(points @ rotation((-2, 1, 2)), 2),
}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("name", SOLIDS)
def test_a_turned_copy_has_the_same_volume(name: str, orientation: str) -> None:
    contours, _ = SOLIDS[name]
    axial = analyse(drawn(contours))
    turned = analyse(drawn([ORIENTATIONS[orientation](points) for points in contours]))
    assert volume_mm3(turned) == pytest.approx(volume_mm3(axial), rel=1e-3)
    assert turned.plane_count == axial.plane_count
    assert turned.plane_spacing_mm == pytest.approx(1, abs=0.01)
    assert [contour.hole for contour in turned.contours] == [contour.hole for contour in axial.contours]


PROPERTY = settings(max_examples=25, deadline=None, derandomize=True)


@st.composite
def structures(draw: st.DrawFn) -> list[Points]:
    """Stars with holes, islands and neighbours, on planes 2.5 mm apart: all that even-odd has to get right."""
    contours = []
    for plane in range(draw(st.integers(1, 3))):
        for centre in draw(st.lists(st.integers(-3, 3), min_size=1, max_size=2, unique=True)):
            radii = np.array(draw(st.lists(st.integers(50, 100), min_size=5, max_size=12))) / 10
            angles = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
            star = np.column_stack((25 * centre + np.cos(angles) * radii, 3 + np.sin(angles) * radii))
            shrinking = draw(st.sampled_from([(1.0,), (1.0, 0.5), (1.0, 0.5, 0.25)]))
            middle = np.array([25 * centre, 3])
            contours += [
                np.column_stack(((star - middle) * share + middle, np.full(len(star), 2.5 * plane)))
                for share in shrinking
            ]
    return contours


def measured(contours: list[Points]) -> tuple[list[float], list[float], list[int], float]:
    found = analyse(drawn(contours))
    areas = [plane.area_mm2 for plane in found.areas]
    perimeters = [plane.perimeter_mm for plane in found.areas]
    return areas, perimeters, [plane.contour_count for plane in found.areas], found.volume_cm3 or 0.0


def assert_same(one: list[Points], other: list[Points], either_way: bool = False) -> None:
    areas, perimeters, counts, volume = measured(one)
    again = measured(other)
    if either_way and again[0] != pytest.approx(areas, rel=1e-9):
        # Along the opposite normal.
        areas, perimeters, counts = areas[::-1], perimeters[::-1], counts[::-1]
    assert again[0] == pytest.approx(areas, rel=1e-9)
    assert again[1] == pytest.approx(perimeters, rel=1e-9)
    assert again[2] == counts
    assert again[3] == pytest.approx(volume, rel=1e-9)


@PROPERTY
@given(structures(), st.tuples(*[st.floats(-2000, 2000)] * 3))
def test_translation_changes_nothing(contours: list[Points], shift: tuple[float, float, float]) -> None:
    moved = [points + shift for points in contours]
    assert_same(contours, moved)
    centroid, again = analyse(drawn(contours)).centroid_mm, analyse(drawn(moved)).centroid_mm
    assert centroid is not None
    assert again == pytest.approx(np.add(centroid, shift), abs=1e-6)


@PROPERTY
@given(structures(), st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda normal: np.linalg.norm(normal) > 0.1))
def test_rotation_changes_nothing(contours: list[Points], normal: tuple[float, float, float]) -> None:
    turn = rotation(normal)
    assert_same(contours, [points @ turn for points in contours], either_way=True)


@PROPERTY
@given(structures(), st.randoms(use_true_random=False))
def test_the_order_of_contours_changes_nothing(contours: list[Points], random: object) -> None:
    shuffled = list(contours)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert_same(contours, shuffled)


@PROPERTY
@given(structures(), st.integers(0, 11), st.booleans())
def test_start_points_and_directions_change_nothing(contours: list[Points], start: int, backwards: bool) -> None:
    rolled = [np.roll(points, start % len(points), axis=0)[:: -1 if backwards else 1] for points in contours]
    assert_same(contours, rolled)
