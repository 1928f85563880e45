"""Through HTTP on the real server: one tumour on CT and on MR as a surface, compared, and brought to a consensus."""

from __future__ import annotations

import gzip
import io
from typing import Any

import nibabel
import pytest
import requests
import trimesh
from pydicom.uid import generate_uid

from integration import datasets
from integration.containers import Client, OrthancServer
from integration.polling import eventually

READY_S = 180.0
MR_STRUCTURES = datasets.DATA / "sts" / "STS_001" / "MR_T1" / "mask" / "RS.dcm"


@pytest.fixture(scope="module")
def tumour(orthanc_on_sqlite: OrthancServer) -> dict[str, str]:
    """Orthanc's identifiers by the images that the structures were drawn on; the images of the CT are there."""
    client = orthanc_on_sqlite.http()
    # A patient of their own: other tests count what is in the study of the original.
    study, series = generate_uid(), generate_uid()
    for path in datasets.STS_CT:
        image = datasets.copy_of(path, "SURFACES", StudyInstanceUID=study, SeriesInstanceUID=series)
        client.post("/instances", data=datasets.file_of(image)).raise_for_status()
    found = {}
    for kind, path in {"CT": datasets.STS_STRUCTURES, "MR": MR_STRUCTURES}.items():
        structures = datasets.copy_of(path, "SURFACES", StudyInstanceUID=study)
        frame = structures.ReferencedFrameOfReferenceSequence[0]
        frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0].SeriesInstanceUID = series
        found[kind] = str(client.post("/instances", data=datasets.file_of(structures)).json()["ID"])
    return found


def answered(client: Client, method: str, path: str, **options: Any) -> requests.Response:
    """The answer, asked for until it is no longer under way."""

    def ask() -> requests.Response | None:
        answer = client.request(method, path, **options)
        assert answer.status_code in (200, 202), answer.text
        return answer if answer.status_code == 200 else None

    return eventually(ask, READY_S, f"{method} {path} is answered")


def test_the_surface_of_a_tumour_is_closed_and_has_its_volume(
    orthanc_on_sqlite: OrthancServer, tumour: dict[str, str]
) -> None:
    client = orthanc_on_sqlite.http()
    scene = answered(client, "GET", f"/api/extract-rt/{tumour['CT']}/mesh.glb")
    assert scene.headers["content-type"] == "model/gltf-binary"
    mesh = trimesh.load(io.BytesIO(scene.content), file_type="glb", force="mesh")
    assert isinstance(mesh, trimesh.Trimesh) and mesh.is_watertight
    # glTF is in metres.
    assert mesh.volume * 1e6 == pytest.approx(365.2, rel=0.005)

    printable = answered(client, "GET", f"/api/extract-rt/{tumour['CT']}/structures/1/mesh.stl?triangles=2000")
    assert len(printable.content) == 84 + 50 * int(printable.headers["x-triangles"])
    surfaces = answered(client, "GET", f"/api/extract-rt/{tumour['CT']}/surfaces").json()
    (structure,) = surfaces["structures"]
    assert structure["ibsi_mesh"]["volume_voxel_cm3"] == pytest.approx(365.2, rel=0.01)
    assert structure["ibsi_mesh"]["surface_area_cm2"] > structure["smooth_mesh"]["surface_area_cm2"]


def test_two_drawings_of_a_tumour_are_compared_and_brought_to_a_consensus(
    orthanc_on_sqlite: OrthancServer, tumour: dict[str, str]
) -> None:
    # A question that is asked by POST is a read all the same.
    client = orthanc_on_sqlite.http("viewer")
    ct, mr = tumour["CT"], tumour["MR"]
    asked = {"a": ct, "b": mr, "pairs": [{"a": 1, "b": "GTV_Mass_MR_T1"}]}
    (pair,) = answered(client, "POST", "/api/compare-rt", json=asked).json()["pairs"]
    assert pair["metrics"]["dice"] > 0.99 and pair["metrics"]["mean_surface_distance_mm"] < 0.2
    assert pair["warnings"] == []
    table = answered(client, "GET", f"/api/compare-rt?a={ct}&b={mr}&pairs=1:1&format=csv")
    assert table.content.decode("utf-8-sig").startswith("number_a,name_a,") and "GTV_Mass_MR_T1" in table.text

    members = [{"instance": ct, "structure": 1}, {"instance": mr, "structure": 1}]
    question = {"structures": members, "method": "staple"}
    consensus = answered(client, "POST", "/api/consensus-rt", json=question).json()
    assert consensus["converged"] and all(rater["dice"] > 0.99 for rater in consensus["raters"])
    mask = answered(client, "POST", "/api/consensus-rt", json={**question, "format": "nii.gz"})
    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(mask.content))
    assert list(image.shape) == consensus["grid"]["shape"][::-1]

    unknown = client.post("/api/compare-rt", json={**asked, "pairs": [{"a": 1, "b": "Heart"}]})
    assert unknown.status_code == 404 and "GTV_Mass_MR_T1" in unknown.json()["remedy"]
