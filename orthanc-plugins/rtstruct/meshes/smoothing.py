"""Smoothing that does not shrink: the steps of voxels and planes go, the shape stays.

A windowed sinc filter [1]_ is a low pass on the mesh, in half the work of Taubin's λ and μ.

.. [1] Taubin G, Zhang T, Golub G. Optimal surface smoothing as filter design. ECCV 1996: 283-292.
"""

from __future__ import annotations

import numpy as np

from .model import Faces, Floats, Mesh, doubled_normals, volume_of

ITERATIONS = 20
# Frequencies of the mesh, 0 (the shape) … 2 (the zigzag of neighbours), above which steps lie: Taubin's value.
_PASS_BAND = 0.3
# A vertex never moves further along its normal than this share of the mean edge.
_MOST_OFFSET = 0.5
_VOLUME_TOLERANCE = 1e-4


def smoothed(mesh: Mesh, iterations: int = ITERATIONS) -> Mesh:
    """The mesh without the steps of the grid it was made on; the volume may change by some per mille."""
    from scipy.sparse import csr_array

    count = len(mesh.vertices_mm)
    start, stop = mesh.faces.ravel(), np.roll(mesh.faces, -1, axis=1).ravel()
    # Closed: each edge is there in both directions, once each. Half of a vertex, half of its neighbours' mean.
    weight = 0.5 / np.maximum(np.bincount(start, minlength=count), 1)
    half = csr_array((weight[start].astype(np.float32), (start, stop)), shape=(count, count))
    origin = mesh.vertices_mm.mean(axis=0)
    # float32 relative to the middle: a ten thousandth of a millimetre.
    previous = (mesh.vertices_mm - origin).astype(np.float32)
    current = half @ previous + 0.5 * previous
    first, second, *others = _sinc(iterations)
    result = first * previous + second * current
    for coefficient in others:
        previous, current = current, 2 * (half @ current) + current - previous
        result += coefficient * current
    return Mesh(result.astype(np.float64) + origin, mesh.faces)


def _sinc(degree: int) -> Floats:
    """Chebyshev coefficients of the low pass, tempered by a Hamming window; a constant passes unchanged."""
    n = np.arange(1, degree + 1)
    cut = np.arccos(1 - _PASS_BAND / 2)
    window = 0.54 + 0.46 * np.cos(np.pi * n / (degree + 1))
    coefficients = np.concatenate(([cut / np.pi], window * 2 * np.sin(n * cut) / (n * np.pi)))
    normed: Floats = (coefficients / coefficients.sum()).astype(np.float32)
    return normed


def with_volume(mesh: Mesh, volume_mm3: float) -> Mesh:
    """The mesh with its surface moved along the normals until it encloses a volume."""
    for _ in range(3):
        normals = doubled_normals(mesh)
        missing = volume_mm3 - volume_of(mesh, normals)
        if abs(missing) <= _VOLUME_TOLERANCE * volume_mm3:
            break
        area = float(np.linalg.norm(normals, axis=1).sum() / 2)
        edge = np.sqrt(area / len(mesh.faces))
        offset = float(np.clip(missing / area, -_MOST_OFFSET * edge, _MOST_OFFSET * edge))
        mesh = Mesh(mesh.vertices_mm + offset * vertex_normals(mesh.faces, normals, len(mesh.vertices_mm)), mesh.faces)
    return mesh


def vertex_normals(faces: Faces, normals: Floats, vertices: int) -> Floats:
    """Unit vectors outward at each vertex: the mean of its triangles, weighted by their areas."""
    total = np.empty((vertices, 3))
    for axis in range(3):
        total[:, axis] = sum(np.bincount(faces[:, corner], normals[:, axis], vertices) for corner in range(3))
    length = np.sqrt(np.einsum("ij,ij->i", total, total))
    total /= np.where(length == 0, 1.0, length)[:, None]
    return total
