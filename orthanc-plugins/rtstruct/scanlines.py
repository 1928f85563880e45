"""Even-odd filling of polygons on a stack of pixel planes: a pixel is inside when its centre is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .polygons import following

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]
Booleans = npt.NDArray[np.bool_]

#: Crossings of edges with rows that are looked at together: a hostile file has 1e9 of them.
_MOST_CROSSINGS = 1 << 22


@dataclass(frozen=True, eq=False)
class Edges:
    """Edges of closed polygons on numbered planes, in pixels: nought is the centre of the first one.

    Attributes
    ----------
    column, row
        Shape (2, M): the end with the lower row, then the other, so that the direction of drawing changes nothing.
    plane, polygon
        Shape (M,): which plane each lies on, and which polygon each belongs to.

    """

    column: Floats
    row: Floats
    plane: Integers
    polygon: Integers

    def chosen(self, which: Booleans) -> Edges:
        """Some of them."""
        return Edges(self.column[:, which], self.row[:, which], self.plane[which], self.polygon[which])


@dataclass(frozen=True, eq=False)
class Filled:
    """What lies inside, cut out of planes of pixels.

    Attributes
    ----------
    inside
        Shape (planes, rows, columns) of the cut-out.
    first_row, first_column
        Where it begins.

    """

    inside: Booleans
    first_row: int
    first_column: int


def edges_of(
    column: Floats, row: Floats, starts: Integers, ends: Integers, plane: Integers, whole_rows: bool = False
) -> Edges:
    """The edges of polygons stored end to end; polygon i has vertices ``starts[i] : ends[i]`` on ``plane[i]``.

    Those along a row are left out, since they cross nothing; with `whole_rows` also those between two whole rows.
    """
    # Leaving these out here spares every later step: most edges are shorter than a pixel.
    level = np.ceil(row) if whole_rows else row
    start = np.flatnonzero(level != following(level, starts, ends))
    stop = start + 1
    # From the last vertex of each polygon the way is back to its first.
    after = np.full(len(row) + 1, -1, dtype=np.intp)
    after[ends] = starts
    last = after[stop] >= 0
    stop[last] = after[stop[last]]
    down = row[start] < row[stop]
    low, high = np.where(down, start, stop), np.where(down, stop, start)
    return Edges(
        np.stack((column[low], column[high])),
        np.stack((row[low], row[high])),
        np.repeat(plane, ends - starts)[start],
        np.repeat(np.arange(len(starts)), ends - starts)[start],
    )


def fill(edges: Edges, planes: int, rows: int, columns: int, union: bool = False) -> Filled:
    """Fill the polygons of each plane, clipped to (rows, columns) pixels.

    All polygons of a plane together by the even-odd rule; or each one by it, and their `union`.

    A centre on a left or upper edge is inside, one on a right or lower edge is not, so that polygons side by side
    share no pixel.
    """
    first, last = _whole(edges.row, rows)
    met = last - first
    useful = met > 0
    if not useful.any():
        return Filled(np.zeros((planes, 0, 0), dtype=np.bool_), 0, 0)
    if not useful.all():
        return fill(edges.chosen(useful), planes, rows, columns, union)
    top, bottom = int(first.min()), int(last.max())
    # Left of the image matters, since an edge there opens what its partner closes; right of it does not.
    left, right = (int(_whole(each, columns)) for each in (edges.column.min(), edges.column.max()))
    width, height = right - left, bottom - top
    size = planes * height * (width + 1)
    depth = np.zeros(size if union else 0, dtype=np.int32)
    inside: Booleans | None = None
    chosen = np.arange(len(met))
    if union:
        # Polygon by polygon, so that no portion ends within one.
        chosen = np.argsort(edges.polygon, kind="stable")
    for part in parts(chosen, met, edges.polygon if union else None):
        counts = met[part]
        edge = np.repeat(part, counts)
        row = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts - first[part], counts)
        row0, row1, column0, column1, plane = (each[edge] for each in (*edges.row, *edges.column, edges.plane))
        crossing = column0 + (row - row0) / (row1 - row0) * (column1 - column0)
        column = np.clip(np.ceil(crossing), left, right).astype(np.intp) - left
        place = (plane * height + row - top) * (width + 1) + column
        if union:
            # Of each polygon on a line every first crossing goes in, every second out again.
            place = place[np.lexsort((column, row, edges.polygon[edge]))]
            np.add.at(depth, place[::2], 1)
            np.subtract.at(depth, place[1::2], 1)
        else:
            between = _between(np.sort(place), size)
            # What lies between crossings of all portions, each by itself, an odd number of times.
            inside = between if inside is None else np.logical_xor(inside, between, out=inside)
    # In one go: every line crosses closed polygons an even number of times, so that none begins inside.
    if inside is None:
        inside = np.add.accumulate(depth, out=depth) > 0
    return Filled(inside.reshape(planes, height, width + 1)[:, :, :width], top, left)


def _between(crossings: Integers, size: int) -> Booleans:
    """What lies between every first and second of the crossings, in ascending order; faster than adding up bytes."""
    runs = np.zeros(len(crossings) + 1, dtype=np.bool_)
    runs[1::2] = True
    return np.repeat(runs, np.diff(crossings, prepend=0, append=size))


def _whole(position: Floats | np.float64, count: int) -> Integers:
    """The first of `count` pixels whose centre is not before the position."""
    whole: Integers = np.clip(np.ceil(position), 0, count).astype(np.intp)
    return whole


def parts(edges: Integers, met: Integers, together: Integers | None = None) -> Iterator[Integers]:
    """Edges in portions that meet a bounded number of pixels together.

    Those that have the same number in `together` follow each other and stay in one portion, however large.
    """
    total = np.cumsum(met[edges])
    begin = 0
    while begin < len(edges):
        before = total[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(total, before + _MOST_CROSSINGS, side="right")))
        if together is not None and end < len(edges):
            end = int(np.searchsorted(together[edges], together[edges[end - 1]], side="right"))
        yield edges[begin:end]
        begin = end
