"""Fewer triangles for the same shape, closed as before."""

from __future__ import annotations

import numpy as np

from .model import Mesh
from .smoothing import with_volume

# How much is taken at once when it has to be tried again.
_STEPS = (1.0, 0.75, 0.5)
# fast_simplification: 0 is most careful, 10 quickest.
_AGGRESSION = 7


def reduced(mesh: Mesh, triangles: int) -> Mesh:
    """`collapsed`, of the same volume as before."""
    found = collapsed(mesh, triangles)
    return found if found is mesh else with_volume(found, mesh.volume_mm3)


def collapsed(mesh: Mesh, triangles: int) -> Mesh:
    """The mesh with about `triangles` triangles; with more where fewer would not be closed any more.

    Edges collapse where the quadric error [1]_ is least. Collapsing can pinch a thin surface: it is then done
    again with fewer collapses, and in the end not at all.

    .. [1] Garland M, Heckbert PS. Surface simplification using quadric error metrics. SIGGRAPH 1997: 209-216.
    """
    from fast_simplification import simplify

    share = 1 - triangles / max(len(mesh.faces), 1)
    if share <= 0:
        return mesh
    euler = mesh.euler_number
    # float32 inside: near its own origin digits suffice.
    origin = mesh.vertices_mm.mean(axis=0)
    points = (mesh.vertices_mm - origin).astype(np.float32)
    for step in _STEPS:
        vertices, faces = simplify(points, mesh.faces, target_reduction=share * step, agg=_AGGRESSION)
        found = Mesh(vertices.astype(np.float64) + origin, faces.astype(np.int32))
        if found.is_closed and found.euler_number == euler:
            return found
    return mesh
