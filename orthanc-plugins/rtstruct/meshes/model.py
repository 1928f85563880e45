"""A triangle mesh, and what can be measured on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import StructureSetError

Floats = npt.NDArray[np.float64]
Faces = npt.NDArray[np.int32]


class NoSurface(StructureSetError):
    """The structure encloses nothing a surface could be drawn around; the message says why."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """A closed surface of triangles.

    Attributes
    ----------
    vertices_mm
        Shape (V, 3): patient coordinates (LPS) in mm.
    faces
        Shape (F, 3): indices of vertices, counter-clockwise seen from outside.

    """

    vertices_mm: Floats
    faces: Faces

    @property
    def volume_mm3(self) -> float:
        """The volume enclosed: the sum of tetrahedra from one point to each triangle (IBSI RNU0)."""
        return volume_of(self, doubled_normals(self)) if len(self.faces) else 0.0

    @property
    def area_mm2(self) -> float:
        """The sum of the triangles' areas (IBSI C0JK)."""
        return float(np.linalg.norm(doubled_normals(self), axis=1).sum() / 2)

    @property
    def is_closed(self) -> bool:
        """Whether every edge has exactly one triangle on each side, both turning the same way."""
        start, stop = self.faces.ravel(), np.roll(self.faces, -1, axis=1).ravel()
        count = len(self.vertices_mm)
        there = np.sort(start.astype(np.int64) * count + stop)
        back = np.sort(stop.astype(np.int64) * count + start)
        return bool(np.array_equal(there, back) and (np.diff(there) > 0).all())

    @property
    def euler_number(self) -> int:
        """Vertices - edges + faces: 2 for a sphere, 0 for a torus, 4 for a hollow sphere."""
        used = np.count_nonzero(np.bincount(self.faces.ravel()))
        # Closed, so that two triangles share each edge.
        return int(used) - len(self.faces) * 3 // 2 + len(self.faces)


def doubled_normals(mesh: Mesh) -> Floats:
    """Shape (F, 3): outward at each triangle, twice as long as its area."""
    a, b, c = (mesh.vertices_mm[mesh.faces[:, corner]] for corner in range(3))
    x, y, z = (b - a).T
    p, q, r = (c - a).T
    # np.cross takes three times as long.
    return np.stack((y * r - z * q, z * p - x * r, x * q - y * p), axis=1)


def volume_of(mesh: Mesh, normals: Floats) -> float:
    """The volume of a mesh in mm³ whose `doubled_normals` are known."""
    # From a point nearby: from the origin of the patient the products would lose digits.
    corner = (mesh.vertices_mm - mesh.vertices_mm[0])[mesh.faces[:, 0]]
    return float(np.einsum("ij,ij->", corner, normals) / 6)
