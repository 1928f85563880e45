"""The planes that contours lie on: their common normal, coordinates in them, which contours share one.

Patient coordinates (LPS) in mm throughout; u and v run within a plane, w along its normal, so that (u, v, w)
is right-handed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .model import Points

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]

# Contours closer than this along the normal share a plane: more than what rounding to two decimals does to
# oblique planes, less than the distance of the thinnest micro-CT slices.
PLANE_TOLERANCE_MM = 0.02
# Contours that do not lie flat, as oblique ones rounded to one decimal, scatter by as much as they bend; but no more
# than this is taken for scatter.
_MOST_SCATTER_MM = 0.3

# A normal within about 0.01 degrees of an axis is that axis: rounding of coordinates does that much.
_AXIS_COSINE = 1 - 1e-8
# A contour with less area than this share of its extent squared is a line, and gives no normal.
_DEGENERATE = 1e-6
_MOST_FITTED = 16


@dataclass(frozen=True, eq=False)
class Frame:
    """Axes of the planes: rows are the unit vectors u, v and w in patient coordinates."""

    axes: Floats

    @property
    def normal(self) -> tuple[float, float, float]:
        """The unit vector w; its largest component is positive."""
        x, y, z = (float(component) for component in self.axes[2])
        return x, y, z

    def project(self, xyz: Floats) -> tuple[Floats, Floats, Floats]:
        """Coordinates u, v, w of points whose x, y and z are the rows of `xyz`, of shape (3, N)."""
        on_axis = [int(np.argmax(axis)) for axis in self.axes]
        if np.array_equal(self.axes, np.eye(3)[on_axis]):
            # Exact, and without arithmetic: axial, sagittal and coronal planes.
            u, v, w = xyz[on_axis]
        else:
            u, v, w = self.axes @ xyz
        return u, v, w

    def patient(self, u: float, v: float, w: float) -> tuple[float, float, float]:
        """Patient coordinates of a point given in the frame."""
        x, y, z = (float(component) for component in np.array([u, v, w]) @ self.axes)
        return x, y, z


AXIAL = Frame(np.eye(3))


def frame_of(contours: Sequence[Points], extents_mm: Floats) -> Frame | None:
    """The frame of closed contours, None when all of them are points or lines.

    The normal is Newell's [1]_ of the contour with the greatest extent, where rounding matters least.

    .. [1] Sutherland, Sproull, Schumacker. A characterization of ten hidden-surface algorithms. 1974.

    Parameters
    ----------
    contours
        Their points, shape (N, 3).
    extents_mm
        The longest side of each one's bounding box.

    """
    for index in np.argsort(extents_mm, kind="stable")[::-1]:
        extent = extents_mm[index]
        normal = newell(contours[index])
        length = float(np.linalg.norm(normal))
        if extent > 0 and length > _DEGENERATE * extent**2:
            return _frame(normal / length)
    # Contours like a bow tie, whose halves take each other's area away: the plane nearest to their points.
    for index in np.argsort(extents_mm, kind="stable")[::-1][:_MOST_FITTED]:
        points = contours[index]
        with np.errstate(over="ignore", invalid="ignore"):
            scatter = np.cov(points.T)
        if np.isfinite(scatter).all():
            values, axes = np.linalg.eigh(scatter)
            if values[1] > _DEGENERATE**2 * values[2] > 0:
                return _frame(axes[:, 0])
    return None


def newell(points_mm: Points) -> Floats:
    """The vector area of a closed polygon in mm²: along its normal, as long as its area."""
    relative = points_mm - points_mm[0]
    following = np.concatenate((relative[1:], relative[:1]))
    area: Floats = np.cross(relative, following).sum(axis=0) / 2
    return area


def _frame(normal: Floats) -> Frame:
    axis = int(np.argmax(np.abs(normal)))
    if normal[axis] < 0:
        normal = -normal
    if normal[axis] > _AXIS_COSINE:
        return Frame(np.roll(np.eye(3), 2 - axis, axis=0))
    u = np.eye(3)[(axis + 1) % 3]
    u = u - (u @ normal) * normal
    u /= np.linalg.norm(u)
    return Frame(np.stack((u, np.cross(normal, u), normal)))


def group(positions_mm: Floats, bend_mm: float = 0.0) -> tuple[Integers, Floats]:
    """Which positions share a plane.

    Parameters
    ----------
    positions_mm
        Of contours along the normal.
    bend_mm
        By how much contours leave their planes as a rule.

    Returns
    -------
    plane
        For each position the index of its plane, in ascending order along the normal.
    plane_positions_mm
        The mean position of each plane.

    """
    order = np.argsort(positions_mm, kind="stable")
    ordered = positions_mm[order]
    starts = np.concatenate(([True], np.diff(ordered) > max(PLANE_TOLERANCE_MM, min(bend_mm, _MOST_SCATTER_MM))))
    plane = np.empty(len(order), dtype=np.intp)
    plane[order] = np.cumsum(starts) - 1
    first = np.flatnonzero(starts)
    # Relative to the first of the plane, so that equal positions have exactly that mean.
    offsets = np.add.reduceat(ordered - np.repeat(ordered[first], _counts(first, len(order))), first)
    return plane, ordered[first] + offsets / _counts(first, len(order))


def _counts(starts: Integers, total: int) -> Integers:
    return np.diff(np.append(starts, total))
