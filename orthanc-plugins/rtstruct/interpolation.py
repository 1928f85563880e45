"""Contours for planes that were left out between two that are there: only on request, never by default."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .grids import Grid
from .masks import mask_of
from .model import Combine, Contour, Finding, Structure
from .planes import Frame, frame_of, group
from .polygons import extremes, polygons_of
from .slabs import GAP, spacing_of
from .solid import is_closed

Floats = npt.NDArray[np.float64]

#: Planes that are added to one structure at most; gaps that would need more stay.
MOST_PLANES = 500
#: Pixels along the longer side of what is interpolated: borders come out within a thousandth of the extent.
_PIXELS = 300
_MARGIN = 3


def interpolated(structure: Structure, combine: Combine = "auto") -> tuple[Structure, tuple[Finding, ...]]:
    """A structure with the gaps between its planes filled, and what was done.

    On each missing plane lies the border where the signed distances to the borders of its two neighbours, weighted by
    how near these are, are nought: shape-based interpolation [1]_. Nothing is added beyond the first and the last
    plane, and nothing where the file tells the planes that were drawn on, since its gaps are meant.

    .. [1] Raya, Udupa. Shape-based interpolation of multidimensional objects. IEEE TMI 9 (1990) 32–42.
    """
    contours = [contour for contour in structure.contours if is_closed(contour)]
    if structure.source_spacing_mm is not None or not contours:
        return structure, ()
    points = [contour.points_mm for contour in contours]
    counts = np.array([len(each) for each in points], dtype=np.intp)
    xyz = np.concatenate(points).T.copy()
    low, high = extremes(xyz, np.cumsum(counts) - counts)
    frame = frame_of(points, (high - low).max(axis=0))
    if frame is None:
        return structure, ()
    polygons = polygons_of(xyz, counts, frame)
    plane, position = group(polygons.position, float(np.median(polygons.w_high - polygons.w_low)))
    added: list[Contour] = []
    planes = 0
    for lower, missing in _missing(position):
        if planes + len(missing) > MOST_PLANES:
            continue
        ends = [[contours[each] for each in np.flatnonzero(plane == lower + upper)] for upper in (0, 1)]
        between = (missing - position[lower]) / (position[lower + 1] - position[lower])
        added += _between(structure, ends, frame, combine, position[lower : lower + 2], between)
        planes += len(missing)
    if not added:
        return structure, ()
    message = f"ROI Number {structure.number} has {planes} planes that were interpolated between their neighbours."
    return replace(structure, contours=(*structure.contours, *added)), (Finding("interpolated_planes", message),)


def _missing(position: Floats) -> Iterator[tuple[int, Floats]]:
    """For each gap the plane below it, and where the planes are missing."""
    spacing = spacing_of(position)
    if spacing is None:
        return
    distances = np.diff(position)
    for lower in np.flatnonzero(distances > GAP * spacing).tolist():
        parts = round(min(distances[lower] / spacing, MOST_PLANES + 2))
        yield lower, np.linspace(position[lower], position[lower + 1], parts + 1)[1:-1]


def _between(
    structure: Structure,
    ends: Sequence[Sequence[Contour]],
    frame: Frame,
    combine: Combine,
    position: Floats,
    between: Floats,
) -> Iterator[Contour]:
    from scipy.ndimage import distance_transform_edt
    from skimage.measure import find_contours

    u, v, _ = frame.project(np.concatenate([each.points_mm for end in ends for each in end]).T.copy())
    pixel = max(np.ptp(u), np.ptp(v)) / _PIXELS
    columns, rows = (int(np.ptp(each) / pixel) + 2 * _MARGIN + 1 for each in (u, v))
    corner = np.array([u.min() - _MARGIN * pixel, v.min() - _MARGIN * pixel])
    distances = []
    for end, w in zip(ends, position, strict=True):
        grid = _grid(frame, corner, w, pixel, (rows, columns))
        inside = mask_of(replace(structure, contours=tuple(end)), grid, combine).values[0]
        # To the border, which lies half a pixel from the outermost centres.
        distances.append(np.where(inside, distance_transform_edt(inside) - 0.5, 0.5 - distance_transform_edt(~inside)))
    for share in between.tolist():
        w = position[0] + share * (position[1] - position[0])
        grid = _grid(frame, corner, w, pixel, (rows, columns))
        for border in find_contours((1 - share) * distances[0] + share * distances[1], 0.0):  # type: ignore[no-untyped-call]
            # The first point comes again as the last one.
            index = np.column_stack((border[:-1, ::-1], np.zeros(len(border) - 1)))
            if len(index) >= 3:
                yield Contour("CLOSED_PLANAR", grid.to_patient(index))


def _grid(frame: Frame, corner: Floats, w: float, pixel: float, shape: tuple[int, int]) -> Grid:
    origin = np.array(frame.patient(float(corner[0]), float(corner[1]), float(w)))
    return Grid(origin, frame.axes, np.array([pixel, pixel, 1.0]), (1, *shape))
