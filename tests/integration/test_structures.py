"""What a modality sends by C-STORE comes back as structures, once and exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from integration import datasets
from integration.containers import Client, OrthancServer
from integration.modality import c_store, storescu
from integration.polling import eventually
from rtstruct import read_flat

READY_S = 60.0
STRUCTURE_SETS = [datasets.STS_STRUCTURES, datasets.DICOMPYLER_STRUCTURES]
UNKNOWN_UID = "1.2.3.4.5"


def extraction_of(client: Client, sop_instance_uid: str, state: str = "done") -> dict[str, Any]:
    """The row of this instance, once it has reached the state."""

    def look() -> dict[str, Any] | None:
        found: list[dict[str, Any]] = client.get(f"/api/extractions?state={state}&limit=1000").json()["items"]
        ours = [item for item in found if item["orthanc_id"] == orthanc_id]
        assert len(ours) < 2
        return ours[0] if ours else None

    known = client.post("/tools/lookup", data=sop_instance_uid).json()
    orthanc_id = next(entry["ID"] for entry in known if entry["Type"] == "Instance")
    return eventually(look, READY_S, f"the extraction is {state}")


def send(server: OrthancServer, path: Path, tool: str) -> None:
    if tool == "storescu":
        storescu(server.dicom_port, path)
    else:
        assert c_store(server.dicom_port, path.read_bytes()) == [0x0000]


@pytest.fixture
def client(orthanc: OrthancServer) -> Client:
    return orthanc.http()


@pytest.mark.parametrize("path", STRUCTURE_SETS, ids=["STS_001", "dicompyler"])
@pytest.mark.parametrize("tool", ["storescu", "pynetdicom"])
def test_contours_equal_the_senders_file_bit_for_bit(
    orthanc: OrthancServer, client: Client, path: Path, tool: str
) -> None:
    send(orthanc, path, tool)
    dataset = dcmread(path)
    answer = client.get(f"/api/extract-rt/{dataset.SOPInstanceUID}").json()
    row = extraction_of(client, dataset.SOPInstanceUID)
    stored = client.get(f"/api/extract-rt/{dataset.SOPInstanceUID}").json()

    assert stored == answer
    assert answer["sop_instance_uid"] == dataset.SOPInstanceUID
    assert answer["study_instance_uid"] == dataset.StudyInstanceUID
    assert [(s["number"], s["name"]) for s in answer["structures"]] == [
        (int(roi.ROINumber), str(roi.ROIName).strip()) for roi in dataset.StructureSetROISequence
    ]
    sent = {int(item.ReferencedROINumber): item.get("ContourSequence") or [] for item in dataset.ROIContourSequence}
    points = 0
    for structure in answer["structures"]:
        drawn = [contour for contour in sent.get(structure["number"], []) if contour.get("ContourData")]
        assert structure["contour_count"] == len(drawn) == len(structure["contours"])
        for contour, original in zip(structure["contours"], drawn, strict=True):
            assert contour["geometric_type"] == original.ContourGeometricType
            flat = [coordinate for point in contour["points_mm"] for coordinate in point]
            assert flat == [float(value) for value in original.ContourData]
            points += len(contour["points_mm"])
    assert sum(structure["point_count"] for structure in answer["structures"]) == points
    assert (row["structure_count"], row["point_count"]) == (len(answer["structures"]), points)
    assert row["sop_instance_uid"] == dataset.SOPInstanceUID


def test_the_orthanc_identifier_serves_as_well_as_the_sop_instance_uid(orthanc: OrthancServer, client: Client) -> None:
    storescu(orthanc.dicom_port, datasets.STS_STRUCTURES)
    by_uid = client.get(f"/api/extract-rt/{dcmread(datasets.STS_STRUCTURES).SOPInstanceUID}").json()

    assert client.get(f"/api/extract-rt/{by_uid['orthanc_id']}").json() == by_uid


def test_an_unchanged_answer_is_304_and_a_different_question_is_not(orthanc: OrthancServer, client: Client) -> None:
    storescu(orthanc.dicom_port, datasets.STS_STRUCTURES)
    uid = dcmread(datasets.STS_STRUCTURES).SOPInstanceUID
    extraction_of(client, uid)
    first = client.get(f"/api/extract-rt/{uid}")
    known = {"If-None-Match": first.headers["ETag"]}

    again = client.get(f"/api/extract-rt/{uid}", headers=known)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert client.get(f"/api/extract-rt/{uid}?contours=false", headers=known).status_code == 200
    assert client.get(f"/api/extract-rt/{uid}", headers={"If-None-Match": '"other"'}).status_code == 200


def test_contours_can_be_left_out_and_structures_chosen(orthanc: OrthancServer, client: Client) -> None:
    storescu(orthanc.dicom_port, datasets.DICOMPYLER_STRUCTURES)
    uid = dcmread(datasets.DICOMPYLER_STRUCTURES).SOPInstanceUID
    whole = client.get(f"/api/extract-rt/{uid}").json()
    without = client.get(f"/api/extract-rt/{uid}?contours=false").json()

    assert all(structure.get("contours") is None for structure in without["structures"])
    assert [s["volume_cm3"] for s in without["structures"]] == [s["volume_cm3"] for s in whole["structures"]]
    first, third = whole["structures"][0], whole["structures"][2]
    wanted = f"{first['name'].swapcase()},{third['number']}"
    chosen = client.get(f"/api/extract-rt/{uid}", params={"structures": wanted}).json()
    assert chosen["structures"] == [first, third]
    missing = client.get(f"/api/extract-rt/{uid}", params={"structures": "no such organ"})
    assert missing.status_code == 404
    assert first["name"] in missing.json()["remedy"]


def test_an_unknown_instance_is_404_with_a_remedy(client: Client) -> None:
    for identifier in (UNKNOWN_UID, "00000000-00000000-00000000-00000000-00000000"):
        answer = client.get(f"/api/extract-rt/{identifier}")
        assert (answer.status_code, answer.headers["X-Content-Type"]) == (404, "application/problem+json")
        assert identifier in answer.json()["detail"]
        assert answer.json()["remedy"]


def test_a_ct_slice_is_422_and_the_answer_names_its_modality(orthanc: OrthancServer, client: Client) -> None:
    storescu(orthanc.dicom_port, datasets.DICOMPYLER_CT)
    answer = client.get(f"/api/extract-rt/{dcmread(datasets.DICOMPYLER_CT).SOPInstanceUID}")

    assert (answer.status_code, answer.json()["modality"]) == (422, "CT")


def test_a_damaged_structure_set_names_the_place_and_can_be_tried_again(
    orthanc: OrthancServer, client: Client, database: str
) -> None:
    content = datasets.structures_without_items(f"DAMAGED-{database}")
    with client.post("/instances", data=content) as stored:
        orthanc_id = stored.json()["ID"]
    uid = client.get(f"/instances/{orthanc_id}/simplified-tags").json()["SOPInstanceUID"]

    answer = client.get(f"/api/extract-rt/{uid}")
    row = extraction_of(client, uid, "failed")
    assert answer.status_code == 422
    assert "ROIContourSequence item 1" in answer.json()["detail"]
    assert "ROIContourSequence item 1" in row["error"]
    assert row["attempts"] == 1, "a damaged file does not get better by trying again"

    assert client.post(f"/api/extractions/{uid}/retry").status_code == 202

    def tried_again() -> bool:
        return bool(extraction_of(client, uid, "failed")["finished_at"] > row["finished_at"])

    eventually(tried_again, READY_S, "the retry has ended")
    assert client.post(f"/api/extractions/{UNKNOWN_UID}/retry").status_code == 404


def test_contours_travel_as_float32_and_volumes_by_every_method(orthanc: OrthancServer, client: Client) -> None:
    send(orthanc, datasets.DICOMPYLER_STRUCTURES, "storescu")
    dataset = dcmread(datasets.DICOMPYLER_STRUCTURES)
    extraction_of(client, dataset.SOPInstanceUID)
    route = f"/api/extract-rt/{dataset.SOPInstanceUID}"

    answer = client.get(f"{route}/contours.bin")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    flat = read_flat(answer.content)
    drawn = [np.array(c.ContourData, "f4").reshape(-1, 3) for roi in _drawn(dataset) for c in roi.ContourSequence]
    assert np.array_equal(flat.points_mm, np.concatenate(drawn))
    assert client.get(f"{route}/contours.bin", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304

    contours = f"{route}/structures/6/contours"
    as_json = client.get(contours).json()["contours"]
    binary = client.get(contours, headers={"Accept": "application/octet-stream"})
    (lung,) = read_flat(binary.content).header["structures"]
    assert [each["area_mm2"] for each in lung["contours"]] == [each["area_mm2"] for each in as_json]

    def computed() -> list[dict[str, Any]] | None:
        found = client.get(f"{route}/volumes?structures=Heart&combine=union")
        return list(found.json()["structures"]) if found.status_code == 200 else None

    (heart,) = eventually(computed, READY_S, "the volumes are computed")
    assert heart["volumes_cm3"]["full_slabs"] == pytest.approx(439.7, abs=0.1)


def _drawn(dataset: Dataset) -> list[Dataset]:
    """In the order of the structures."""
    by_number = {roi.ReferencedROINumber: roi for roi in dataset.ROIContourSequence if "ContourSequence" in roi}
    return [by_number[roi.ROINumber] for roi in dataset.StructureSetROISequence if roi.ROINumber in by_number]


def test_a_contour_without_numbers_costs_no_other_contour(
    orthanc: OrthancServer, client: Client, database: str
) -> None:
    uid = client.post("/instances", data=datasets.structures_with_garbage(f"GARBAGE-{database}")).json()["ID"]
    answer = client.get(f"/api/extract-rt/{uid}")

    assert answer.status_code == 200
    damaged = answer.json()["structures"][2]
    assert any("ROIContourSequence item 3, ContourSequence item 1" in w["message"] for w in damaged["warnings"])
    assert damaged["contour_count"] > 0
    sound = dcmread(datasets.DICOMPYLER_STRUCTURES).ROIContourSequence[2].ContourSequence
    assert damaged["contour_count"] == len(sound) - 1


def test_what_is_sent_twice_is_extracted_once(orthanc: OrthancServer, client: Client, tmp_path: Path) -> None:
    dataset = datasets.copy_of(datasets.STS_STRUCTURES, "TWICE")
    path = tmp_path / "twice.dcm"
    path.write_bytes(datasets.file_of(dataset))
    storescu(orthanc.dicom_port, path)
    first = extraction_of(client, dataset.SOPInstanceUID)

    # The queue works in the order of arrival: once the later one is done, a second round would have begun.
    storescu(orthanc.dicom_port, path)
    later = datasets.renumber(dcmread(path))
    later_path = tmp_path / "later.dcm"
    later_path.write_bytes(datasets.file_of(later))
    storescu(orthanc.dicom_port, later_path)
    extraction_of(client, later.SOPInstanceUID)

    assert extraction_of(client, dataset.SOPInstanceUID) == first
    assert first["attempts"] == 1


def test_deleting_the_study_deletes_its_rows_and_sending_it_again_brings_them_back(
    orthanc: OrthancServer, client: Client, tmp_path: Path
) -> None:
    dataset = datasets.copy_of(datasets.STS_STRUCTURES, "DELETED")
    path = tmp_path / "deleted.dcm"
    path.write_bytes(datasets.file_of(dataset))

    def structures() -> int:
        return int(client.get("/api/stats").json()["extractions"]["structures"])

    before = structures()
    for _round in range(2):
        storescu(orthanc.dicom_port, path)
        row = extraction_of(client, dataset.SOPInstanceUID)
        assert row["attempts"] == 1
        assert structures() == before + 1
        study = client.get(f"/instances/{row['orthanc_id']}/study").json()["ID"]
        assert client.delete(f"/studies/{study}").status_code == 200

        def gone(orthanc_id: str = row["orthanc_id"]) -> bool:
            items = client.get("/api/extractions?limit=1000").json()["items"]
            return all(item["orthanc_id"] != orthanc_id for item in items)

        eventually(gone, READY_S, "the row is gone")
        assert structures() == before
        assert client.get(f"/api/extract-rt/{dataset.SOPInstanceUID}").status_code == 404
