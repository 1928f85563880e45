"""The catalogue follows Orthanc: what arrives is listed, searched and counted; what is deleted disappears."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom import dcmread

from integration import datasets
from integration.containers import Client, OrthancServer
from integration.modality import c_store, storescu
from integration.polling import eventually

LISTED_S = 60.0


@pytest.fixture
def client(orthanc: OrthancServer) -> Client:
    return orthanc.http()


@pytest.fixture
def with_studies(orthanc: OrthancServer, client: Client) -> Client:
    """STS_001 (a few slices and the structures) and dicompyler, both listed whole."""
    storescu(orthanc.dicom_port, datasets.STS_STRUCTURES, *datasets.STS_CT[:3])
    storescu(orthanc.dicom_port, datasets.DICOMPYLER_STRUCTURES, datasets.DICOMPYLER_CT)
    listed(client, datasets.STS_STUDY, instance_count=4)
    listed(client, datasets.DICOMPYLER_STUDY, instance_count=2)
    return client


def listed(client: Client, study: str, **expected: Any) -> dict[str, Any]:
    """The study, once the catalogue says this of it."""

    def look() -> dict[str, Any]:
        assert study in found(client)
        answer = client.get(f"/api/studies/{study}")
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        assert {name: told[name] for name in expected} == expected
        return told

    return eventually(look, LISTED_S, "the study is listed")


def found(client: Client, **search: Any) -> list[str]:
    answer = client.get("/api/studies", params=search | {"limit": 1000})
    assert answer.status_code == 200, answer.text
    return [item["study_instance_uid"] for item in answer.json()["items"]]


def test_a_study_shows_what_its_files_say(with_studies: Client) -> None:
    study = listed(with_studies, datasets.STS_STUDY)
    dataset = dcmread(datasets.STS_STRUCTURES)

    assert (study["patient_id"], study["patient_name"]) == (dataset.PatientID, str(dataset.PatientName))
    assert study["study_date"] == dataset.StudyDate
    assert study["modalities"] == ["CT", "RTSTRUCT"]
    assert (study["series_count"], study["instance_count"]) == (2, 4)
    assert {each["modality"]: each["instance_count"] for each in study["series"]} == {"CT": 3, "RTSTRUCT": 1}
    assert study["size_bytes"] == sum(each["size_bytes"] for each in study["series"]) > 0
    assert with_studies.get(f"/api/studies/{study['orthanc_id']}").json() == study


@pytest.mark.parametrize(("charset", "uid_part"), [("ISO_IR 192", "UTF8"), ("ISO_IR 100", "LATIN1")])
def test_an_accented_name_is_found_with_and_without_its_accents(
    orthanc: OrthancServer, client: Client, charset: str, uid_part: str
) -> None:
    dataset = datasets.copy_of(
        datasets.DICOMPYLER_CT, f"ACCENT-{uid_part}", "Müller^José", SpecificCharacterSet=charset
    )
    assert c_store(orthanc.dicom_port, datasets.file_of(dataset)) == [0x0000]
    listed(client, dataset.StudyInstanceUID, patient_name="Müller^José")

    for asked in ("Müller", "muller", "MÜLLER JOSE", "müller^josé", "M?ller*", "*José"):
        assert dataset.StudyInstanceUID in found(client, patient_name=asked), asked
    assert dataset.StudyInstanceUID in found(client, q=f"josé accent-{uid_part.lower()} ct")
    for asked in ("Muller*x", "?ller*", "M?ller"):
        assert dataset.StudyInstanceUID not in found(client, patient_name=asked), asked


def test_wildcards_of_sql_are_plain_characters(with_studies: Client) -> None:
    assert found(with_studies, patient_name="%") == []
    assert datasets.STS_STUDY in found(with_studies, patient_id="STS_0")
    assert found(with_studies, patient_id="STS__001") == []


def test_studies_are_filtered_by_modality_and_date(with_studies: Client) -> None:
    both = {datasets.STS_STUDY, datasets.DICOMPYLER_STUDY}
    assert both <= set(found(with_studies, modality="rtstruct"))
    assert not both & set(found(with_studies, modality="RT"))
    for span, held in (
        ({"date_from": "20000907", "date_to": "2000-09-07"}, True),
        ({"date_from": "2000-09-08", "date_to": "20010101"}, False),
        ({"date_to": "20000906"}, False),
    ):
        assert (datasets.STS_STUDY in found(with_studies, **span)) is held, span


def test_studies_are_sorted_and_paged_without_gaps(with_studies: Client) -> None:
    for key in ("patient_name", "study_date", "arrived_at", "instance_count", "size_bytes"):
        whole = found(with_studies, sort=key, order="asc")
        paged: list[str] = []
        for offset in range(0, len(whole), 2):
            page = with_studies.get("/api/studies", params={"sort": key, "order": "asc", "limit": 2, "offset": offset})
            body = page.json()
            assert (body["total"], body["limit"], body["offset"]) == (len(whole), 2, offset)
            paged += [item["study_instance_uid"] for item in body["items"]]
        assert paged == whole
        assert found(with_studies, sort=key, order="desc") == whole[::-1]
    sizes = [item["size_bytes"] for item in with_studies.get("/api/studies?sort=size_bytes&order=desc").json()["items"]]
    assert sizes == sorted(sizes, reverse=True)


def test_a_late_instance_updates_the_counts_and_a_deleted_one_too(orthanc: OrthancServer, client: Client) -> None:
    first = datasets.copy_of(datasets.DICOMPYLER_CT, "LATE")
    contents = [datasets.file_of(first), datasets.file_of(datasets.renumber(first))]
    uid = first.StudyInstanceUID
    assert c_store(orthanc.dicom_port, contents[0]) == [0x0000]
    listed(client, uid, instance_count=1)
    assert c_store(orthanc.dicom_port, contents[1]) == [0x0000]
    study = listed(client, uid, instance_count=2)

    one = client.get(f"/studies/{study['orthanc_id']}/instances").json()[0]["ID"]
    assert client.delete(f"/instances/{one}").status_code == 200
    listed(client, uid, instance_count=1)
    assert client.delete(f"/studies/{study['orthanc_id']}").status_code == 200
    eventually(lambda: client.get(f"/api/studies/{uid}").status_code == 404, LISTED_S, "the study is gone")
    assert uid not in found(client, patient_id="LATE")


def test_the_statistics_agree_with_orthancs(with_studies: Client) -> None:
    def agree() -> bool:
        stats, truth = with_studies.get("/api/stats").json(), with_studies.get("/statistics").json()
        ours = {name: stats[name] for name in ("patients", "studies", "series", "instances")}
        theirs = {name: truth[f"Count{name.capitalize()}"] for name in ours}
        assert ours == theirs
        assert sum(each["instances"] for each in stats["by_modality"]) == truth["CountInstances"]
        assert sum(day["instances"] for day in stats["growth"]) == truth["CountInstances"]
        return True

    assert eventually(agree, LISTED_S, "the statistics agree")
    totals = with_studies.get("/api/stats").json()["extractions"]
    assert totals["done"] >= 2
    assert totals["structures"] > 0


def test_a_rebuild_reads_every_study_again_and_changes_nothing_else(
    orthanc: OrthancServer, with_studies: Client
) -> None:
    before = listed(with_studies, datasets.STS_STUDY)
    assert with_studies.post("/api/catalogue/rebuild").status_code == 202

    def rebuilt() -> dict[str, Any]:
        study: dict[str, Any] = with_studies.get(f"/api/studies/{datasets.STS_STUDY}").json()
        assert study["updated_at"] > before["updated_at"]
        return study

    assert eventually(rebuilt, LISTED_S, "it is rebuilt") | {"updated_at": None} == before | {"updated_at": None}
