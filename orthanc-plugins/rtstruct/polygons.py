"""Areas, moments and extents of many contours at once, stored end to end."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .planes import Frame

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Enclosed:
    """What each of many contours encloses; all of shape (C,).

    Attributes
    ----------
    area_mm2
        Signed, positive when counter-clockwise seen against the normal. Where a contour meets or crosses itself, each
        part counts as often as it is wound around, unless `measure.untangled` mends that.
    moment_u, moment_v
        The integrals of u and v over each contour, in mm³, signed as the area is.
    perimeter_mm
        Of the closed contours.

    """

    area_mm2: Floats
    moment_u: Floats
    moment_v: Floats
    perimeter_mm: Floats


@dataclass(frozen=True, eq=False)
class Polygons:
    """Contours on parallel planes: contour i has the vertices ``starts[i] : ends[i]``. Coordinates in mm.

    Attributes
    ----------
    u, v
        Shape (M,): all vertices, end to end.
    position
        Shape (C,): of each contour along the normal, midway between its extremes.
    w_low, w_high
        Shape (C,): the extremes of each contour along the normal, equal when it lies on one of the planes.
    low, high
        Shape (C, 2): the corners of the bounding boxes in u and v.
    mended
        What they enclose, where that is known better than by the shoelace formula.

    """

    u: Floats
    v: Floats
    starts: Integers
    ends: Integers
    position: Floats
    w_low: Floats
    w_high: Floats
    low: Floats
    high: Floats
    mended: Enclosed | None = None

    @cached_property
    def enclosed(self) -> Enclosed:
        """As if all of them were closed. Measured when it is asked for: to fill them it need not be known."""
        return self.mended or _shoelace(self.u, self.v, self.starts, self.ends)

    def vertices(self, index: int) -> tuple[Floats, Floats]:
        """The coordinates u and v of one contour."""
        span = slice(self.starts[index], self.ends[index])
        return self.u[span], self.v[span]


def polygons_of(xyz: Floats, counts: Integers, frame: Frame) -> Polygons:
    """Project contours.

    Parameters
    ----------
    xyz
        Shape (3, M): the points of all contours, end to end.
    counts
        Shape (C,): the number of points of each, never nought.
    frame
        The planes to project on.

    """
    ends = np.cumsum(counts)
    starts = ends - counts
    u, v, w = frame.project(xyz)
    w_low, w_high = extremes(w, starts)
    u_low, u_high = extremes(u, starts)
    v_low, v_high = extremes(v, starts)
    return Polygons(
        u=u,
        v=v,
        starts=starts,
        ends=ends,
        position=w_low + (w_high - w_low) / 2,
        w_low=w_low,
        w_high=w_high,
        low=np.stack((u_low, v_low), axis=1),
        high=np.stack((u_high, v_high), axis=1),
    )


def extremes(values: Floats, starts: Integers) -> tuple[Floats, Floats]:
    """The least and the greatest value of each contour, along the last axis."""
    return np.minimum.reduceat(values, starts, axis=-1), np.maximum.reduceat(values, starts, axis=-1)


def _shoelace(u: Floats, v: Floats, starts: Integers, ends: Integers) -> Enclosed:
    counts = ends - starts
    # Relative to each polygon's first vertex: far from the origin the products would lose digits.
    u0, v0 = u[starts], v[starts]
    u = u - np.repeat(u0, counts)
    v = v - np.repeat(v0, counts)
    u_next, v_next = following(u, starts, ends), following(v, starts, ends)
    # In place from here on: what is too large for the processor's cache costs more than the sums.
    squared, work = u_next - u, v_next - v
    squared *= squared
    work *= work
    squared += work
    perimeter = np.add.reduceat(np.sqrt(squared, out=squared), starts)
    cross = np.multiply(u, v_next, out=squared)
    cross -= np.multiply(u_next, v, out=work)
    area = np.add.reduceat(cross, starts) / 2
    u += u_next
    u *= cross
    v += v_next
    v *= cross
    moment_u = np.add.reduceat(u, starts) / 6 + u0 * area
    moment_v = np.add.reduceat(v, starts) / 6 + v0 * area
    return Enclosed(area, moment_u, moment_v, perimeter)


def following[Values: npt.NDArray[Any]](values: Values, starts: Integers, ends: Integers) -> Values:
    """Of each vertex the value of the one that follows it in its contour, the first after the last."""
    shifted: Values = np.empty_like(values)
    shifted[:-1] = values[1:]
    shifted[ends - 1] = values[starts]
    return shifted


def wrapped(vertices: Floats) -> Floats:
    """Of each vertex of one contour the one that follows it; np.roll takes twenty times as long."""
    return np.concatenate((vertices[1:], vertices[:1]))


def within(polygon: tuple[Floats, Floats], u: Floats, v: Floats) -> npt.NDArray[np.bool_]:
    """Which of a few points lie within a polygon, by the even-odd rule."""
    u0, v0 = polygon
    u1, v1 = wrapped(u0), wrapped(v0)
    straddles = (v0 > v[:, None]) != (v1 > v[:, None])
    # Horizontal edges straddle nothing; any divisor will do for them.
    rise = np.where(v1 == v0, 1.0, v1 - v0)
    right = u0 + (v[:, None] - v0) * ((u1 - u0) / rise) > u[:, None]
    odd: npt.NDArray[np.bool_] = (straddles & right).sum(axis=1) % 2 == 1
    return odd
