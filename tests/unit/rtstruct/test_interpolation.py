"""Missing planes are filled on request alone, between what is there and in its shape."""

from __future__ import annotations

import numpy as np
import pytest

from rtstruct import Contour, Structure, analyse
from rtstruct.interpolation import interpolated
from unit.rtstruct.shapes import Points, circle, rotation, structure


def volume_cm3(drawn: Structure) -> float:
    found = analyse(drawn).volume_cm3
    assert found is not None
    return found


def sphere(heights: np.ndarray[tuple[int], np.dtype[np.float64]], missing: tuple[int, ...] = ()) -> list[Points]:
    return [circle(np.sqrt(30**2 - z**2), z, 200) for number, z in enumerate(heights) if number not in missing]


HEIGHTS = np.arange(-28.5, 30, 3)
MISSING = (5, 9, 10, 14)


@pytest.mark.parametrize("normal", [(0, 0, 1), (0, 1, 0), (1, 2, 3)], ids=["axial", "coronal", "oblique"])
def test_a_sphere_gets_its_volume_back(normal: tuple[int, int, int]) -> None:
    turn = rotation(normal)
    whole = structure(*[points @ turn for points in sphere(HEIGHTS)])
    lacking = structure(*[points @ turn for points in sphere(HEIGHTS, MISSING)])
    filled, (finding,) = interpolated(lacking)
    assert volume_cm3(lacking) < 0.8 * volume_cm3(whole)
    assert volume_cm3(filled) == pytest.approx(volume_cm3(whole), rel=0.01)
    assert analyse(filled).plane_count == len(HEIGHTS)
    assert finding.code == "interpolated_planes"
    assert "4 planes" in finding.message


def test_holes_stay_holes() -> None:
    ring = [each for z in (0, 3, 12, 15) for each in (circle(20, z, 200), circle(10, z, 200))]
    filled, _ = interpolated(structure(*ring))
    assert [plane.area_mm2 for plane in analyse(filled).areas] == pytest.approx([np.pi * 300] * 6, rel=0.005)


def test_what_is_there_stays_as_it_is() -> None:
    lacking = structure(*sphere(HEIGHTS, MISSING))
    filled, _ = interpolated(lacking)
    assert filled.contours[: len(lacking.contours)] == lacking.contours
    assert {contour.geometric_type for contour in filled.contours} == {"CLOSED_PLANAR"}


def test_nothing_is_added_where_nothing_is_missing_or_all_is_meant() -> None:
    whole = structure(*sphere(HEIGHTS))
    assert interpolated(whole) == (whole, ())
    meant = Structure(
        number=1,
        source_spacing_mm=3,
        contours=tuple(Contour("CLOSED_PLANAR", points) for points in sphere(HEIGHTS, MISSING)),
    )
    assert interpolated(meant) == (meant, ())
    for alone in (structure(), structure(circle(5)), structure(circle(5), geometric_type="OPEN_PLANAR")):
        assert interpolated(alone) == (alone, ())


def test_gaps_that_would_need_thousands_of_planes_stay() -> None:
    far = structure(*[circle(5, z, 20) for z in (0, 0.1, 0.2, 1e6, 1e6 + 0.1)])
    assert interpolated(far) == (far, ())
