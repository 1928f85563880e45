"""``mesh.stl``, ``mesh.obj``, ``mesh.glb`` and ``/surfaces`` of real structure sets."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
import trimesh
from fastapi.testclient import TestClient
from pygltflib import GLTF2

import meshes
from meshes.models import SurfacesModel
from unit.archive_double import ArchiveDouble
from unit.rtstruct.shapes import SQUARE, made_file, roi, roi_contour


@pytest.fixture
def client(serve: Callable[..., TestClient]) -> TestClient:
    return serve([meshes.create])


@pytest.mark.parametrize("form", ["stl", "obj", "glb"])
def test_one_structure_is_a_closed_surface_in_each_format(client: TestClient, stored_sarcoma: str, form: str) -> None:
    answer = client.get(f"/api/extract-rt/{stored_sarcoma}/structures/1/mesh.{form}", params={"triangles": 5000})
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("model/")
    assert f'GTV-Mass-CT_04577278.{form}"' in answer.headers["content-disposition"]
    found = trimesh.load(io.BytesIO(answer.content), file_type=form, force="mesh")
    assert isinstance(found, trimesh.Trimesh) and found.is_watertight
    assert len(found.faces) == int(answer.headers["x-triangles"]) <= 5000
    millimetres = 1000.0**3 if form == "glb" else 1.0
    assert found.volume * millimetres / 1000 == pytest.approx(365.2, rel=0.005)


def test_all_triangles_and_steps_can_be_asked_for(client: TestClient, stored_sarcoma: str) -> None:
    few, all_of_them, stepped = (
        int(client.get(f"/api/extract-rt/{stored_sarcoma}/structures/1/mesh.stl", params=asked).headers["x-triangles"])
        for asked in ({"triangles": 1000}, {}, {"smooth": False})
    )
    assert few <= 1000 < all_of_them == stepped


def test_a_scene_has_a_node_for_each_structure_and_says_what_is_left_out(
    client: TestClient, stored_breast: str
) -> None:
    answer = client.get(f"/api/extract-rt/{stored_breast}/mesh.glb")
    found = GLTF2.load_from_bytes(answer.content)
    assert found is not None
    root, *nodes = found.nodes
    assert [node.name for node in nodes][:2] == ["BODY", "Borders"] and len(nodes) == 9
    assert int(answer.headers["x-triangles"]) <= 9 * 10_000
    (left_out,) = root.extras["left_out"]
    assert left_out["roi_name"] == "Areola" and answer.headers["x-left-out"] == str(left_out["roi_number"])
    assert "no closed contours" in left_out["reason"]
    some = client.get(f"/api/extract-rt/{stored_breast}/mesh.glb", params={"structures": "Heart,1", "triangles": 500})
    chosen = GLTF2.load_from_bytes(some.content)
    assert chosen is not None and sorted(node.name for node in chosen.nodes[1:]) == ["BODY", "Heart"]


def test_the_answer_is_kept_and_has_an_etag(client: TestClient, stored_sarcoma: str, archive: ArchiveDouble) -> None:
    path = f"/api/extract-rt/{stored_sarcoma}/structures/1/mesh.stl?triangles=500"
    first, second = client.get(path), client.get(path)
    assert first.content == second.content
    assert client.get(path, headers={"If-None-Match": first.headers["etag"]}).status_code == 304


def test_surfaces_are_the_ibsis_and_the_smooth_ones(client: TestClient, stored_sarcoma: str) -> None:
    answer = client.get(f"/api/extract-rt/{stored_sarcoma}/surfaces").json()
    (found,) = SurfacesModel.model_validate(answer).structures
    assert answer["series_instance_uid"] and answer["no_images"] is None
    assert found.ibsi_mesh is not None and found.smooth_mesh is not None
    assert found.smooth_mesh.volume_cm3 == pytest.approx(365.2, rel=0.005)
    assert found.ibsi_mesh.volume_voxel_cm3 == pytest.approx(365.2, rel=0.01)
    # Steps of voxels make more surface.
    assert found.ibsi_mesh.surface_area_cm2 > 1.05 * found.smooth_mesh.surface_area_cm2


def test_without_images_there_is_the_smooth_surface_alone(client: TestClient, stored_breast: str) -> None:
    answer = client.get(f"/api/extract-rt/{stored_breast}/surfaces", params={"structures": "Heart"}).json()
    (found,) = SurfacesModel.model_validate(answer).structures
    assert found.ibsi_mesh is None and found.smooth_mesh is not None
    assert "not here" in answer["no_images"]
    refused = client.get(f"/api/extract-rt/{stored_breast}/surfaces", params={"series": "1.2.3"})
    assert refused.status_code == 404


def test_what_cannot_be_drawn_is_refused_with_the_reason(client: TestClient, archive: ArchiveDouble) -> None:
    flat = made_file([roi_contour(1, SQUARE)], [roi(1, "flat")])
    instance = archive.store_instance(flat).orthanc_id
    for path in ("structures/1/mesh.stl", "mesh.glb"):
        refused = client.get(f"/api/extract-rt/{instance}/{path}")
        assert refused.status_code == 422 and refused.json()["remedy"]
    assert "one plane" in client.get(f"/api/extract-rt/{instance}/structures/1/mesh.stl").json()["detail"]
    assert client.get(f"/api/extract-rt/{instance}/structures/2/mesh.stl").status_code == 404
    assert client.get(f"/api/extract-rt/{instance}/structures/1/mesh.ply").status_code == 404
    assert client.get(f"/api/extract-rt/{instance}/structures/1/mesh.stl?triangles=-1").status_code == 422
