"""A structure set that no viewer shows is explained and repaired; a mask becomes a structure set and comes back."""

from __future__ import annotations

import gzip
import json
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from nibabel.nifti1 import Nifti1Image
from pydicom import dcmread
from pydicom.uid import generate_uid
from requests import Response

from integration import datasets
from integration.conftest import MakeOrthanc
from integration.containers import Client, OrthancServer
from integration.polling import eventually

READY_S = 60.0


def sarcoma_study(patient_id: str) -> tuple[list[bytes], bytes]:
    """The CT and the structure set of STS_001 as another patient's; the set names images that are not in the series."""
    structures = dcmread(datasets.STS_STRUCTURES)
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    images = []
    for path in datasets.STS_CT:
        image = datasets.renumber(dcmread(path))
        image.PatientID, image.PatientName = patient_id, f"Sarcoma^{patient_id}"
        image.StudyInstanceUID, image.SeriesInstanceUID, image.FrameOfReferenceUID = study, series, frame
        images.append(datasets.file_of(image))
    datasets.renumber(structures)
    structures.PatientID, structures.PatientName = patient_id, f"Sarcoma^{patient_id}"
    structures.StudyInstanceUID, structures.SeriesInstanceUID = study, generate_uid()
    referenced = structures.ReferencedFrameOfReferenceSequence[0]
    referenced.FrameOfReferenceUID = frame
    referenced.RTReferencedStudySequence[0].ReferencedSOPInstanceUID = study
    referenced.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0].SeriesInstanceUID = series
    for roi in structures.StructureSetROISequence:
        roi.ReferencedFrameOfReferenceUID = frame
    if "FrameOfReferenceUID" in structures:
        structures.FrameOfReferenceUID = frame
    return images, datasets.file_of(structures)


@pytest.fixture
def client(orthanc: OrthancServer) -> Client:
    return orthanc.http()


@pytest.fixture
def study(client: Client, database: str) -> dict[str, Any]:
    """What Orthanc calls the set and its images, once the set has been extracted."""
    images, structures = sarcoma_study(f"QUALITY-{database}-{generate_uid()[-6:]}")
    for image in images:
        assert client.post("/instances", data=image).status_code == 200
    stored = client.post("/instances", data=structures).json()
    eventually(lambda: is_extracted(client, stored["ID"]), READY_S, "the structures are extracted")
    return {"instance": stored["ID"], "images": images, "dicom": structures}


def is_extracted(client: Client, orthanc_id: str) -> bool:
    items = client.get("/api/extractions?state=done&limit=1000").json()["items"]
    return any(item["orthanc_id"] == orthanc_id for item in items)


def answer_of(client: Client, first: Response) -> Response:
    """The answer itself: a loaded machine says 202 first, and where to ask how far it is."""
    if first.status_code != 202:
        return first
    progress = first.headers["Location"]
    eventually(lambda: client.get(progress).json()["state"] != "running", READY_S, "the work is done")
    return client.get(f"{progress}/result")


def quality_of(client: Client, orthanc_id: str) -> dict[str, Any]:
    def ask() -> dict[str, Any] | None:
        answer = client.get(f"/api/extract-rt/{orthanc_id}/quality")
        assert answer.status_code in (200, 202), answer.text
        return answer.json() if answer.status_code == 200 else None

    return eventually(ask, READY_S, "the quality report is there")


def test_a_set_that_viewers_hide_is_explained_and_repaired(
    orthanc: OrthancServer, client: Client, study: dict[str, Any]
) -> None:
    report = quality_of(client, study["instance"])
    assert report["viewable_in_ohif"] is False
    assert {reason["code"] for reason in report["ohif_reasons"]} == {"referenced_images_absent"}

    with orthanc.http("viewer") as viewer:
        assert viewer.get(f"/api/extract-rt/{study['instance']}/quality").status_code == 200
        assert viewer.post(f"/api/extract-rt/{study['instance']}/repair").status_code == 403

    repaired = answer_of(client, client.post(f"/api/extract-rt/{study['instance']}/repair"))
    assert repaired.status_code == 201, repaired.text
    made = repaired.json()
    copy = quality_of(client, made["orthanc_id"])
    assert copy["viewable_in_ohif"] is True
    assert copy["totals"]["error"] == copy["totals"]["warning"] == 0

    images = {dcmread(BytesIO(image)).SOPInstanceUID: dcmread(BytesIO(image)) for image in study["images"]}
    dataset = dcmread(BytesIO(client.get(f"/instances/{made['orthanc_id']}/file").content))
    contours = [contour for roi in dataset.ROIContourSequence for contour in roi.ContourSequence]
    assert contours
    for contour in contours:
        image = images[contour.ContourImageSequence[0].ReferencedSOPInstanceUID]
        assert abs(float(image.ImagePositionPatient[2]) - float(contour.ContourData[2])) < 0.01

    again = answer_of(client, client.post(f"/api/extract-rt/{study['instance']}/repair"))
    assert (again.status_code, again.json()["orthanc_id"]) == (200, made["orthanc_id"])
    assert client.get(f"/instances/{study['instance']}/file").content == study["dicom"]
    sound = client.post(f"/api/extract-rt/{made['orthanc_id']}/repair")
    assert answer_of(client, sound).status_code == 409


def test_the_cohort_finds_what_was_extracted(client: Client, study: dict[str, Any]) -> None:
    query = f"study_instance_uid={dcmread(BytesIO(study['dicom'])).StudyInstanceUID}"

    def look() -> list[dict[str, Any]]:
        # The modalities of a study come from the catalogue, which follows the archive.
        items: list[dict[str, Any]] = client.get(f"/api/structures?{query}&tg263=GTV&modality=CT").json()["items"]
        return items

    items = eventually(look, READY_S, "the catalogue knows the study")
    assert [(item["orthanc_id"], item["name"]) for item in items] == [(study["instance"], "GTV_Mass_CT")]
    assert items[0]["volume_cm3"] > 100
    table = client.get(f"/api/structures?{query}&format=csv")
    assert table.headers["Content-Type"].startswith("text/csv")
    assert "GTV_Mass_CT" in table.text


def test_a_label_map_becomes_a_structure_set_with_the_same_voxels(
    orthanc: OrthancServer, client: Client, study: dict[str, Any]
) -> None:
    def mask_of(orthanc_id: str) -> bytes | None:
        answer = client.get(f"/api/extract-rt/{orthanc_id}/labelmap.nii.gz")
        assert answer.status_code in (200, 202), answer.text
        return answer.content if answer.status_code == 200 else None

    before = eventually(lambda: mask_of(study["instance"]), READY_S, "the label map is there")
    series = dcmread(BytesIO(study["images"][0])).SeriesInstanceUID
    asked = {"X-Create-RT": json.dumps({"series": series, "label": "Round trip"}), "Content-Type": "application/gzip"}
    with orthanc.http("viewer") as viewer:
        assert viewer.post("/api/create-rt", data=before, headers=asked).status_code == 403
    answer = answer_of(client, client.post("/api/create-rt", data=before, headers=asked))
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert [(each["name"], each["voxels_different"]) for each in made["structures"]] == [("GTV_Mass_CT", 0)]
    after = eventually(lambda: mask_of(made["orthanc_id"]), READY_S, "the label map is there")
    voxels = [np.asarray(Nifti1Image.from_bytes(gzip.decompress(each)).dataobj) for each in (before, after)]
    assert np.array_equal(voxels[0], voxels[1])
    assert quality_of(client, made["orthanc_id"])["viewable_in_ohif"] is True


def test_automatic_repair_makes_one_copy_once_the_study_is_complete(make_orthanc: MakeOrthanc) -> None:
    server = make_orthanc(PACS_REPAIR="automatic", PACS_STABLE_AGE="1")
    server.create().wait_until_ready()
    client = server.http()
    images, structures = sarcoma_study("AUTOMATIC")
    # The structure set first: at its extraction there are no images yet.
    original = client.post("/instances", data=structures).json()["ID"]
    for image in images:
        assert client.post("/instances", data=image).status_code == 200

    def sets() -> list[str]:
        query = {"Level": "Series", "Query": {"Modality": "RTSTRUCT"}, "Expand": True}
        return [each for series in client.post("/tools/find", json=query).json() for each in series["Instances"]]

    eventually(lambda: len(sets()) == 2, 2 * READY_S, "the copy is there")
    (copy,) = set(sets()) - {original}
    eventually(lambda: is_extracted(client, copy), READY_S, "the copy is extracted")
    assert quality_of(client, copy)["viewable_in_ohif"] is True

    def looked_at() -> bool:
        # The copy itself has been looked at, and found sound.
        return 'pacs_repairs_total{outcome="nothing_to_repair"}' in client.get("/api/metrics").text

    eventually(looked_at, READY_S, "the copy has been looked at")
    assert len(sets()) == 2
