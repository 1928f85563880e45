"""Meshes as files: STL and OBJ for one structure, GLB for many.

All hold millimetres in patient coordinates (LPS). STL and OBJ say so the way 3D Slicer reads it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from .model import Mesh, doubled_normals

# What a structure without ROI Display Color gets: red, green, blue, 0…255.
DEFAULT_COLOR = (200, 200, 200)


@dataclass(frozen=True, eq=False)
class Part:
    """A mesh, and how the structure that it is the surface of is called and coloured."""

    mesh: Mesh
    name: str = ""
    number: int = 0
    color: tuple[int, int, int] = DEFAULT_COLOR
    interpreted_type: str | None = None


def stl(mesh: Mesh) -> bytes:
    """A binary STL: 80 bytes of text, the number of triangles, for each its normal and corners as float32."""
    # Must not begin with "solid": that is the text variant.
    header = b"Binary STL; UNITS=mm; SPACE=LPS"
    normals = doubled_normals(mesh)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    triangles = np.zeros(len(mesh.faces), dtype=[("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("spare", "<u2")])
    triangles["normal"] = normals / np.where(length == 0, 1.0, length)
    triangles["corners"] = mesh.vertices_mm[mesh.faces]
    return header.ljust(80) + struct.pack("<I", len(triangles)) + triangles.tobytes()


def obj(part: Part) -> bytes:
    """A Wavefront OBJ. The colour stands at the vertices: a material would be a second file."""
    # A name ends at the end of its line; readers take blanks for several names.
    name = "_".join(part.name.split()) or f"ROI_{part.number}"
    name = "".join(character if character.isprintable() else "_" for character in name)
    red, green, blue = (f"{component / 255:.4f}" for component in part.color)
    vertex = f"v %.4f %.4f %.4f {red} {green} {blue}\n"
    vertices, faces = part.mesh.vertices_mm, part.mesh.faces + 1
    text = (
        f"# SPACE=LPS\n# UNITS=mm\no {name}\n"
        + (vertex * len(vertices)) % tuple(vertices.ravel().tolist())
        + ("f %d %d %d\n" * len(faces)) % tuple(faces.ravel().tolist())
    )
    return text.encode("utf-8", "replace")
