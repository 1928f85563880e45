"""``/quality`` and ``/repair``: a report of what is in the archive, a copy stored once."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydicom import dcmread
from pydicom.dataset import Dataset

import quality as plugin
from host.archive import ArchiveError
from host.events import StructuresExtracted, StudyStable
from host.plugin import Host
from host.settings import Settings, SettingsError
from quality.service import Repairs
from unit.archive_double import ArchiveDouble
from unit.rtstruct.phantom import STRUCTURES, contours_of, file_of, image_files, structure_set


def with_foreign_images() -> bytes:
    made = structure_set()
    for name in STRUCTURES:
        for contour in contours_of(made, name):
            contour.ContourImageSequence[0].ReferencedSOPInstanceUID += ".77"
    return file_of(made)


@pytest.fixture
def client(serve: Callable[..., TestClient]) -> TestClient:
    return serve([plugin.create])


@pytest.fixture
def images(archive: ArchiveDouble) -> None:
    for file in image_files():
        archive.store_instance(file)


@pytest.fixture
def faulty(archive: ArchiveDouble, images: None) -> str:
    return archive.store_instance(with_foreign_images()).orthanc_id


def codes(client: TestClient, identifier: str) -> set[str]:
    answer = client.get(f"/api/extract-rt/{identifier}/quality")
    assert answer.status_code == 200, answer.text
    return {finding["code"] for finding in answer.json()["findings"]}


def test_a_report_says_what_is_wrong_and_whether_ohif_shows_it(client: TestClient, faulty: str) -> None:
    answer = client.get(f"/api/extract-rt/{faulty}/quality")
    report = answer.json()
    assert answer.status_code == 200
    assert report["orthanc_id"] == faulty
    assert report["viewable_in_ohif"] is False
    assert {reason["code"] for reason in report["ohif_reasons"]} == {"referenced_images_absent"}
    assert report["totals"] == {"error": len(STRUCTURES), "warning": 0, "info": 0}
    assert report["findings"][0]["place"]["structure_name"] == "External"


def test_a_sound_set_has_an_empty_report(client: TestClient, archive: ArchiveDouble, images: None) -> None:
    assert codes(client, archive.store_instance(file_of(structure_set())).orthanc_id) == set()


def test_a_report_changes_when_images_arrive(client: TestClient, archive: ArchiveDouble) -> None:
    identifier = archive.store_instance(file_of(structure_set())).orthanc_id
    before = client.get(f"/api/extract-rt/{identifier}/quality")
    assert "referenced_series_absent" in {each["code"] for each in before.json()["findings"]}
    for file in image_files():
        archive.store_instance(file)
    after = client.get(f"/api/extract-rt/{identifier}/quality", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.json()["findings"] == []
    again = client.get(f"/api/extract-rt/{identifier}/quality", headers={"If-None-Match": after.headers["ETag"]})
    assert again.status_code == 304


def test_names_are_suggested_and_nothing_is_renamed(client: TestClient, archive: ArchiveDouble) -> None:
    made = structure_set()
    made.StructureSetROISequence[1].ROIName = "Lunge li"
    made.StructureSetROISequence[3].ROIName = "Whatever"
    identifier = archive.store_instance(file_of(made)).orthanc_id
    told = client.get(f"/api/extract-rt/{identifier}/names").json()
    assert [each["number"] for each in told] == [1, 2, 3, 4, 5, 6, 7]
    assert (told[0]["is_tg263"], told[0]["tg263"], told[0]["confidence"]) == (True, "External", 1.0)
    assert (told[1]["is_tg263"], told[1]["tg263"], told[1]["name"]) == (False, "Lung_L", "Lunge li")
    assert (told[3]["tg263"], told[3]["reason"]) == (None, None)
    assert client.get("/api/extract-rt/1.2.3.99/names").status_code == 404


def test_a_set_is_repaired_once(client: TestClient, archive: ArchiveDouble, faulty: str) -> None:
    first = client.post(f"/api/extract-rt/{faulty}/repair")
    assert first.status_code == 201, first.text
    made = first.json()
    assert made["result"] == "stored"
    assert first.headers["Location"] == f"/api/extract-rt/{made['orthanc_id']}"
    assert {change["code"] for change in made["changes"]} == {"images_referenced", "approval_withdrawn"}
    assert codes(client, made["orthanc_id"]) == {"unapproved"}
    held = len(archive.instances)
    second = client.post(f"/api/extract-rt/{faulty}/repair", json={})
    assert (second.status_code, second.json()["result"]) == (200, "already_stored")
    assert second.json()["orthanc_id"] == made["orthanc_id"]
    assert len(archive.instances) == held


def test_a_long_repair_says_where_to_follow_it(follow: Callable[..., Any], faulty: str) -> None:
    told, answer = follow(plugin.create, lambda client: client.post(f"/api/extract-rt/{faulty}/repair"))
    assert (told["name"], told["instance"], told["state"]) == ("repair", faulty, "done")
    assert (answer.status_code, answer.json()["result"]) == (201, "stored")
    assert answer.headers["Location"] == f"/api/extract-rt/{answer.json()['orthanc_id']}"


def test_a_long_repair_that_is_refused_says_so_where_it_is_followed(
    follow: Callable[..., Any], archive: ArchiveDouble, images: None
) -> None:
    sound = archive.store_instance(file_of(structure_set())).orthanc_id
    told, answer = follow(plugin.create, lambda client: client.post(f"/api/extract-rt/{sound}/repair"))
    assert (told["state"], answer.status_code) == ("failed", 409)
    assert told["message"] == answer.json()["detail"]


def test_the_original_stays_as_it_is(client: TestClient, archive: ArchiveDouble, faulty: str) -> None:
    made = client.post(f"/api/extract-rt/{faulty}/repair").json()
    assert archive.read_instance(faulty) == with_foreign_images()
    copy = dcmread(BytesIO(archive.read_instance(made["orthanc_id"])))
    assert copy.PredecessorStructureSetSequence[0].ReferencedSOPInstanceUID == made["original_sop_instance_uid"]


def test_what_cannot_be_repaired_is_told_with_the_reason(
    client: TestClient, archive: ArchiveDouble, images: None
) -> None:
    sound = archive.store_instance(file_of(structure_set())).orthanc_id
    nothing = client.post(f"/api/extract-rt/{sound}/repair")
    assert (nothing.status_code, "nothing to repair" in nothing.json()["detail"]) == (409, True)
    absent = client.post(f"/api/extract-rt/{sound}/repair", json={"series": "1.2.3.99"})
    assert (absent.status_code, "1.2.3.99" in absent.json()["detail"]) == (422, True)
    image = next(key for key, stored in archive.instances.items() if stored.sop_class_uid.endswith("1.1.2"))
    assert client.post(f"/api/extract-rt/{image}/repair").status_code == 422
    assert client.post("/api/extract-rt/1.2.3.99/repair").status_code == 404
    assert client.post(f"/api/extract-rt/{sound}/repair", json={"series": "x"}).status_code == 422


def test_without_images_there_is_no_repair(client: TestClient, archive: ArchiveDouble) -> None:
    identifier = archive.store_instance(with_foreign_images()).orthanc_id
    answer = client.post(f"/api/extract-rt/{identifier}/repair")
    assert answer.status_code == 422
    assert answer.json()["remedy"] == "Send the images that it was drawn on."


def test_a_passing_fault_is_worth_another_try(client: TestClient, archive: ArchiveDouble, faulty: str) -> None:
    archive.fail("store_instance", ArchiveError("the disk is full"))
    assert client.post(f"/api/extract-rt/{faulty}/repair").status_code == 503
    assert client.post(f"/api/extract-rt/{faulty}/repair").status_code == 201


def repairs_of(host: Host) -> Repairs:
    made = Repairs(host)
    host.events.structures_extracted.subscribe(made.on_extracted)
    host.events.study_stable.subscribe(made.on_stable)
    return made


def turn(repairs: Repairs) -> None:
    turns = 0
    while repairs.repair_next():
        turns += 1
        assert turns < 20, "it goes round in circles"


def extracted(host: Host, identifier: str) -> None:
    host.events.structures_extracted.publish(StructuresExtracted(identifier, "done", 0.1))


def test_automatic_repair_makes_one_copy_and_none_of_the_copy(host: Host, archive: ArchiveDouble, faulty: str) -> None:
    repairs = repairs_of(host)
    before = set(archive.instances)
    extracted(host, faulty)
    turn(repairs)
    (copy,) = set(archive.instances) - before
    extracted(host, copy)
    extracted(host, faulty)
    turn(repairs)
    assert set(archive.instances) - before == {copy}


def test_automatic_repair_comes_back_when_the_study_is_complete(host: Host, archive: ArchiveDouble) -> None:
    repairs = repairs_of(host)
    identifier = archive.store_instance(with_foreign_images()).orthanc_id
    extracted(host, identifier)
    turn(repairs)
    assert set(archive.instances) == {identifier}
    for file in image_files():
        archive.store_instance(file)
    host.events.study_stable.publish(StudyStable(archive.instances[identifier].ids["study"]))
    turn(repairs)
    copies = [each for each in archive.instances.values() if b"rtstruct.repair" in each.dicom]
    assert len(copies) == 1


def test_automatic_repair_leaves_sound_sets_images_and_what_is_gone_alone(
    host: Host, archive: ArchiveDouble, images: None
) -> None:
    repairs = repairs_of(host)
    sound = archive.store_instance(file_of(structure_set())).orthanc_id
    before = set(archive.instances)
    for identifier in (sound, next(iter(before)), "00000000-00000000-00000000-00000000-00000000"):
        extracted(host, identifier)
    turn(repairs)
    assert set(archive.instances) == before


def test_the_setting_is_off_or_automatic() -> None:
    assert Settings.from_environment({}).repair == "off"
    assert Settings.from_environment({"PACS_REPAIR": "automatic"}).repair == "automatic"
    with pytest.raises(SettingsError, match="off or automatic"):
        Settings.from_environment({"PACS_REPAIR": "yes"})


def test_a_series_with_two_sets_gets_copies_of_their_own(
    client: TestClient, archive: ArchiveDouble, images: None
) -> None:
    def another() -> Dataset:
        made = structure_set()
        made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = "1.2.3.6"
        return made

    first = archive.store_instance(file_of(structure_set())).orthanc_id
    archive.store_instance(file_of(another()))
    assert "several_instances_in_series" in codes(client, first)
    made = client.post(f"/api/extract-rt/{first}/repair").json()
    assert "several_instances_in_series" not in codes(client, made["orthanc_id"])
