"""Which contours of a plane are holes in others, by the even-odd rule.

A point belongs to a structure when it lies within an odd number of its contours on the plane. That is what
CLOSEDPLANAR_XOR says, what nested CLOSED_PLANAR contours mean in practice, and right for keyholes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .measure import MOST_CROSSINGS, measure
from .planes import Integers
from .polygons import Polygons, within, wrapped

Booleans = npt.NDArray[np.bool_]

# Beyond this the search for holes stops, so that a hostile file cannot keep a worker busy for hours.
MOST_PAIRS = 20_000
MOST_VERTICES = 20_000_000
MOST_ON_A_PLANE = 4_096

# Less of the smaller contour inside the other, or less of it outside, is touching and not overlapping.
_TOUCHING = 1e-3
# How many points of the smaller contour are tried before looking closer.
_SAMPLES = 16
_MOST_EDGE_PAIRS = 100_000


@dataclass(frozen=True, eq=False)
class Nesting:
    """How the contours of one structure lie within each other.

    Attributes
    ----------
    depth
        Shape (C,): within how many other contours.
    hole
        Shape (C,): within an odd number.
    overlapping
        Pairs that overlap in part, and the area in mm² that they share.
    complete
        False when the search stopped at one of the limits above.

    """

    depth: Integers
    overlapping: tuple[tuple[int, int, float], ...]
    complete: bool

    @property
    def hole(self) -> Booleans:
        odd: Booleans = self.depth % 2 == 1
        return odd


def nesting_of(polygons: Polygons, members: Integers, plane: Integers) -> Nesting:
    """Compare all contours that share a plane and whose bounding boxes meet.

    Parameters
    ----------
    polygons
        All contours of a structure.
    members
        Those of them to compare.
    plane
        For each member the index of its plane.

    """
    depth = np.zeros(len(polygons.starts), dtype=np.intp)
    overlapping: list[tuple[int, int, float]] = []
    pairs, complete = _candidates(polygons, members, plane)
    crossings = 0
    for smaller, larger in pairs:
        if crossings > MOST_CROSSINGS:
            complete = False
            break
        shared, crossed = _shared(polygons, smaller, larger)
        crossings += crossed
        area = abs(float(polygons.enclosed.area_mm2[smaller]))
        if shared > (1 - _TOUCHING) * area:
            depth[smaller] += 1
        elif shared > _TOUCHING * area:
            overlapping.append((smaller, larger, shared))
    return Nesting(depth=depth, overlapping=tuple(overlapping), complete=complete)


def _candidates(polygons: Polygons, members: Integers, plane: Integers) -> tuple[list[tuple[int, int]], bool]:
    areas = np.abs(polygons.enclosed.area_mm2)
    vertices = polygons.ends - polygons.starts
    pairs: list[tuple[int, int]] = []
    work = 0
    crowds = np.bincount(plane)
    complete = bool((crowds <= MOST_ON_A_PLANE).all())
    for index in np.flatnonzero((crowds > 1) & (crowds <= MOST_ON_A_PLANE)):
        same_plane = members[plane == index]
        low, high = polygons.low[same_plane], polygons.high[same_plane]
        for nth, one in enumerate(same_plane[:-1]):
            later = slice(nth + 1, None)
            meet = ((low[later] < high[nth]) & (high[later] > low[nth])).all(axis=1)
            others = same_plane[later][meet]
            work += int(vertices[others].sum() + vertices[one] * len(others))
            if len(pairs) + len(others) > MOST_PAIRS or work > MOST_VERTICES:
                return pairs, False
            for other in others:
                smaller, larger = sorted((int(one), int(other)), key=lambda each: areas[each])
                pairs.append((smaller, larger))
    return pairs, complete


def _shared(polygons: Polygons, smaller: int, larger: int) -> tuple[float, int]:
    """The area in mm² that two contours share, and how many crossings of scan lines it took to know."""
    area = abs(float(polygons.enclosed.area_mm2[smaller]))
    inside = _samples_inside(polygons, smaller, larger)
    if inside.all() != inside.any() or _edges_cross(polygons, smaller, larger):
        together = measure([polygons.vertices(smaller), polygons.vertices(larger)])
        return (area + abs(float(polygons.enclosed.area_mm2[larger])) - together.area) / 2, together.crossings
    return (area if inside.all() else 0.0), 0


def _samples_inside(polygons: Polygons, smaller: int, larger: int) -> Booleans:
    u, v = polygons.vertices(smaller)
    chosen = np.unique(np.linspace(0, len(u) - 1, _SAMPLES).astype(np.intp))
    following = (chosen + 1) % len(u)
    u, v = ((each[chosen] + each[following]) / 2 for each in (u, v))
    return within(polygons.vertices(larger), u, v)


def _edges_cross(polygons: Polygons, one: int, other: int) -> bool:
    low = np.maximum(polygons.low[one], polygons.low[other])
    high = np.minimum(polygons.high[one], polygons.high[other])
    a0, a1 = _edges_within(polygons, one, low, high)
    b0, b1 = _edges_within(polygons, other, low, high)
    if len(a0) * len(b0) > _MOST_EDGE_PAIRS:
        # Too many to try all; the area that they share is the cheaper question.
        return True
    a0, a1 = a0[:, None], a1[:, None]
    apart = _side(a0, a1, b0) * _side(a0, a1, b1) < 0
    return bool((apart & (_side(b0, b1, a0) * _side(b0, b1, a1) < 0)).any())


def _edges_within(
    polygons: Polygons, index: int, low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    start = np.stack(polygons.vertices(index), axis=1)
    stop = wrapped(start)
    near = ((np.minimum(start, stop) <= high) & (np.maximum(start, stop) >= low)).all(axis=1)
    return start[near], stop[near]


def _side(
    start: npt.NDArray[np.float64], stop: npt.NDArray[np.float64], point: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    along, across = stop - start, point - start
    side: npt.NDArray[np.float64] = along[..., 0] * across[..., 1] - along[..., 1] * across[..., 0]
    return side
