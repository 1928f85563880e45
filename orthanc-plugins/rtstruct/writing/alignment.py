"""Volumes of other files laid onto the grid of the images, voxel onto voxel; nothing is resampled."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..grids import Grid
from .model import UnusableSegmentation

# How far a voxel may lie from one of the image, in voxels: headers round.
_TOLERANCE = 0.1
_REMEDY = "Resample the segmentation onto the images, or name the series that it was made on."


def aligned(values: npt.NDArray[Any], affine_lps: npt.NDArray[np.float64], grid: Grid) -> npt.NDArray[Any]:
    """A label map on the grid.

    Parameters
    ----------
    values
        Shape (I, J, K), in any order and direction of the axes; it may cover a part of the images.
    affine_lps
        From voxel indices (i, j, k) to patient coordinates in mm.

    Returns
    -------
    array
        Shape (slices, rows, columns), nought where the label map says nothing.

    Raises
    ------
    UnusableSegmentation
        If voxels do not coincide, or labels lie outside the images.

    """
    to_index = np.linalg.inv(grid.affine) @ affine_lps
    whole = np.rint(to_index)
    # What the difference amounts to at the far end of each axis.
    reach = np.abs(to_index - whole)[:3] @ np.array([*values.shape, 1.0])
    axes = np.abs(whole[:3, :3])
    one_to_one = (axes.sum(axis=0) == 1).all() and (axes.sum(axis=1) == 1).all()
    if (reach > _TOLERANCE).any() or not one_to_one:
        raise UnusableSegmentation("Its voxels are not those of the images.", _REMEDY)
    # Axis of the file for slices, rows and columns in turn.
    order = [int(np.argmax(axes[axis])) for axis in (2, 1, 0)]
    laid = values.transpose(order)
    result = np.zeros(grid.shape, dtype=values.dtype)
    source, target = [], []
    for axis, file_axis in zip((2, 1, 0), order, strict=True):
        place = 2 - axis
        first = int(whole[axis, 3])
        if whole[axis, file_axis] < 0:
            laid = np.flip(laid, axis=place)
            first -= laid.shape[place] - 1
        low, high = max(first, 0), min(first + laid.shape[place], grid.shape[place])
        source.append(slice(low - first, max(high, low) - first))
        target.append(slice(low, max(high, low)))
    inside = laid[tuple(source)]
    if np.count_nonzero(inside) != np.count_nonzero(laid):
        raise UnusableSegmentation("Some of it lies outside the images.", _REMEDY)
    result[tuple(target)] = inside
    return result
