"""Where the images of a series lie, without their pixels, and which of them each contour belongs to.

Patient coordinates (LPS) in mm. PS3.3 C.7.6.2 (Image Plane) and C.7.6.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .model import Contour
from .planes import Floats, Integers

Vector = tuple[float, float, float]

# Normals closer than this cosine are the same: orientations are written with six decimals.
_PARALLEL = 1 - 1e-5
# Images nearer to each other lie on one plane: the phases or frames of a series.
_SAME_PLANE_MM = 1e-3
# Half of it is how far a contour may lie off the only image of a series when that has no Slice Thickness.
_LONE_SPACING_MM = 1.0


@dataclass(frozen=True)
class ImagePlane:
    """One image.

    Attributes
    ----------
    position_mm
        Image Position (Patient): the centre of the first pixel.
    row, column
        Image Orientation (Patient): unit vectors along a row (rising column index) and along a column.

    """

    sop_instance_uid: str
    sop_class_uid: str
    position_mm: Vector
    row: Vector
    column: Vector


@dataclass(frozen=True)
class ImageSeries:
    """The images of one series; all have the same size and pixels.

    Attributes
    ----------
    pixel_spacing_mm
        Between rows, and between columns; None when the images do not say.
    slice_thickness_mm
        Slice Thickness; used where there is a single image only.

    """

    series_instance_uid: str
    study_instance_uid: str
    modality: str
    frame_of_reference_uid: str | None
    planes: tuple[ImagePlane, ...]
    rows: int = 0
    columns: int = 0
    pixel_spacing_mm: tuple[float, float] | None = None
    slice_thickness_mm: float | None = None

    @cached_property
    def stacks(self) -> tuple[Stack, ...]:
        """The images by orientation: one stack but for localisers and the like."""
        return tuple(_stacks(self))

    def __hash__(self) -> int:
        return hash(self.series_instance_uid)


@dataclass(frozen=True, eq=False)
class Stack:
    """Parallel images in ascending order along their normal.

    Attributes
    ----------
    members
        Shape (P,): indices into the planes of the series.
    positions_mm
        Shape (P,): along the normal.
    spacing_mm
        The median distance of neighbouring planes.

    """

    normal: Floats
    members: Integers
    positions_mm: Floats
    spacing_mm: float


@dataclass(frozen=True, eq=False)
class Matches:
    """For each of C contours the image nearest to it.

    Attributes
    ----------
    plane
        Shape (C,): an index into the planes of the series, -1 when the series has none parallel to the contour.
    offset_mm
        Shape (C,): how far the contour's farthest point is from that plane; infinite without one.
    within
        Shape (C,): not farther than half a spacing.

    """

    plane: Integers
    offset_mm: Floats
    within: npt.NDArray[np.bool_]


def match(contours: Sequence[Contour], series: ImageSeries) -> Matches:
    """Find the image of each contour by projection on the normal of the images; UIDs play no part.

    A contour belongs to the nearest plane when all of its points lie within half a spacing of it.
    """
    count = len(contours)
    plane = np.full(count, -1, dtype=np.intp)
    offset_mm = np.full(count, np.inf)
    within = np.zeros(count, dtype=bool)
    if not count:
        return Matches(plane, offset_mm, within)
    xyz = np.concatenate([contour.points_mm for contour in contours])
    lengths = np.array([len(contour.points_mm) for contour in contours])
    starts = np.cumsum(lengths) - lengths
    for stack in series.stacks:
        along = xyz @ stack.normal
        low, high = np.minimum.reduceat(along, starts), np.maximum.reduceat(along, starts)
        nearest = _nearest(stack.positions_mm, (low + high) / 2)
        at = stack.positions_mm[nearest]
        farthest = np.maximum(np.abs(low - at), np.abs(high - at))
        better = farthest < offset_mm
        plane[better] = stack.members[nearest[better]]
        offset_mm[better] = farthest[better]
        # Rounded coordinates halfway between two images belong to either.
        within[better] = (farthest <= stack.spacing_mm / 2 * (1 + 1e-6))[better]
    return Matches(plane, offset_mm, within)


def _nearest(positions: Floats, wanted: Floats) -> Integers:
    right = np.clip(np.searchsorted(positions, wanted), 1, max(1, len(positions) - 1))
    if len(positions) == 1:
        return np.zeros(len(wanted), dtype=np.intp)
    left = right - 1
    return np.where(np.abs(wanted - positions[left]) <= np.abs(wanted - positions[right]), left, right)


def _stacks(series: ImageSeries) -> Iterator[Stack]:
    if not series.planes:
        return
    normals = np.cross([each.row for each in series.planes], [each.column for each in series.planes])
    lengths = np.linalg.norm(normals, axis=1)
    usable = lengths > 0.5
    normals[usable] /= lengths[usable, None]
    positions = np.array([each.position_mm for each in series.planes])
    left = np.flatnonzero(usable)
    while len(left):
        normal = normals[left[0]]
        parallel = np.abs(normals[left] @ normal) > _PARALLEL
        members, left = left[parallel], left[~parallel]
        along = positions[members] @ normal
        order = np.argsort(along, kind="stable")
        distances = np.diff(along[order])
        distances = distances[distances > _SAME_PLANE_MM]
        spacing = float(np.median(distances)) if len(distances) else series.slice_thickness_mm or _LONE_SPACING_MM
        yield Stack(normal, members[order], along[order], spacing)
