"""Masks: which voxels of a grid have their centre in a structure, or how much of each voxel lies in it.

Contours meet slices by geometry, never by the UIDs they name, which are often wrong in practice. Arrays cover the
box around the structure alone: sixty masks of a CT would not fit into memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from .grids import Grid
from .model import Finding, Structure
from .oblique import Box, sample
from .planes import AXIAL, Integers
from .scanlines import Filled, edges_of, fill
from .sections import Combine, Sections, closed_contours, nearest_plane, overlap_findings, sections_of

__all__ = ["Between", "Combine", "Coverage", "Mask", "coverage_of", "mask_of"]

Booleans = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

#: What slices show that have no contours of their own within half a slice: nothing, or the nearest contours within half
#: the spacing of the contours (the solid that the volume is of), for grids that are finer than the contours.
Between = Literal["empty", "nearest"]

#: Contours that lean by more than this share of a slice (most of them) are not on the planes of the grid.
_LEANING = 0.25
#: Contours may touch the rim of the image, rounded.
_RIM = 0.51


@dataclass(frozen=True, eq=False)
class Mask:
    """A structure on a grid.

    Attributes
    ----------
    box
        Which slices, rows and columns of the grid `inside` covers.
    inside
        Shape of the box: whether the centre of a voxel lies in the structure.
    findings
        What a reader should know: what was cut off, left out, overlaps.

    """

    grid: Grid
    box: Box
    inside: Booleans
    findings: tuple[Finding, ...] = ()

    @property
    def values(self) -> Booleans:
        """Shape (slices, rows, columns) of the whole grid."""
        whole = np.zeros(self.grid.shape, dtype=np.bool_)
        whole[self.box] = self.inside
        return whole

    @property
    def voxel_count(self) -> int:
        return int(np.count_nonzero(self.inside))

    @property
    def volume_cm3(self) -> float:
        """Voxels times their volume."""
        return self.voxel_count * self.grid.voxel_volume_mm3 / 1000


@dataclass(frozen=True, eq=False)
class Coverage:
    """How much of each voxel lies in a structure: `share` has the shape of the box and values from 0 to 1."""

    grid: Grid
    box: Box
    share: npt.NDArray[np.float32]
    findings: tuple[Finding, ...] = ()

    @property
    def volume_cm3(self) -> float:
        """The sum of the shares times the volume of a voxel."""
        return float(self.share.sum(dtype=np.float64)) * self.grid.voxel_volume_mm3 / 1000


def mask_of(structure: Structure, grid: Grid, combine: Combine = "auto", between: Between = "empty") -> Mask:
    """The voxels whose centre lies in a structure.

    A contour belongs to the slice that is nearest, within half a slice. Structures whose planes are oblique to the
    slices are sampled: see `oblique.sample`.

    Parameters
    ----------
    structure
        In the frame of reference of the grid.
    combine
        How contours on one plane are taken together.
    between
        What slices show that have no contours of their own.

    """
    contours = closed_contours(structure)
    if not contours:
        message = f"ROI Number {structure.number} has no closed contours, so its mask is empty."
        return _empty(grid, Finding("empty_mask", message))
    index = grid.to_index(np.concatenate([contour.points_mm for contour in contours])).T
    sections = sections_of(contours, index, AXIAL, combine, unit_mm=grid.slice_distance_mm)
    if float(np.median(sections.polygons.w_high - sections.polygons.w_low)) > _LEANING:
        return _sampled(structure, grid, combine)
    thickness_mm = next((contour.slab_thickness_mm for contour in contours if contour.slab_thickness_mm), None)
    plane = _plane_of_slices(sections, grid, between, thickness_mm)
    findings = (
        *overlap_findings(structure.number, sections, combine, grid.voxel_volume_mm3 / grid.slice_distance_mm),
        *_place_findings(structure.number, sections, grid, plane),
    )
    shown = np.flatnonzero(plane >= 0)
    if not len(shown):
        return _empty(grid, *findings)
    used = np.unique(plane[shown])
    filled = _filled(sections, used, grid.shape[1], grid.shape[2])
    first, last = int(shown[0]), int(shown[-1]) + 1
    inside = _stacked(filled.inside, used, plane[first:last])
    rows, columns = inside.shape[1:]
    box = (
        slice(first, last),
        slice(filled.first_row, filled.first_row + rows),
        slice(filled.first_column, filled.first_column + columns),
    )
    return Mask(grid, box, inside, findings)


def coverage_of(
    structure: Structure, grid: Grid, subdivisions: int = 4, combine: Combine = "auto", between: Between = "empty"
) -> Coverage:
    """How much of each voxel lies in a structure, counted at `subdivisions`² points of each pixel.

    For structures of a few voxels, whose masks are coarse. Slices are not parted: contours do not say what is
    between.

    Raises
    ------
    ValueError
        If the finer grid around the structure would be too large.

    """
    points = [contour.points_mm for contour in closed_contours(structure)]
    if not points:
        mask = mask_of(structure, grid)
        return Coverage(grid, mask.box, np.zeros((0, 0, 0), dtype=np.float32), mask.findings)
    near = _around(np.concatenate(points), mask_of(structure, grid, combine, between), grid)
    rows, columns = (each.stop - each.start for each in near)
    if rows * columns * subdivisions**2 * grid.shape[0] > _MOST_POINTS:
        raise ValueError(f"{subdivisions} × {subdivisions} points a pixel are too many for a structure of this extent")
    corner = np.array([[near[1].start, near[0].start, 0.0]])
    cut = Grid(grid.to_patient(corner)[0], grid.directions, grid.spacing_mm, (grid.shape[0], rows, columns))
    fine = mask_of(structure, cut.refined(subdivisions), combine, between)
    slices = fine.box[0]
    whole = np.zeros((slices.stop - slices.start, rows * subdivisions, columns * subdivisions), dtype=np.uint8)
    whole[:, fine.box[1], fine.box[2]] = fine.inside
    parted = whole.reshape(len(whole), rows, subdivisions, columns, subdivisions)
    share = parted.sum(axis=(2, 4), dtype=np.uint16).astype(np.float32) / np.float32(subdivisions**2)
    return Coverage(grid, (slices, *near), share, fine.findings)


#: Of the finer grid: a quarter of a GB.
_MOST_POINTS = 1 << 28


def _around(points_mm: Floats, mask: Mask, grid: Grid) -> tuple[slice, slice]:
    """Rows and columns of the pixels that contours touch, and of those that oblique ones reach with their thickness."""
    index = grid.to_index(points_mm)[:, 1::-1]
    sizes = np.array(grid.shape[1:])
    low, high = np.floor(index.min(axis=0)), np.ceil(index.max(axis=0)) + 1
    if mask.voxel_count:
        low = np.minimum(low, [each.start - 1 for each in mask.box[1:]])
        high = np.maximum(high, [each.stop + 1 for each in mask.box[1:]])
    low = np.clip(low, 0, sizes).astype(int)
    high = np.clip(high, low, sizes).astype(int)
    return slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1]))


def _empty(grid: Grid, *findings: Finding) -> Mask:
    nothing = slice(0, 0)
    return Mask(grid, (nothing, nothing, nothing), np.zeros((0, 0, 0), dtype=np.bool_), findings)


def _sampled(structure: Structure, grid: Grid, combine: Combine) -> Mask:
    try:
        box, inside, sections = sample(structure, grid, combine)
    except ValueError as error:
        return _empty(grid, Finding("empty_mask", f"ROI Number {structure.number}: {error}, so its mask is empty."))
    message = f"ROI Number {structure.number} lies on planes that are oblique to the slices; its solid was sampled."
    findings = (
        Finding("oblique_to_slices", message),
        *overlap_findings(structure.number, sections, combine, unit_mm2=1.0),
    )
    return Mask(grid, box, inside, findings)


def _plane_of_slices(sections: Sections, grid: Grid, between: Between, thickness_mm: float | None) -> Integers:
    """Shape (slices,): the plane of contours that each slice shows, -1 for none."""
    reach = 0.5
    if between == "nearest" and len(sections.position) > 1:
        reach = max(reach, float(np.median(np.diff(sections.position))) / 2)
    elif between == "nearest" and thickness_mm is not None:
        reach = max(reach, thickness_mm / grid.slice_distance_mm / 2)
    # Rounded, so that planes midway between slices all go the same way.
    return nearest_plane(np.round(sections.position, 4), np.arange(grid.shape[0], dtype=np.float64), reach)


def _filled(sections: Sections, used: Integers, rows: int, columns: int) -> Filled:
    polygons = sections.polygons
    number = np.full(len(sections.position), -1, dtype=np.intp)
    number[used] = np.arange(len(used))
    plane = np.full(len(polygons.starts), -1, dtype=np.intp)
    plane[sections.members] = number[sections.plane[sections.members]]
    edges = edges_of(polygons.u, polygons.v, polygons.starts, polygons.ends, plane, whole_rows=True)
    kept = edges.plane >= 0
    return fill(edges if kept.all() else edges.chosen(kept), len(used), rows, columns, sections.union)


def _stacked(inside: Booleans, used: Integers, plane: Integers) -> Booleans:
    """The filled planes in the order of the slices, nothing where a slice shows none."""
    if np.array_equal(used, plane):
        return inside
    stacked = np.zeros((len(plane), *inside.shape[1:]), dtype=np.bool_)
    shown = plane >= 0
    stacked[shown] = inside[np.searchsorted(used, plane[shown])]
    return stacked


def _place_findings(number: int, sections: Sections, grid: Grid, plane: Integers) -> Iterator[Finding]:
    slices, rows, columns = grid.shape
    polygons, position = sections.polygons, sections.position
    limit = np.array([columns, rows]) - 1 + _RIM
    beside = ((polygons.low < -_RIM) | (polygons.high > limit)).any(axis=1)
    above = (position < -_RIM) | (position > slices - 1 + _RIM)
    outside = int((beside | above[sections.plane]).sum())
    if outside:
        yield Finding(
            "contours_outside_image",
            f"ROI Number {number} has {outside} of {len(polygons.starts)} contours that leave the image, in whole or "
            "in part; what is outside is cut off.",
        )
    shown = np.flatnonzero(plane >= 0)
    unused = int((~above).sum()) - len(np.unique(plane[shown]))
    if unused > 0:
        yield Finding(
            "planes_between_slices",
            f"ROI Number {number} has {unused} planes of contours that lie between slices, closer together than "
            "these; the planes nearest to the slices count.",
        )
    empty = int(shown[-1]) - int(shown[0]) + 1 - len(shown) if len(shown) else 0
    if empty:
        yield Finding(
            "slices_without_contours",
            f"ROI Number {number} has no contours on {empty} slices between its first and its last; they stay empty.",
        )
