"""How much of each pixel the contours of a structure cover, plane by plane, on a grid made for the structure.

Coverage knows where an edge runs within a pixel, so that a coarse grid gives a fine surface.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..model import Structure
from ..planes import PLANE_TOLERANCE_MM, Floats, Frame, Integers, frame_of
from ..polygons import Polygons, extremes
from ..scanlines import Edges, edges_of
from ..sections import Combine, closed_contours, sections_of
from ..slabs import spacing_of
from .model import NoSurface

# Pixels along the longest side of a structure: a trunk at 8 mm. Edges lie within a tenth of a pixel all the same.
_ALONG = 48
# Finer than half the distance of planes, steps between planes are all that would be resolved better.
_OF_SPACING = 0.5
# Pixels across what is thin, by area over half the perimeter: the radius of a circle, the width of a strip.
_ACROSS = 4
_LEAST_ACROSS = 3
_LEAST_PIXEL_MM = 0.05
# When triangles are to be taken away later: how many times as many are made.
_SPARE = 2.0
# Scan lines in a pixel; along them coverage is exact.
_LINES = 8
# Bounds of memory and time for files made to be costly: 64 MB of coverage, 240 MB of crossings.
MOST_VOXELS = 16_000_000
MOST_CROSSINGS = 30_000_000
# No patient is a kilometre away from where coordinates begin; beyond, numbers overflow.
_LARGEST_MM = 1e6
# Planes further apart than this many spacings have a gap between them, as in `slabs`.
_GAP = 1.5
# Empty pixels around everything.
_MARGIN = 2


@dataclass(frozen=True, eq=False)
class Coverage:
    """The covered share of pixels on planes.

    Attributes
    ----------
    values
        Shape (planes, v, u), 0…1, empty at all six sides. Planes without contours stand at the ends, and on
        both sides of a gap.
    frame
        The directions u, v and w of the axes.
    position_mm
        Shape (planes,): of each along w.
    origin_mm
        u and v of the centre of the first pixel.
    pixel_mm
        The distance of pixels in both directions.

    """

    values: npt.NDArray[np.float32]
    frame: Frame
    position_mm: Floats
    origin_mm: tuple[float, float]
    pixel_mm: float

    @property
    def volume_mm3(self) -> float:
        """Covered area times thickness, each plane reaching half way to its neighbours: full slabs at the ends."""
        thickness_mm = (self.position_mm[2:] - self.position_mm[:-2]) / 2
        area = self.values[1:-1].sum(axis=(1, 2), dtype=np.float64) * self.pixel_mm**2
        return float((area * thickness_mm).sum())

    def patient(self, index: Floats) -> Floats:
        """Patient coordinates (LPS, mm) of points given by their indices (plane, v, u), shape (N, 3)."""
        along = np.interp(index[:, 0], np.arange(len(self.position_mm)), self.position_mm)
        u = self.origin_mm[0] + self.pixel_mm * index[:, 2]
        v = self.origin_mm[1] + self.pixel_mm * index[:, 1]
        points: Floats = np.stack((u, v, along), axis=1) @ self.frame.axes
        return points


def coverage_of(
    structure: Structure, pixel_mm: float | None = None, triangles: int | None = None, combine: Combine = "auto"
) -> Coverage:
    """The coverage of a structure's closed contours.

    Parameters
    ----------
    structure
        With contours on parallel planes of any direction.
    pixel_mm
        The distance of pixels; by default as fine as extent and thickness of the structure ask for.
    triangles
        How many triangles are wanted in the end: no finer than serves them.
    combine
        How contours on one plane are taken together.

    Raises
    ------
    NoSurface
        If nothing is enclosed, the thickness of a single plane is unknown, or there are more planes and
        points than can be meshed.

    """
    contours = closed_contours(structure)
    if not contours:
        raise NoSurface(f"ROI Number {structure.number} has no closed contours")
    counts = np.array([len(contour.points_mm) for contour in contours], dtype=np.intp)
    xyz = np.concatenate([contour.points_mm for contour in contours]).T.copy()
    low, high = extremes(xyz, np.cumsum(counts) - counts)
    if not (np.abs((low, high)) < _LARGEST_MM).all():
        raise NoSurface(f"ROI Number {structure.number} reaches further than a kilometre")
    frame = frame_of([contour.points_mm for contour in contours], (high - low).max(axis=0))
    if frame is None:
        raise NoSurface(f"ROI Number {structure.number} has closed contours, but all are lines or single points")
    sections = sections_of(contours, xyz, frame, combine, unit_mm=1.0)
    polygons, position_mm = sections.polygons, sections.position
    thickness_mm = spacing_of(position_mm) or next((c.slab_thickness_mm for c in contours if c.slab_thickness_mm), None)
    if thickness_mm is None:
        raise NoSurface(f"ROI Number {structure.number} lies on one plane and has no Contour Slab Thickness")
    position_mm, row = _with_ends(position_mm, thickness_mm)
    low, high = polygons.low.min(axis=0), polygons.high.max(axis=0)
    extent_mm = high - low
    pixel_mm = _bounded(
        pixel_mm or _pixel_mm(polygons, sections.plane, extent_mm, thickness_mm, triangles), extent_mm, len(position_mm)
    )
    # Off the round numbers that contours like: an edge right through pixel centres leaves exactly half of each.
    origin = low - (_MARGIN - 0.137) * pixel_mm
    columns, rows = (np.ceil(extent_mm / pixel_mm).astype(int) + 2 * _MARGIN).tolist()
    shape = (len(position_mm), rows, columns)
    values = np.zeros(shape, dtype=np.float32)
    # Pixel 0 has its centre at the origin; scan lines stand _LINES to a pixel, the first half a line from its edge.
    column = (polygons.u - origin[0]) / pixel_mm
    line = ((polygons.v - origin[1]) / pixel_mm + 0.5) * _LINES - 0.5
    for layer in sections.layers:
        plane = np.full(len(counts), -1, dtype=np.intp)
        plane[layer] = row[sections.plane[layer]]
        edges = edges_of(column, line, polygons.starts, polygons.ends, plane)
        np.maximum(values, _covered(edges, shape, structure.number), out=values)
    return Coverage(values, frame, position_mm, (float(origin[0]), float(origin[1])), pixel_mm)


def _with_ends(position_mm: Floats, spacing_mm: float) -> tuple[Floats, Integers]:
    """Add the empty planes that close the surface half a spacing beyond; and where each plane has gone."""
    gaps = np.diff(position_mm)
    wide = np.flatnonzero(gaps > _GAP * spacing_mm)
    reach_mm = np.minimum(spacing_mm, gaps[wide] / 2)
    ends = np.concatenate(([position_mm[0] - spacing_mm, position_mm[-1] + spacing_mm], position_mm[wide] + reach_mm))
    before = position_mm[wide + 1] - reach_mm
    # In a gap of less than two spacings both are one.
    before = before[before - ends[2:] > PLANE_TOLERANCE_MM]
    everything = np.concatenate((position_mm, ends, before))
    order = np.argsort(everything, kind="stable")
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order))
    return everything[order], place[: len(position_mm)]


def _pixel_mm(
    polygons: Polygons, plane: Integers, extent_mm: Floats, spacing_mm: float, triangles: int | None
) -> float:
    following = np.arange(1, len(polygons.u) + 1)
    following[polygons.ends - 1] = polygons.starts
    length = np.hypot(polygons.u[following] - polygons.u, polygons.v[following] - polygons.v)
    perimeter = np.add.reduceat(length, polygons.starts)
    width = _width_mm(polygons, plane, perimeter)
    coarse = max(float(extent_mm.max()) / _ALONG, _OF_SPACING * spacing_mm)
    fine = max(min(coarse, width / _ACROSS), _LEAST_PIXEL_MM)
    if triangles is None:
        return fine
    # Marching cubes makes about three triangles for each pixel that an edge runs through.
    enough = 3 * float(perimeter.sum()) / (_SPARE * triangles)
    return max(fine, min(enough, width / _LEAST_ACROSS))


def _width_mm(polygons: Polygons, plane: Integers, perimeter: Floats) -> float:
    """The typical width: area over half the perimeter, what lies within the largest contour of a plane taken off."""
    area = np.abs(polygons.enclosed.area_mm2)
    largest = np.zeros(plane.max() + 1, dtype=np.intp)
    order = np.argsort(area, kind="stable")
    largest[plane[order]] = order
    around = largest[plane]
    within = (polygons.low >= polygons.low[around]) & (polygons.high <= polygons.high[around])
    sign = np.where(within.all(axis=1) & (around != np.arange(len(area))), -1.0, 1.0)
    # What only seems to lie within must not leave nothing.
    net = np.maximum(np.bincount(plane, sign * area), 0.1 * np.bincount(plane, area))
    total = np.bincount(plane, perimeter)
    worth = total > 0
    # By perimeter, so that the typical contour counts and not the tip of a cone.
    return float(2 * net[worth].sum() / total[worth].sum())


def _bounded(pixel_mm: float, extent_mm: Floats, planes: int) -> float:
    while np.prod(np.ceil(extent_mm / pixel_mm) + 2 * _MARGIN) * planes > MOST_VOXELS:
        pixel_mm *= 1.25
        if pixel_mm > extent_mm.max():
            raise NoSurface(f"{planes} planes are more than can be meshed")
    return pixel_mm


def _covered(edges: Edges, shape: tuple[int, int, int], number: int) -> npt.NDArray[np.float32]:
    """Columns in pixels, rows in scan lines; edges of plane -1 are left out."""
    planes, rows, columns = shape
    (v0, v1), (u0, u1) = edges.row, edges.column
    first = np.ceil(v0).astype(np.int64)
    met = np.where(edges.plane < 0, 0, np.ceil(v1).astype(np.int64) - first)
    total = int(met.sum())
    if total > MOST_CROSSINGS:
        raise NoSurface(f"ROI Number {number} has {len(v0)} points that run to and fro, more than can be meshed")
    edge = np.repeat(np.arange(len(met)), met)
    line = np.arange(total) - np.repeat(np.cumsum(met) - met - first, met)
    # From here on pixel j reaches from j to j + 1.
    crossing = (u0 + 0.5)[edge] + (line - v0[edge]) * ((u1 - u0) / (v1 - v0))[edge]
    # Sorted by line, then along it: one number for both, exact to a millionth of a pixel for any grid allowed.
    stride = columns + 1
    key = (edges.plane[edge] * (rows * _LINES) + line) * float(stride) + crossing
    key.sort()
    line = (key / stride).astype(np.int64)
    crossing = key - line * float(stride)
    # On every line contours are entered and left in turn. From a crossing on all pixels are covered, itself in part.
    pixel = crossing.astype(np.int64)
    beyond = crossing - pixel
    sign = np.where(np.arange(total) % 2, -1.0, 1.0)
    start = (line // _LINES) * stride + pixel
    size = planes * rows * stride
    steps = np.bincount(start, sign * (1 - beyond), size) + np.bincount(start + 1, sign * beyond, size)
    covered = np.cumsum(steps.reshape(planes, rows, stride), axis=2)[:, :, :columns] / _LINES
    return covered.astype(np.float32)
