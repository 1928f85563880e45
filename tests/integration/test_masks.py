"""Masks and statistics out of the real server: computed by its workers, kept with the instance, gone with it."""

from __future__ import annotations

import gzip
import json

import nibabel
import numpy as np
import pytest
from pydicom.uid import generate_uid

from integration import datasets
from integration.containers import Client, OrthancServer
from integration.datasets import file_of
from integration.polling import eventually

REFERENCE = datasets.DATA / "sts" / "STS_001" / "reference" / "CT_mask.nii.gz"
KEPT_S = 60.0


@pytest.fixture
def client(orthanc: OrthancServer) -> Client:
    return orthanc.http()


def send_study(client: Client, patient_id: str) -> str:
    """The CT of STS_001 and its structure set as a study of another patient; the structure set's identifier."""
    study, series = generate_uid(), generate_uid()
    for path in datasets.STS_CT:
        image = datasets.copy_of(path, patient_id, StudyInstanceUID=study, SeriesInstanceUID=series)
        client.post("/instances", data=file_of(image)).raise_for_status()
    structures = datasets.copy_of(datasets.STS_STRUCTURES, patient_id, StudyInstanceUID=study)
    frame = structures.ReferencedFrameOfReferenceSequence[0]
    frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0].SeriesInstanceUID = series
    return str(client.post("/instances", data=file_of(structures)).json()["ID"])


def answered(client: Client, path: str, **headers: str) -> tuple[int, bytes, str]:
    """Status, body and entity tag, once the answer is there: a loaded machine answers 202 first."""

    def ask() -> tuple[int, bytes, str] | None:
        answer = client.get(path, headers=headers)
        if answer.status_code == 202:
            assert client.get(answer.headers["Location"]).json()["state"] in ("running", "done")
            return None
        assert answer.status_code in (200, 304), answer.text
        return answer.status_code, answer.content, answer.headers["ETag"]

    return eventually(ask, KEPT_S, f"{path} is computed")


def test_masks_and_statistics_of_a_study_that_has_just_arrived(client: Client, database: str) -> None:
    identifier = send_study(client, f"MASKS-{database}")
    base = f"/api/extract-rt/{identifier}"

    _, content, etag = answered(client, f"{base}/labelmap.nii.gz")
    found = nibabel.Nifti1Image.from_bytes(gzip.decompress(content))
    published = nibabel.load(REFERENCE)
    np.testing.assert_allclose(found.affine, published.affine, atol=1e-4)
    assert np.count_nonzero(np.asarray(found.dataobj) != np.asarray(published.dataobj)) == 0

    def kept() -> list[str]:
        names: list[str] = client.get(f"/instances/{identifier}/attachments").json()
        return [name for name in names if name.isdigit()]

    eventually(kept, KEPT_S, "the answer is attached to the instance")
    assert answered(client, f"{base}/labelmap.nii.gz", **{"If-None-Match": etag})[:2] == (304, b"")
    assert answered(client, f"{base}/labelmap.nii.gz")[1] == content

    (statistics,) = json.loads(answered(client, f"{base}/intensities")[1])["structures"]
    assert statistics["voxels"] == np.count_nonzero(published.dataobj)

    segmentation = answered(client, f"{base}/labelmap.seg.dcm")[1]
    stored = client.post("/instances", data=segmentation)
    assert stored.status_code == 200, stored.text
    tags = client.get(f"/instances/{stored.json()['ID']}/simplified-tags").json()
    assert (tags["Modality"], tags["PatientID"]) == ("SEG", f"MASKS-{database}")

    client.delete(f"/instances/{identifier}").raise_for_status()
    assert client.get(f"{base}/labelmap.nii.gz").status_code == 404


def test_a_viewer_may_look_and_only_an_administrator_cancel(orthanc: OrthancServer) -> None:
    viewer, nothing = orthanc.http("viewer"), "0" * 32
    assert viewer.get("/api/computations").status_code == 200
    assert viewer.delete(f"/api/computations/{nothing}").status_code == 403
    assert orthanc.http().delete(f"/api/computations/{nothing}").status_code == 404
