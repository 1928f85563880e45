"""Outlines of masks that lead back to the same masks: along the edges of the pixels, half a pixel from every centre.

Holes are joined to what surrounds them by a keyhole, a bridge that is walked twice (PS3.3 C.8.8.6.3), so that each
contour is one closed curve. Bridges run along the edges of pixels too: no centre lies on a contour.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from .model import Booleans

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]

# Directions of edges as (row, column): with the region to their right, in the order of right turns.
_STEPS = np.array([(0, 1), (1, 0), (0, -1), (-1, 0)])


def outlines(inside: Booleans) -> list[Floats]:
    """The closed contours of a mask of one slice.

    Parameters
    ----------
    inside
        Shape (rows, columns).

    Returns
    -------
    list of arrays
        Shape (N, 2): column and row of the corners, in pixels; whole numbers are pixel centres, corners lie halfway.
        Pixels that touch at a corner only belong to different contours.

    """
    width = inside.shape[1] + 1
    loops = _loops(inside, width)
    joined = _joined(loops, width)
    return [_corners(np.array(loop), width) for loop in joined]


def _loops(inside: Booleans, width: int) -> list[list[int]]:
    """Closed walks over corners of pixels (row * width + column), with the region to the right."""
    padded = np.pad(inside, 1)
    centre = padded[1:-1, 1:-1]
    # Whose edge is a border: the pixel's neighbour above, to the right, below, to the left is outside.
    neighbours = (padded[:-2, 1:-1], padded[1:-1, 2:], padded[2:, 1:-1], padded[1:-1, :-2])
    starts, directions = [], []
    # Where the edge of a pixel starts, in that order: its upper left, upper right, lower right, lower left corner.
    begins = ((0, 0), (0, 1), (1, 1), (1, 0))
    for towards, (neighbour, (row, column)) in enumerate(zip(neighbours, begins, strict=True)):
        rows, columns = np.nonzero(centre & ~neighbour)
        starts.append((rows + row) * width + columns + column)
        directions.append(np.full(len(rows), towards))
    start = np.concatenate(starts)
    if not len(start):
        return []
    following = _following(start, np.concatenate(directions), width)
    corners, successor = start.tolist(), following.tolist()
    walked = [False] * len(corners)
    loops = []
    for first in range(len(corners)):
        if walked[first]:
            continue
        loop = []
        edge = first
        while not walked[edge]:
            walked[edge] = True
            loop.append(corners[edge])
            edge = successor[edge]
        loops.append(loop)
    return loops


def _following(start: Integers, direction: Integers, width: int) -> Integers:
    """For each edge the next one: at a corner where two walks meet, the one of the same pixel."""
    by_corner = np.full((4, int(start.max()) + 2 * width + 2), -1, dtype=np.intp)
    by_corner[direction, start] = np.arange(len(start))
    steps = _STEPS[:, 0] * width + _STEPS[:, 1]
    end = start + steps[direction]
    following = np.full(len(start), -1, dtype=np.intp)
    # From the last choice to the first: to the left, straight on, to the right.
    for turn in (3, 0, 1):
        candidate = by_corner[(direction + turn) % 4, end]
        following = np.where(candidate >= 0, candidate, following)
    return following


def _joined(loops: list[list[int]], width: int) -> list[list[int]]:
    """Loops with holes joined to what lies to their left, one loop a part."""
    outer: list[list[int]] = []
    holes: list[list[int]] = []
    for loop in loops:
        (outer if _is_outer(loop, width) else holes).append(loop)
    if not holes:
        return outer
    owner: dict[int, list[int]] = {}
    merged: dict[int, list[int]] = {id(loop): loop for loop in loops}
    for loop in loops:
        for corner in loop:
            # Where two loops share a corner, no bridge ends: see below.
            owner[corner] = loop
    starts = sorted((min((corner % width, corner // width) for corner in hole), hole) for hole in holes)
    for (column, row), hole in starts:
        # The hole's leftmost corner, the upper one of several. All pixels around it but the hole's own are inside, and
        # so are those along the bridge: it ends where one loop passes, and one only.
        corner = row * width + column
        landing = corner - 1
        while landing not in owner:
            landing -= 1
        target = merged[id(owner[landing])]
        at, begin = target.index(landing), hole.index(corner)
        bridged = [*target[: at + 1], *hole[begin:], *hole[: begin + 1], *target[at:]]
        target[:] = bridged
        for other in [key for key, loop in merged.items() if loop is hole]:
            merged[other] = target
    return outer


def _is_outer(loop: list[int], width: int) -> bool:
    corners = np.array(loop)
    x, y = corners % width, corners // width
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) > 0


def _corners(loop: Integers, width: int) -> Floats:
    """Where the walk turns, in pixels."""
    before, after = np.roll(loop, 1), np.roll(loop, -1)
    turns = (after - loop) != (loop - before)
    kept = loop[turns]
    return np.column_stack((kept % width, kept // width)) - 0.5


def outlines_by_slice(inside: Booleans) -> Iterator[tuple[int, list[Floats]]]:
    """The contours of each slice that has any; shape (slices, rows, columns)."""
    for index in np.flatnonzero(inside.any(axis=(1, 2))).tolist():
        yield index, outlines(inside[index])
