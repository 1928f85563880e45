"""Contours that cross themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ..planes import Floats, Integers

# Directions that no contour follows on purpose: along the pixels' edges, thousands of edges share a coordinate.
_TURN_RADIANS = 0.3711
# Edges are tried in pairs that overlap along one axis; a hostile file could ask for billions.
_MOST_PAIRS = 20_000_000
_BLOCK = 500_000
# Nearer than this share of the edge lengths is touching: keyholes and rounding.
_TOUCHING = 1e-6


def first_crossings(contours: Sequence[Floats], axes: Floats) -> dict[int, Floats]:
    """The closed contours that cross themselves, and for each a point (start of the edge) where it does.

    Touching is not crossing: a keyhole's bridge may run along itself, and points may be there twice.

    Parameters
    ----------
    contours
        Points in mm, shape (N, 3) each.
    axes
        Shape (2, 3): unit vectors within the planes.

    """
    if not contours:
        return {}
    counts = np.array([len(points) for points in contours])
    xyz = np.concatenate(contours)
    turn = np.array([[np.cos(_TURN_RADIANS), np.sin(_TURN_RADIANS)], [-np.sin(_TURN_RADIANS), np.cos(_TURN_RADIANS)]])
    start = xyz @ (turn @ axes).T
    ends = np.cumsum(counts)
    following = np.arange(1, len(xyz) + 1)
    following[ends - 1] = ends - counts
    stop = start[following]
    owner = np.repeat(np.arange(len(contours)), counts)
    found: dict[int, Floats] = {}
    tried = 0
    for first, second in _pairs(start, stop, owner):
        tried += len(first)
        # Neighbours share a vertex.
        apart = (following[first] != second) & (following[second] != first)
        first, second = first[apart], second[apart]
        for edge in first[_cross(start, stop, first, second)].tolist():
            found.setdefault(int(owner[edge]), xyz[edge])
        if tried > _MOST_PAIRS:
            break
    return dict(sorted(found.items()))


def _pairs(start: Floats, stop: Floats, owner: Integers) -> Iterator[tuple[Integers, Integers]]:
    """Pairs of edges of one contour whose extents along the first axis overlap, in blocks."""
    # Contours are moved apart along that axis, so that one pass over all edges serves them all.
    low, high = np.minimum(start[:, 0], stop[:, 0]), np.maximum(start[:, 0], stop[:, 0])
    width = float(high.max() - low.min()) * 1.01 + 1
    low, high = low + owner * width, high + owner * width
    order = np.argsort(low, kind="stable")
    last = np.searchsorted(low[order], high[order], side="right")
    counts = np.maximum(last - np.arange(len(order)) - 1, 0)
    total = np.cumsum(counts)
    begin = 0
    while begin < len(order):
        end = max(begin + 1, int(np.searchsorted(total, (total[begin - 1] if begin else 0) + _BLOCK)))
        here = counts[begin:end]
        first = np.repeat(np.arange(begin, begin + len(here)), here)
        second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(here) - here, here)
        yield order[first], order[second]
        begin = end


def _cross(start: Floats, stop: Floats, first: Integers, second: Integers) -> npt.NDArray[np.bool_]:
    a0, a1, b0, b1 = start[first], stop[first], start[second], stop[second]
    meet = (np.minimum(a0[:, 1], a1[:, 1]) < np.maximum(b0[:, 1], b1[:, 1])) & (
        np.maximum(a0[:, 1], a1[:, 1]) > np.minimum(b0[:, 1], b1[:, 1])
    )
    crossing = np.zeros(len(first), dtype=bool)
    a0, a1, b0, b1 = a0[meet], a1[meet], b0[meet], b1[meet]
    scale = _TOUCHING * np.maximum(((a1 - a0) ** 2).sum(axis=1), ((b1 - b0) ** 2).sum(axis=1))
    sides = [_side(a0, a1, b0), _side(a0, a1, b1), _side(b0, b1, a0), _side(b0, b1, a1)]
    clear = np.logical_and.reduce([np.abs(side) > scale for side in sides])
    crossing[meet] = clear & (sides[0] * sides[1] < 0) & (sides[2] * sides[3] < 0)
    return crossing


def _side(start: Floats, stop: Floats, point: Floats) -> Floats:
    along, across = stop - start, point - start
    side: Floats = along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]
    return side
