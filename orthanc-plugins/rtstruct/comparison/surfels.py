"""The surface of a mask in small pieces, each with its place and its area.

A piece belongs to every corner of voxels where inside and outside meet, as in [1]_. Its area is that of the marching
cubes surface between the eight voxels around, so that all areas together are the IBSI mesh surface of the mask. It
stands in the middle of that surface: at the corner itself, pieces lie in two layers on slanted surfaces, and distances
come out half a voxel too small.

.. [1] Nikolov S et al. Deep learning to achieve clinically applicable segmentation of head and neck anatomy for
   radiotherapy. arXiv:1809.04430, 2018.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Surfels:
    """Pieces of a surface.

    Attributes
    ----------
    place_mm
        Shape (N, 3): slice, row and column times the spacing.
    area_mm2
        Shape (N,).

    """

    place_mm: Floats
    area_mm2: Floats


def surfels_of(inside: Booleans, spacing_mm: tuple[float, float, float]) -> Surfels:
    """The surface of a mask.

    Parameters
    ----------
    inside
        Shape (slices, rows, columns). What touches the rim of the array is closed there.
    spacing_mm
        Of slices, rows and columns.

    """
    around = np.pad(inside, 1).view(np.uint8)
    code = np.zeros([size - 1 for size in around.shape], dtype=np.uint8)
    for bit, corner in enumerate(product((0, 1), repeat=3)):
        part = tuple(slice(at, at + size) for at, size in zip(corner, code.shape, strict=True))
        code |= around[part] << np.uint8(bit)
    place = np.argwhere((code != 0) & (code != 255))
    codes = code[tuple(place.T)]
    area, middle = _pieces(spacing_mm)
    # The centre of the first of eight voxels has the index 0 in `around`, one less in `inside`.
    return Surfels((place - 1.0) * np.array(spacing_mm) + middle[codes], area[codes])


@lru_cache(maxsize=8)
def _pieces(spacing_mm: tuple[float, float, float]) -> tuple[Floats, Floats]:
    """Shapes (256,) and (256, 3): the area of the surface between eight voxels, by which of them are inside, and its
    middle as seen from the first of them, in mm.
    """
    from skimage import measure

    # Typed in part only.
    marching_cubes: Callable[..., tuple[npt.NDArray[Any], ...]] = measure.marching_cubes
    areas, middles = np.zeros(256), np.zeros((256, 3))
    for code in range(1, 255):
        block = np.array([code >> bit & 1 for bit in range(8)], dtype=np.float32).reshape(2, 2, 2)
        vertices, faces, _, _ = marching_cubes(block, 0.5, spacing=spacing_mm)
        a, b, c = (vertices[faces[:, corner]].astype(np.float64) for corner in range(3))
        area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
        areas[code] = area.sum()
        middles[code] = np.average((a + b + c) / 3, axis=0, weights=area)
    return areas, middles
