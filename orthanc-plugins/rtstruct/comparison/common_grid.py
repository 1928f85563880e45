"""One grid for several structures, in the planes of the first, and their masks on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..analysis import analyse
from ..errors import StructureSetError
from ..grids import Grid
from ..masks import Combine, mask_of
from ..model import Finding, Structure
from ..planes import Floats, frame_of
from ..sections import closed_contours
from .surfels import Booleans

# Pixels of at most 1 mm; of a 150th of the smallest structure where that is less, so that the masks of small ones are
# not coarse, down to 0.2 mm. Where slices are thick a 60th will do: finer than a fifth of a slice, pixels only cost.
_COARSEST_MM = 1.0
_FINEST_MM = 0.2
_ALONG = 150
_LEAST_ALONG = 60
_OF_SLICE = 0.2
# Slices when no structure says how far apart they are.
_SLICE_MM = 1.0
# One byte each for every mask.
MOST_VOXELS = 32_000_000

# No patient is a kilometre away from where coordinates begin; beyond, numbers overflow.
_LARGEST_MM = 1e6
_TOO_FAR = "they lie too far apart, or their planes too close together, for a grid that holds both"


class NothingToCompare(StructureSetError):
    """None of the structures encloses an area, or their common grid would be too large; the message says which."""


@dataclass(frozen=True, eq=False)
class Masks:
    """Several structures on one grid.

    Attributes
    ----------
    inside
        For each structure an array of the shape of the grid.
    findings
        What a reader should know, those of the structures' geometry first.

    """

    grid: Grid
    inside: tuple[Booleans, ...]
    findings: tuple[Finding, ...]

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Of slices, rows and columns."""
        x, y, z = (float(each) for each in self.grid.spacing_mm)
        return z, y, x


def masks_of(structures: Sequence[Structure], pixel_mm: float | None = None, combine: Combine = "auto") -> Masks:
    """Masks of structures of one frame of reference on a grid that covers them all.

    The slices are the planes of the first structure that has any, parted where another has them closer together.

    Parameters
    ----------
    structures
        At least one.
    pixel_mm
        Of the rows and columns; chosen from the structures' extents by default.

    Raises
    ------
    NothingToCompare
        If no structure encloses an area, or the grid would be too large.

    """
    grid = common_grid(structures, pixel_mm)
    made = [mask_of(structure, grid, combine, between="nearest") for structure in structures]
    expected = {"oblique_to_slices", "planes_between_slices", "slices_without_contours"}
    findings = [finding for mask in made for finding in mask.findings if finding.code not in expected]
    frames = sorted({s.frame_of_reference_uid for s in structures if s.frame_of_reference_uid})
    if len(frames) > 1:
        message = (
            f"The structures belong to {len(frames)} frames of reference ({', '.join(frames)}); they are compared as "
            "if these were the same, without any registration."
        )
        findings.insert(0, Finding("different_frames_of_reference", message))
    return Masks(grid, tuple(mask.values for mask in made), tuple(findings))


def common_grid(structures: Sequence[Structure], pixel_mm: float | None = None) -> Grid:
    """The grid of `masks_of`."""
    drawn = [closed_contours(structure) for structure in structures]
    clouds = [[contour.points_mm for contour in contours] for contours in drawn if contours]
    frames = ((cloud, frame_of(cloud, np.array([np.ptp(each, axis=0).max() for each in cloud]))) for cloud in clouds)
    frame = next((frame for _, frame in frames if frame is not None), None)
    if frame is None:
        raise NothingToCompare("none of the structures has closed contours that enclose an area")
    turned = [np.concatenate(cloud) @ frame.axes.T for cloud in clouds]
    low = np.stack([each.min(axis=0) for each in turned]).min(axis=0)
    high = np.stack([each.max(axis=0) for each in turned]).max(axis=0)
    if not (np.abs((low, high)) < _LARGEST_MM).all():
        raise NothingToCompare(_TOO_FAR)
    analyses = [analyse(structure) for structure in structures]
    parallel = [each for each in analyses if each.plane_normal and abs(np.dot(each.plane_normal, frame.normal)) > 0.999]
    spacings = [each.plane_spacing_mm for each in parallel if each.plane_spacing_mm]
    thickness = next((c.slab_thickness_mm for contours in drawn for c in contours if c.slab_thickness_mm), _SLICE_MM)
    first = parallel[0].plane_spacing_mm or min(spacings, default=thickness)
    # A tenth more is the same spacing, rounded.
    parts = max(1, int(np.ceil(first / max(min(spacings, default=first), first / 16) - 0.1)))
    slice_mm = first / parts
    smallest = min(float(np.ptp(each[:, :2], axis=0).max()) for each in turned)
    fine = max(smallest / _ALONG, min(smallest / _LEAST_ALONG, _OF_SLICE * slice_mm))
    pixel_mm = pixel_mm or float(np.clip(fine, _FINEST_MM, _COARSEST_MM))
    # The slabs of the first structure's planes, in whole parts.
    start = parallel[0].areas[0].position_mm - first / 2 + slice_mm / 2
    start -= slice_mm * (np.ceil(max(start - low[2], 0) / slice_mm) + parts)
    depth = float((high[2] - start) / slice_mm)
    if not depth < MOST_VOXELS:
        raise NothingToCompare(_TOO_FAR)
    slices = int(np.ceil(depth)) + parts + 1
    return _bounded(frame.axes, low, high, float(start), slices, slice_mm, pixel_mm)


def _bounded(
    axes: Floats, low: Floats, high: Floats, start: float, slices: int, slice_mm: float, pixel_mm: float
) -> Grid:
    extent = (high - low)[:2]
    while slices * np.prod(np.ceil(extent / pixel_mm) + 4) > MOST_VOXELS:
        pixel_mm *= 1.25
        if pixel_mm > extent.max():
            raise NothingToCompare(_TOO_FAR)
    columns, rows = (int(each) for each in np.ceil(extent / pixel_mm) + 3)
    u, v = low[:2] - pixel_mm
    origin = np.array([u, v, start]) @ axes
    return Grid(origin, axes.copy(), np.array([pixel_mm, pixel_mm, slice_mm]), (slices, rows, columns))
