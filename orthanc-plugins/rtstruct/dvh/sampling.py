"""Points spread evenly through the body of a structure, each with the volume that it stands for.

The body is the one that `analyse` measures: slabs around the contours' planes, gaps left open. Each slab is cut into
laminae, each lamina into rows along u; within a row the edges of the body are exact.

A regular lattice of points is biased: where the dose rises along one of its axes, whole layers of points change
sides at once, and D95 is off by up to half a step. Laminae, rows and points are therefore shifted within their step
by an additive low-discrepancy sequence [1]_: deterministic, evenly spread, in step with nothing.

.. [1] M. Roberts. The unreasonable effectiveness of quasirandom sequences. 2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..model import Structure
from ..planes import Floats, Frame, Integers, frame_of
from ..polygons import Polygons, extremes, within
from ..sections import Combine, closed_contours, sections_of
from ..slabs import spacing_of, thicknesses

#: Full slabs at both ends have no bias; some planning systems end the body on its outermost planes (see `slabs`).
EndSlabs = Literal["full", "half"]

# How many points a structure of any size gets: quantiles of the dose are then good to about 0.1 % of its range, and
# a structure under 1 cm³ is sampled every 0.2 mm or finer.
POINTS = 160_000

# Rows across the longest extent, and laminae in a slab, at most. Limits what thin slivers cost.
_MOST_ROWS = 400
_MOST_LAMINAE = 24
# Where rows meet edges; beyond this, rows are put further apart. Only files made to be costly get there.
_MOST_CROSSINGS = 4_000_000

_GOLDEN = 0.6180339887498949
# The plastic number's powers, the generalisation of the golden ratio to two dimensions.
_PLASTIC = (0.7548776662466927, 0.5698402909980532)


@dataclass(frozen=True, eq=False)
class Body:
    """The closed contours of a structure, on planes.

    Attributes
    ----------
    polygons
        All closed contours, projected on `frame`.
    plane, layer
        Shape (C,): for each of them the index of its plane, and of its layer (see `sections`); layer -1 does not
        count.
    low_mm, high_mm
        Shape (P,): where the slab of each plane begins and ends along the normal.
    thickness_known
        False for a single plane without Contour Slab Thickness; slabs are then without extent.

    """

    frame: Frame
    polygons: Polygons
    plane: Integers
    layer: Integers
    low_mm: Floats
    high_mm: Floats
    thickness_known: bool


@dataclass(frozen=True, eq=False)
class Samples:
    """Points within a structure: `points_mm` of shape (3, N) in patient coordinates, `volume_mm3` of shape (N,)."""

    points_mm: Floats
    volume_mm3: Floats


def body_of(structure: Structure, end_slabs: EndSlabs = "full", combine: Combine = "auto") -> Body | None:
    """The closed contours of a structure; None when nothing of it encloses an area."""
    closed = closed_contours(structure)
    if not closed:
        return None
    counts = np.array([len(contour.points_mm) for contour in closed], dtype=np.intp)
    xyz = np.concatenate([contour.points_mm for contour in closed]).T.copy()
    low, high = extremes(xyz, np.cumsum(counts) - counts)
    frame = frame_of([contour.points_mm for contour in closed], (high - low).max(axis=0))
    if frame is None:
        return None
    # Partial overlaps are found and told by `analyse`.
    sections = sections_of(closed, xyz, frame, combine, unit_mm=1.0, find_overlaps=False)
    layer = np.full(len(closed), -1, dtype=np.intp)
    for number, members in enumerate(sections.layers):
        layer[members] = number
    position_mm = sections.position
    slab_mm = np.full(len(position_mm), np.nan)
    for contour, on in zip(reversed(closed), reversed(sections.plane.tolist()), strict=True):
        if contour.slab_thickness_mm is not None:
            slab_mm[on] = contour.slab_thickness_mm
    thickness_mm = thicknesses(slab_mm, spacing_of(position_mm))
    known = not np.isnan(thickness_mm).any()
    half_mm = thickness_mm / 2 if known else np.zeros(len(position_mm))
    low_mm, high_mm = position_mm - half_mm, position_mm + half_mm
    if end_slabs == "half" and len(position_mm) > 1:
        low_mm[0], high_mm[-1] = position_mm[0], position_mm[-1]
    return Body(frame, sections.polygons, sections.plane, layer, low_mm, high_mm, known)


def samples_of(body: Body, points: int = POINTS) -> Samples:
    """Spread about `points` points through a body."""
    thickness_mm = body.high_mm - body.low_mm if body.thickness_known else np.ones(len(body.low_mm))
    counted = np.where(body.layer >= 0, np.abs(body.polygons.enclosed.area_mm2), 0.0)
    area = np.bincount(body.plane, counted, len(thickness_mm))
    volume = float((area * thickness_mm).sum())
    polygons = body.polygons
    extent = float((polygons.high.max(axis=0) - polygons.low.min(axis=0)).max())
    if volume <= 0 or extent <= 0:
        return Samples(np.zeros((3, 0)), np.zeros(0))
    # Cells as cubic as slabs permit.
    edge = (volume / points) ** (1 / 3)
    laminae = np.clip(np.rint(thickness_mm / edge), 1, _MOST_LAMINAE).astype(np.intp)
    step = float(np.sqrt((area * laminae).sum() / points))
    rows_mm = max(step, extent / _MOST_ROWS)
    met = _edges_met(body, laminae, rows_mm)
    if met > _MOST_CROSSINGS:
        rows_mm *= met / _MOST_CROSSINGS
    rows = _rows(body, laminae, rows_mm)
    start, stop, row = _inside(rows, int(body.layer.max()) + 1, extent)
    u, of = _along(start, stop, max(step, extent / (4 * _MOST_ROWS)))
    return _placed(body, rows, thickness_mm / laminae, (u, row[of.span], of.length), rows_mm)


def contains(body: Body, points_mm: Floats) -> npt.NDArray[np.bool_]:
    """Whether each of a few points, of shape (3, N), lies in the body. Takes as long as points times edges."""
    u, v, w = body.frame.axes @ points_mm
    plane = np.searchsorted(body.low_mm, w, side="right") - 1
    candidates = (plane >= 0) & (w <= body.high_mm[np.maximum(plane, 0)])
    inside = np.zeros((int(body.layer.max()) + 1, len(u)), dtype=bool)
    for each in np.unique(plane[candidates]):
        here = np.flatnonzero(candidates & (plane == each))
        for contour in np.flatnonzero((body.plane == each) & (body.layer >= 0)).tolist():
            inside[body.layer[contour], here] ^= within(body.polygons.vertices(contour), u[here], v[here])
    anywhere: npt.NDArray[np.bool_] = inside.any(axis=0)
    return anywhere


@dataclass(frozen=True, eq=False)
class _Rows:
    """Where rows meet edges of contours: `u`, `row` and `layer` of shape (X,); `v`, `plane` and `w` of each row."""

    u: Floats
    row: Integers
    layer: Integers
    v: Floats
    plane: Integers
    w_share: Floats


@dataclass(frozen=True, eq=False)
class _Origin:
    """For each point the span that it lies in and the length of the row that it stands for."""

    span: Integers
    length: Floats


def _edges_met(body: Body, laminae: Integers, rows_mm: float) -> float:
    polygons = body.polygons
    v = polygons.v
    following = _following(polygons)
    per_contour = np.add.reduceat(np.abs(v[following] - v), polygons.starts)
    return float((per_contour * laminae[body.plane]).sum() / rows_mm)


def _following(polygons: Polygons) -> Integers:
    following = np.arange(1, len(polygons.v) + 1)
    following[polygons.ends - 1] = polygons.starts
    return following


def _rows(body: Body, laminae: Integers, rows_mm: float) -> _Rows:
    polygons = body.polygons
    lowest = float(polygons.low[:, 1].min())
    count = int(np.ceil((float(polygons.high[:, 1].max()) - lowest) / rows_mm)) + 1
    lamina_starts = np.cumsum(laminae) - laminae
    lamina_plane = np.repeat(np.arange(len(laminae)), laminae)
    shift = ((np.arange(len(lamina_plane)) + 1) * _GOLDEN) % 1.0
    vertices = polygons.ends - polygons.starts
    contour = np.repeat(np.arange(len(vertices)), vertices)
    following = _following(polygons)
    u0, v0 = polygons.u, (polygons.v - lowest) / rows_mm
    # Every edge, once for each lamina of its slab.
    copies = np.where(body.layer >= 0, laminae[body.plane], 0)[contour]
    edge = np.repeat(np.arange(len(u0)), copies)
    lamina = _counting(copies) + np.repeat(lamina_starts[body.plane][contour], copies)
    # The rows of a lamina are at shift, shift + 1, …: so many lie below each end of the edge.
    below0 = np.ceil(v0[edge] - shift[lamina]).astype(np.intp)
    below1 = np.ceil(v0[following[edge]] - shift[lamina]).astype(np.intp)
    first, met = np.minimum(below0, below1), np.abs(below1 - below0)
    which = np.repeat(np.arange(len(edge)), met)
    index = _counting(met) + np.repeat(first, met)
    edge, lamina = edge[which], lamina[which]
    after = following[edge]
    share = (index + shift[lamina] - v0[edge]) / (v0[after] - v0[edge])
    row = lamina * count + index
    every = np.arange(count * len(lamina_plane))
    within = every // count
    # A second shift, of each row within the thickness of its lamina.
    depth = (every * _PLASTIC[0]) % 1.0
    return _Rows(
        u=u0[edge] + share * (u0[after] - u0[edge]),
        row=row,
        layer=body.layer[contour[edge]],
        v=lowest + (every % count + shift[within]) * rows_mm,
        plane=lamina_plane[within],
        w_share=(within - lamina_starts[lamina_plane[within]] + depth) / laminae[lamina_plane[within]],
    )


def _inside(rows: _Rows, layers: int, extent: float) -> tuple[Floats, Floats, Integers]:
    """The spans of each row that lie inside: start, stop, row."""
    start, stop, key = _paired(rows.row * layers + rows.layer, rows.u, extent)
    if layers == 1:
        return start, stop, key
    row = key // layers
    at = np.concatenate((start, stop))
    of = np.concatenate((row, row))
    change = np.concatenate((np.ones(len(start), dtype=np.intp), -np.ones(len(stop), dtype=np.intp)))
    order = np.lexsort((-change, at, of))
    depth = np.cumsum(change[order])
    opens = np.flatnonzero((depth == 1) & (change[order] == 1))
    closes = np.flatnonzero(depth == 0)
    return at[order][opens], at[order][closes], of[order][opens]


def _paired(key: Integers, u: Floats, extent: float) -> tuple[Floats, Floats, Integers]:
    if not len(u):
        return u, u, key
    # One sort instead of two: the key in the whole part, u in the fraction. Closed contours meet every row an even
    # number of times, so that pairs never run from one key into the next.
    low, span = float(u.min()), 2 * extent
    combined = np.sort(key + (u - low) / span)
    whole = np.floor(combined)
    across = low + (combined - whole) * span
    return across[::2], across[1::2], whole[::2].astype(np.intp)


def _along(start: Floats, stop: Floats, step: float) -> tuple[Floats, _Origin]:
    """Points along each span, a whole number of equal parts, each shifted within its part."""
    length = stop - start
    parts = np.maximum(np.rint(length / step), 1).astype(np.intp)
    span = np.repeat(np.arange(len(parts)), parts)
    shift = (np.arange(len(parts)) * _PLASTIC[1]) % 1.0
    part = length / parts
    u = start[span] + (_counting(parts) + shift[span]) * part[span]
    return u, _Origin(span, part[span])


def _placed(
    body: Body, rows: _Rows, lamina_mm: Floats, along: tuple[Floats, Integers, Floats], rows_mm: float
) -> Samples:
    u, row, length = along
    plane = rows.plane[row]
    w = body.low_mm[plane] + rows.w_share[row] * (body.high_mm - body.low_mm)[plane]
    points_mm = body.frame.axes.T @ np.stack((u, rows.v[row], w))
    return Samples(points_mm, length * (rows_mm * lamina_mm[plane]))


def _counting(counts: Integers) -> npt.NDArray[np.intp]:
    """0, 1, … for each count in turn."""
    ends = np.cumsum(counts)
    return np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)
