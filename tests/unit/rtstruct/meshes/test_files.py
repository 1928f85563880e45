"""STL, OBJ and GLB hold the mesh, in mm and LPS, whatever a structure is called."""

from __future__ import annotations

import json
from io import BytesIO

import numpy as np
import pytest
import trimesh
from pygltflib import GLTF2

from rtstruct.meshes import Mesh, Part, glb, mesh_of, obj, stl
from unit.rtstruct.meshes.solids import SOLIDS

NAMES = [
    "GTV_1",
    "Größe µ 左肺",
    'a/b\\c:*?"<>|',
    "two words",
    "line\nbreak\x00",
    "",
    "../../etc/passwd",
    "\ud800 lone",
]


@pytest.fixture(scope="module")
def mesh() -> Mesh:
    return mesh_of(SOLIDS["torus"].structure(2.0), triangles=2000)


def loaded(content: bytes, kind: str) -> trimesh.Trimesh:
    found = trimesh.load(BytesIO(content), file_type=kind, force="mesh")
    assert isinstance(found, trimesh.Trimesh)
    return found


def test_stl_is_the_mesh(mesh: Mesh) -> None:
    content = stl(mesh)
    assert not content.startswith(b"solid") and len(content) == 84 + 50 * len(mesh.faces)
    found = loaded(content, "stl")
    assert found.is_watertight and found.euler_number == 0
    assert found.volume == pytest.approx(mesh.volume_mm3, rel=1e-5)
    assert found.bounds == pytest.approx(np.stack((mesh.vertices_mm.min(0), mesh.vertices_mm.max(0))), abs=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_obj_is_the_mesh_in_its_colour(mesh: Mesh, name: str) -> None:
    content = obj(Part(mesh, name, 3, (255, 0, 51)))
    lines = content.decode().split("\n")
    assert [line[0] for line in lines[:3]] == ["#", "#", "o"] and len(lines[2].split()) == 2
    assert {line[:2] for line in lines[3:-1]} == {"v ", "f "}
    found = loaded(content, "obj")
    assert found.is_watertight and found.volume == pytest.approx(mesh.volume_mm3, rel=1e-4)
    assert found.visual.vertex_colors[0].tolist() == [255, 0, 51, 255]


def test_glb_has_a_node_per_structure_with_name_and_colour(mesh: Mesh) -> None:
    parts = [Part(mesh, name, number, (255, number, 0)) for number, name in enumerate(NAMES, start=1)]
    found = GLTF2.load_from_bytes(glb(parts))
    assert found is not None and found.asset.version == "2.0"
    root, *nodes = found.nodes
    assert root.children == list(range(1, len(parts) + 1))
    assert [node.extras["roi_number"] for node in nodes] == [part.number for part in parts]
    for node, part in zip(nodes, parts, strict=True):
        if part.name and part.name.isascii():
            assert node.name == part.name
        material = found.materials[found.meshes[node.mesh].primitives[0].material]
        red, green, blue, opacity = material.pbrMetallicRoughness.baseColorFactor
        assert (red, blue, opacity) == (1, 0, 1) and green == pytest.approx(part.number / 255 / 12.92, abs=1e-6)


def test_glb_stands_upright_in_metres_and_holds_lps_in_millimetres(mesh: Mesh) -> None:
    content = glb([Part(mesh, "torus", 1)])
    scene = trimesh.load(BytesIO(content), file_type="glb")
    assert isinstance(scene, trimesh.Scene)
    (geometry,) = scene.geometry.values()
    assert geometry.vertices == pytest.approx(mesh.vertices_mm, abs=1e-4)
    world = scene.to_mesh()
    assert world.volume == pytest.approx(mesh.volume_mm3 * 1e-9, rel=1e-4)
    # Superior is up, anterior towards the viewer, left to the viewer's right.
    assert world.vertices == pytest.approx(mesh.vertices_mm[:, [0, 2, 1]] * (0.001, 0.001, -0.001), abs=1e-6)


def test_glb_has_sound_accessors(mesh: Mesh) -> None:
    large = mesh_of(SOLIDS["hollow sphere"].structure(), pixel_mm=0.4)
    assert len(large.vertices_mm) > 65_535
    content = glb([Part(mesh, "small", 1), Part(large, "large", 2, interpreted_type="EXTERNAL")])
    assert len(content) % 4 == 0 and int.from_bytes(content[8:12], "little") == len(content)
    document = json.loads(content[20 : 20 + int.from_bytes(content[12:16], "little")])
    binary = content[-document["buffers"][0]["byteLength"] :]
    for primitive, each in zip((m["primitives"][0] for m in document["meshes"]), (mesh, large), strict=True):
        arrays = {}
        for name, index in [*primitive["attributes"].items(), ("indices", primitive["indices"])]:
            accessor = document["accessors"][index]
            view = document["bufferViews"][accessor["bufferView"]]
            kind = {5123: "<u2", 5125: "<u4", 5126: "<f4"}[accessor["componentType"]]
            assert view["byteOffset"] % 4 == 0
            raw = binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
            arrays[name] = np.frombuffer(raw, kind).reshape(accessor["count"], -1)
            if name == "POSITION":
                assert (arrays[name].min(0) == accessor["min"]).all() and (arrays[name].max(0) == accessor["max"]).all()
        assert (arrays["indices"].reshape(-1, 3) == each.faces).all()
        assert np.linalg.norm(arrays["NORMAL"], axis=1) == pytest.approx(1, abs=1e-3)
    assert [material.get("alphaMode") for material in document["materials"]] == [None, "BLEND"]


def test_glb_of_nothing_is_an_empty_scene() -> None:
    found = GLTF2.load_from_bytes(glb([]))
    assert found is not None and len(found.nodes) == 1 and not found.meshes
