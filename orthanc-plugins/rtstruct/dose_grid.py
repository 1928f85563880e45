"""Where the voxels of a dose are, and what the dose is between them (PS3.3 C.7.6.2, C.8.8.3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

# A grid of one plane says nothing about what lies above and below it; this much is taken to be like it.
_SINGLE_PLANE_MM = 1.0
# Points at a time: what is computed between stays in the processor's cache.
_BLOCK = 8192


@dataclass(frozen=True, eq=False)
class DoseGrid:
    """A dose on parallel planes that may be unevenly spaced. Patient coordinates (LPS) in mm.

    Attributes
    ----------
    origin_mm
        Shape (3,): the centre of the first voxel of the first plane.
    axes
        Shape (3, 3): rows are the unit vectors along a row (to the next column), along a column (to the next
        row), and along the planes' normal (to the next plane).
    column_spacing_mm, row_spacing_mm
        Distances of neighbouring columns and rows.
    offsets_mm
        Shape (planes,): of each plane along the normal, ascending from nought.
    values
        Shape (planes, rows, columns), float32: the dose at the centres of the voxels.

    """

    origin_mm: Floats
    axes: Floats
    column_spacing_mm: float
    row_spacing_mm: float
    offsets_mm: Floats
    values: npt.NDArray[np.float32]

    @property
    def maximum(self) -> float:
        """The highest dose of the grid."""
        return float(self.values.max())

    @property
    def voxel_mm(self) -> tuple[float, float, float]:
        """The size of a voxel along a row, along a column, and the median along the normal."""
        planes = np.diff(self.offsets_mm)
        normal = float(np.median(planes)) if len(planes) else _SINGLE_PLANE_MM
        return self.column_spacing_mm, self.row_spacing_mm, normal

    def at(self, points_mm: Floats) -> tuple[Floats, Booleans]:
        """The dose at points, between the centres of voxels by trilinear interpolation.

        Parameters
        ----------
        points_mm
            Shape (3, N): x, y and z.

        Returns
        -------
        dose
            Shape (N,). From the centres of the outermost voxels to their edges, half a voxel further out, it
            stays what it is at the centres; beyond the edges it is nought.
        within
            Shape (N,): whether each point lies within the edges.

        """
        count = points_mm.shape[1]
        dose, within = np.empty(count), np.empty(count, dtype=bool)
        for start in range(0, count, _BLOCK):
            block = slice(start, start + _BLOCK)
            dose[block], within[block] = self._block_at(points_mm[:, block])
        return dose, within

    def centres_around(self, points_mm: Floats) -> Floats:
        """The centres of the up to eight voxels around each point, shape (3, M), each once."""
        relative = self.axes @ (points_mm - self.origin_mm[:, None])
        planes, rows, columns = self.values.shape
        index = np.stack(
            (
                relative[0] / self.column_spacing_mm,
                relative[1] / self.row_spacing_mm,
                self._plane_index(relative[2]),
            )
        )
        counts = np.array([[columns], [rows], [planes]])
        corners = np.stack(np.meshgrid((0, 1), (0, 1), (0, 1)), axis=0).reshape(3, 1, 8)
        around = np.clip(np.floor(index)[:, :, None].astype(np.intp) + corners, 0, counts[:, :, None] - 1)
        i, j, k = around.reshape(3, -1)
        k, j, i = np.unravel_index(np.unique((k * rows + j) * columns + i), self.values.shape)
        offsets = np.stack((i * self.column_spacing_mm, j * self.row_spacing_mm, self.offsets_mm[k]))
        centres: Floats = self.origin_mm[:, None] + self.axes.T @ offsets
        return centres

    def _block_at(self, points_mm: Floats) -> tuple[Floats, Booleans]:
        relative = self.axes @ (points_mm - self.origin_mm[:, None])
        planes, rows, columns = self.values.shape
        i, i_within = _place(relative[0] / self.column_spacing_mm, columns)
        j, j_within = _place(relative[1] / self.row_spacing_mm, rows)
        k, k_within = _place(self._plane_index(relative[2]), planes)
        within = i_within & j_within & k_within
        dose = _trilinear(self.values, i, j, k)
        dose *= within
        return dose, within

    @cached_property
    def _even(self) -> bool:
        """Whether all planes are the same distance apart."""
        steps = np.diff(self.offsets_mm)
        return len(steps) > 0 and bool(np.allclose(steps, steps[0], rtol=1e-4, atol=0))

    def _plane_index(self, offset_mm: Floats) -> Floats:
        offsets = self.offsets_mm
        if len(offsets) == 1:
            return offset_mm / _SINGLE_PLANE_MM
        if self._even:
            return offset_mm * ((len(offsets) - 1) / float(offsets[-1]))
        steps = np.diff(offsets)
        index: Floats = np.interp(offset_mm, offsets, np.arange(len(offsets), dtype=np.float64))
        # Half a voxel further out on each side; np.interp stops at the ends.
        index += np.minimum(offset_mm, 0) / steps[0]
        index += np.maximum(offset_mm - offsets[-1], 0) / steps[-1]
        return index


def _place(index: Floats, count: int) -> tuple[Floats, Booleans]:
    within: Booleans = (index >= -0.5) & (index <= count - 0.5)
    inside: Floats = np.minimum(np.maximum(index, 0), count - 1)
    return inside, within


def _trilinear(values: npt.NDArray[np.float32], i: Floats, j: Floats, k: Floats) -> Floats:
    planes, rows, columns = values.shape
    flat = values.reshape(-1)
    i0, i1, i_step = _cell(i, columns, 1)
    j0, j1, j_step = _cell(j, rows, columns)
    k0, k1, k_step = _cell(k, planes, rows * columns)
    base = i0 + j0 * columns + k0 * (rows * columns)

    def along_row(start: npt.NDArray[np.intp]) -> Floats:
        low: Floats = flat.take(start).astype(np.float64)
        mixed: Floats = low + i1 * (flat.take(start + i_step) - low)
        return mixed

    def in_plane(start: npt.NDArray[np.intp]) -> Floats:
        low = along_row(start)
        return low + j1 * (along_row(start + j_step) - low)

    lower = in_plane(base)
    return lower + k1 * (in_plane(base + k_step) - lower)


def _cell(index: Floats, count: int, stride: int) -> tuple[npt.NDArray[np.intp], Floats, int]:
    """The lower neighbour, the share of the upper one, and how far away that is in memory."""
    if count == 1:
        return np.zeros(len(index), dtype=np.intp), np.zeros(len(index)), 0
    lower = np.minimum(index.astype(np.intp), count - 2)
    return lower, index - lower, stride
