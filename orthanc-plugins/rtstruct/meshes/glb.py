"""GLB, the binary form of glTF 2.0: one node per structure, with its name and colour.

The accessors hold millimetres in patient coordinates (LPS), so that a program can lay them over contours as they are.
glTF's own unit is the metre and its up is y; the root node says how to get there, and viewers obey: the patient stands
upright, facing the viewer. https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt

from .files import Part
from .model import doubled_normals
from .smoothing import vertex_normals

MEDIA_TYPE = "model/gltf-binary"

_FLOAT, _UNSIGNED_SHORT, _UNSIGNED_INT = 5126, 5123, 5125
_VERTICES, _INDICES = 34962, 34963
_TRIANGLES = 4
_MM = 0.001
# Column by column: x stays (the patient's left), z goes up, y (posterior) goes away from the viewer.
_UPRIGHT = [_MM, 0, 0, 0, 0, 0, -_MM, 0, 0, _MM, 0, 0, 0, 0, 0, 1]
# The body's surface would hide all that is in it.
_SEE_THROUGH = {"EXTERNAL": 0.25}


def glb(parts: Sequence[Part], left_out: Sequence[Mapping[str, Any]] = ()) -> bytes:
    """All parts in one scene. Node, mesh and material carry the ROI Name, the node's extras the ROI Number.

    `left_out` goes into the extras of the root node.
    """
    chunk = _Chunk()
    # Without materials and meshes the arrays must not be there at all (glTF 2.0, 5.17).
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "rtstruct"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": "LPS mm", "matrix": _UPRIGHT, "extras": {"space": "LPS", "unit": "mm"}}],
    }
    if left_out:
        document["nodes"][0]["extras"]["left_out"] = list(left_out)
    if parts:
        document["nodes"][0]["children"] = list(range(1, len(parts) + 1))
        document["meshes"] = []
        document["materials"] = []
    for index, part in enumerate(parts):
        name = part.name.encode("utf-8", "replace").decode() or f"ROI {part.number}"
        node = {"name": name, "mesh": index, "extras": {"roi_number": part.number, "roi_name": name}}
        document["nodes"].append(node)
        document["materials"].append(_material(part, name))
        document["meshes"].append({"name": name, "primitives": [_primitive(chunk, part, index)]})
    if parts:
        document["accessors"] = chunk.accessors
        document["bufferViews"] = chunk.views
        document["buffers"] = [{"byteLength": chunk.length}]
    return _file(document, chunk)


class _Chunk:
    """The binary chunk as it grows; every array begins at a multiple of four bytes."""

    def __init__(self) -> None:
        self.arrays: list[bytes] = []
        self.length = 0
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(self, values: npt.NDArray[Any], component: int, kind: str, target: int, extremes: bool = False) -> int:
        content = values.tobytes()
        view = {"buffer": 0, "byteOffset": self.length, "byteLength": len(content), "target": target}
        accessor = {"bufferView": len(self.views), "componentType": component, "count": len(values), "type": kind}
        if extremes:
            accessor |= {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}
        content += b"\0" * (-len(content) % 4)
        self.views.append(view)
        self.accessors.append(accessor)
        self.arrays.append(content)
        self.length += len(content)
        return len(self.accessors) - 1


def _primitive(chunk: _Chunk, part: Part, material: int) -> dict[str, Any]:
    mesh = part.mesh
    normals = vertex_normals(mesh.faces, doubled_normals(mesh), len(mesh.vertices_mm))
    # A normal must have the length 1, even where triangles cancel out.
    normals[~normals.any(axis=1)] = (0, 0, 1)
    # The largest index of a type is reserved.
    short = len(mesh.vertices_mm) < 65_535
    indices = mesh.faces.ravel().astype("<u2" if short else "<u4")
    return {
        "attributes": {
            "POSITION": chunk.add(mesh.vertices_mm.astype("<f4"), _FLOAT, "VEC3", _VERTICES, extremes=True),
            "NORMAL": chunk.add(normals.astype("<f4"), _FLOAT, "VEC3", _VERTICES),
        },
        "indices": chunk.add(indices, _UNSIGNED_SHORT if short else _UNSIGNED_INT, "SCALAR", _INDICES),
        "material": material,
        "mode": _TRIANGLES,
    }


def _material(part: Part, name: str) -> dict[str, Any]:
    opacity = _SEE_THROUGH.get(part.interpreted_type or "", 1.0)
    color = [round(_linear(component / 255), 6) for component in part.color]
    material: dict[str, Any] = {
        "name": name,
        "pbrMetallicRoughness": {"baseColorFactor": [*color, opacity], "metallicFactor": 0, "roughnessFactor": 0.8},
    }
    return material | {"alphaMode": "BLEND"} if opacity < 1 else material


def _linear(component: float) -> float:
    """ROI Display Color is sRGB, glTF's factors are linear (glTF 2.0, 3.9.2)."""
    return component / 12.92 if component <= 0.04045 else float(((component + 0.055) / 1.055) ** 2.4)


def _file(document: dict[str, Any], chunk: _Chunk) -> bytes:
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    chunks = [struct.pack("<I4s", len(text), b"JSON"), text]
    if chunk.length:
        chunks += [struct.pack("<I4s", chunk.length, b"BIN\0"), *chunk.arrays]
    total = 12 + sum(map(len, chunks))
    return b"".join([struct.pack("<4sII", b"glTF", 2, total), *chunks])
