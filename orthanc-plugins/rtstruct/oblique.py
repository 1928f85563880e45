"""Masks of structures whose planes are not those of the grid: every voxel centre is looked up in the nearest plane."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .grids import Grid
from .model import Structure
from .planes import Frame, frame_of
from .scanlines import Edges, edges_of, parts
from .sections import Combine, Sections, closed_contours, nearest_plane, sections_of

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]
Booleans = npt.NDArray[np.bool_]

Box = tuple[slice, slice, slice]

#: Contours on one plane whose union is looked up one by one.
_MOST_LAYERS = 64
#: Voxels that are looked up together.
_PORTION = 1 << 21


def sample(structure: Structure, grid: Grid, combine: Combine) -> tuple[Box, Booleans, Sections]:
    """Which voxels of the box around a structure have their centre in it.

    A voxel belongs to the plane that is nearest along the normal of the contours, within half of their spacing (or half
    the Contour Slab Thickness of a single plane, else half a slice).
    """
    contours = closed_contours(structure)
    points = np.concatenate([contour.points_mm for contour in contours])
    extents = np.array([np.ptp(contour.points_mm, axis=0).max() for contour in contours])
    frame = frame_of([contour.points_mm for contour in contours], extents)
    if frame is None:
        raise ValueError("none of the contours encloses an area")
    sections = sections_of(contours, points.T.copy(), frame, combine, unit_mm=1.0)
    if len(sections.layers) > _MOST_LAYERS:
        raise ValueError(f"more than {_MOST_LAYERS} contours lie on one oblique plane, too many to unite")
    thickness = [contour.slab_thickness_mm for contour in contours if contour.slab_thickness_mm]
    if len(sections.position) > 1:
        reach = float(np.median(np.diff(sections.position))) / 2
    else:
        reach = (thickness[0] if thickness else grid.slice_distance_mm) / 2
    box = _box(points, reach * np.array(frame.normal), grid)
    shape = tuple(each.stop - each.start for each in box)
    inside = np.zeros(shape, dtype=np.bool_)
    if inside.size:
        edges = [_edges(sections, layer) for layer in sections.layers]
        portion = max(1, _PORTION // (shape[1] * shape[2]))
        for begin in range(0, shape[0], portion):
            part = (slice(box[0].start + begin, min(box[0].start + begin + portion, box[0].stop)), *box[1:])
            inside[begin : begin + portion] = _lookup(edges, sections, frame, grid, part, reach)
    return box, inside, sections


def _box(points: Floats, reach_mm: Floats, grid: Grid) -> Box:
    both = np.concatenate((points.min(axis=0)[None], points.max(axis=0)[None]))
    corners = np.array([[both[x, 0], both[y, 1], both[z, 2]] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    index = grid.to_index(np.concatenate((corners - reach_mm, corners + reach_mm)))
    sizes = np.array(grid.shape[::-1])
    low = np.clip(np.floor(index.min(axis=0)), 0, sizes).astype(int)
    high = np.clip(np.ceil(index.max(axis=0)) + 1, low, sizes).astype(int)
    columns, rows, slices = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return slices, rows, columns


def _edges(sections: Sections, layer: Integers) -> Edges:
    # To the polygons of one layer alone, end to end as they are stored.
    polygons = sections.polygons
    chosen = np.zeros(len(polygons.starts), dtype=np.bool_)
    chosen[layer] = True
    all_edges = edges_of(polygons.u, polygons.v, polygons.starts, polygons.ends, np.where(chosen, sections.plane, -1))
    return all_edges.chosen(all_edges.plane >= 0)


def _lookup(layers: list[Edges], sections: Sections, frame: Frame, grid: Grid, box: Box, reach: float) -> Booleans:
    k, j, i = (np.arange(each.start, each.stop, dtype=np.float64) for each in box)
    index = np.stack(np.meshgrid(k, j, i, indexing="ij"), axis=-1).reshape(-1, 3)[:, ::-1]
    u, v, w = frame.project(grid.to_patient(index).T)
    # Rounded, so that voxels midway between planes all go the same way.
    plane = nearest_plane(np.round(sections.position, 6), np.round(w, 6), reach)
    inside = np.zeros(len(u), dtype=np.bool_)
    by_plane = np.lexsort((v, plane))
    starts = np.searchsorted(plane[by_plane], np.arange(len(sections.position) + 1))
    for edges in layers:
        order = np.argsort(edges.plane, kind="stable")
        edge_starts = np.searchsorted(edges.plane[order], np.arange(len(sections.position) + 1))
        for index_of_plane in range(len(sections.position)):
            voxels = by_plane[starts[index_of_plane] : starts[index_of_plane + 1]]
            own = order[edge_starts[index_of_plane] : edge_starts[index_of_plane + 1]]
            if len(voxels) and len(own):
                inside[voxels] |= _within(u[voxels], v[voxels], edges.column[:, own], edges.row[:, own])
    return inside.reshape(len(k), len(j), len(i))


def _within(u: Floats, v: Floats, edge_u: Floats, edge_v: Floats) -> Booleans:
    """Whether points lie within polygons by the even-odd rule; points in ascending order of v."""
    first, last = np.searchsorted(v, edge_v[0]), np.searchsorted(v, edge_v[1])
    met = last - first
    crossings = np.zeros(len(u), dtype=np.uint8)
    for part in parts(np.flatnonzero(met > 0), met):
        counts = met[part]
        edge = np.repeat(part, counts)
        point = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first[part], counts)
        (u0, u1), (v0, v1) = edge_u[:, edge], edge_v[:, edge]
        left = u0 + (v[point] - v0) / (v1 - v0) * (u1 - u0) <= u[point]
        np.add.at(crossings, point[left], np.uint8(1))
    inside: Booleans = (crossings & 1).view(np.bool_)
    return inside
