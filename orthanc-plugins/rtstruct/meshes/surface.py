"""From contours to a closed surface: marching cubes on the coverage of a grid of the structure's own.

The surface ends half a plane spacing beyond the last planes, as the volume with full slabs does; holes are kept, and
gaps are not bridged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..model import Structure
from ..sections import Combine
from .coverage import coverage_of
from .model import Mesh, NoSurface
from .reduction import collapsed
from .smoothing import smoothed, with_volume

# Coverage this close to one half would put several vertices on one pixel centre.
_HALF = 0.01


def mesh_of(
    structure: Structure,
    smooth: bool = True,
    triangles: int | None = None,
    pixel_mm: float | None = None,
    combine: Combine = "auto",
) -> Mesh:
    """The surface of a structure.

    Closed (every edge belongs to two triangles), normals outward, in patient coordinates (LPS, mm) whichever way
    the planes lie.

    Parameters
    ----------
    structure
        Its closed contours count.
    smooth
        Whether to take the steps between planes off.
    triangles
        At most about so many; by default as many as there are. The surface stays closed, so that it may have to
        keep more.
    pixel_mm
        The pixels that coverage is taken on; by default 1/48 of the extent, less where the structure is thin.
    combine
        How contours on one plane are taken together.

    Raises
    ------
    NoSurface
        If the structure has no closed contours, lies on one plane without thickness, or is too large.

    """
    coverage = coverage_of(structure, pixel_mm, triangles, combine)
    mesh = isosurface(coverage.values)
    if mesh is None:
        raise NoSurface(f"ROI Number {structure.number} is too small for a surface")
    mesh = Mesh(coverage.patient(mesh.vertices_mm), mesh.faces)
    volume_mm3 = coverage.volume_mm3 if smooth else None
    if smooth:
        mesh = smoothed(mesh)
    elif triangles is not None:
        volume_mm3 = mesh.volume_mm3
    if triangles is not None:
        mesh = collapsed(mesh, triangles)
    return mesh if volume_mm3 is None else with_volume(mesh, volume_mm3)


def isosurface(values: npt.NDArray[np.float32]) -> Mesh | None:
    """The surface at 0.5 of a volume that is empty at all sides, in indices; None when nothing reaches 0.5.

    The indices must be those of a right-handed system when taken backwards, as (u, v, w) for [w, v, u].
    """
    from skimage import measure

    # Typed in part only.
    marching_cubes: Callable[..., tuple[npt.NDArray[Any], ...]] = measure.marching_cubes
    if not (values > 0.5).any():
        return None
    apart = np.where(np.abs(values - 0.5) < _HALF, np.float32(0.5 + _HALF), values)
    # Lewiner's tables settle what is ambiguous the same way on both sides of a face: no cracks.
    vertices, faces, _, _ = marching_cubes(apart, 0.5, allow_degenerate=True)
    return Mesh(vertices.astype(np.float64), faces.astype(np.int32))
