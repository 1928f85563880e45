"""Regular grids of voxels in patient space: where an index lies in mm, and which index a point has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: More voxels than any image here may have; 512 × 512 × 2,000 is half of it.
MOST_VOXELS = 1 << 30


@dataclass(frozen=True, eq=False)
class Grid:
    """A regular grid in the patient coordinate system (LPS), in mm.

    An index is (column, row, slice): fractional, nought at the centre of the first voxel. Arrays on the grid have the
    opposite order, (slices, rows, columns), as images have.

    Attributes
    ----------
    origin_mm
        Shape (3,): the centre of the voxel with index (0, 0, 0).
    directions
        Shape (3, 3): unit vectors from one column, row and slice to the next. The last is not at right angles to the
        others when a gantry was tilted.
    spacing_mm
        Shape (3,): from one column, row and slice to the next.
    shape
        Slices, rows, columns.

    """

    origin_mm: Floats
    directions: Floats
    spacing_mm: Floats
    shape: tuple[int, int, int]

    @cached_property
    def steps_mm(self) -> Floats:
        """Shape (3, 3): the vectors from one column, row and slice to the next."""
        steps: Floats = self.directions * self.spacing_mm[:, None]
        return steps

    @cached_property
    def affine(self) -> Floats:
        """Shape (4, 4): from an index (column, row, slice, 1) to patient coordinates (x, y, z, 1), LPS."""
        affine = np.eye(4)
        affine[:3, :3] = self.steps_mm.T
        affine[:3, 3] = self.origin_mm
        return affine

    @cached_property
    def affine_ras(self) -> Floats:
        """The same to the axes of NIfTI and 3D Slicer's views: x to the right, y to the front (RAS)."""
        ras: Floats = np.diag([-1.0, -1.0, 1.0, 1.0]) @ self.affine
        return ras

    @cached_property
    def normal(self) -> Floats:
        """Shape (3,): the unit vector at right angles to the slices, on the side of the next slice."""
        normal = np.cross(self.directions[0], self.directions[1])
        normal /= np.linalg.norm(normal)
        return -normal if normal @ self.directions[2] < 0 else normal

    @cached_property
    def slice_distance_mm(self) -> float:
        """From one slice to the next along the normal: less than the spacing when a gantry was tilted."""
        return float(self.steps_mm[2] @ self.normal)

    @property
    def voxel_volume_mm3(self) -> float:
        return float(abs(np.linalg.det(self.steps_mm)))

    @cached_property
    def _axis_aligned(self) -> bool:
        return np.array_equal(self.directions, np.eye(3))

    def to_index(self, points_mm: Floats) -> Floats:
        """Fractional indices (column, row, slice), shape (N, 3), of points in mm, shape (N, 3)."""
        # Axis by axis: loops over three numbers at a time take six times as long.
        relative = np.empty((3, len(points_mm)))
        for axis in range(3):
            np.subtract(points_mm[:, axis], self.origin_mm[axis], out=relative[axis])
        if self._axis_aligned:
            # Most images; and a division alone rounds less than a product with an inverse.
            relative /= self.spacing_mm[:, None]
            return relative.T
        index: Floats = relative.T @ np.linalg.inv(self.steps_mm)
        return index

    def to_patient(self, index: Floats) -> Floats:
        """Points in mm, shape (N, 3), of fractional indices (column, row, slice), shape (N, 3)."""
        points: Floats = index @ self.steps_mm + self.origin_mm
        return points

    def refined(self, factor: int) -> Grid:
        """The same region with each row and column parted into `factor`."""
        spacing = self.spacing_mm / np.array([factor, factor, 1.0])
        shift = (1 / factor - 1) / 2
        origin = self.origin_mm + shift * (self.steps_mm[0] + self.steps_mm[1])
        slices, rows, columns = self.shape
        return Grid(origin, self.directions, spacing, (slices, rows * factor, columns * factor))


def grid_around(low_mm: Floats, high_mm: Floats, spacing_mm: tuple[float, float, float]) -> Grid:
    """The axial grid of a given spacing whose voxels cover a box, aligned to whole multiples of the spacing.

    Parameters
    ----------
    low_mm, high_mm
        Shape (3,): corners of the box.
    spacing_mm
        In x, y and z.

    Raises
    ------
    ValueError
        If the grid would have more than `MOST_VOXELS` voxels.

    """
    spacing = np.array(spacing_mm, dtype=np.float64)
    first = np.floor(low_mm / spacing)
    count = np.ceil(high_mm / spacing) - first + 1
    if not (count.prod() <= MOST_VOXELS):
        raise ValueError(f"a grid of {' × '.join(f'{each:.0f}' for each in count)} voxels is too large")
    columns, rows, slices = (int(each) for each in count)
    return Grid(first * spacing, np.eye(3), spacing, (slices, rows, columns))
