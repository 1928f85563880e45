"""Metrics count everything and name nobody; neither does the log, after all that these tests have sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from integration import datasets
from integration.containers import Client, OrthancServer
from integration.modality import storescu
from integration.polling import eventually

NAMES = ("boost", "breast", "STS_001", "Müller", "Muller", "José", "Copy^", "SECRET_ID_OF_PATIENT", "Sekret")


@pytest.fixture
def client(orthanc: OrthancServer) -> Client:
    return orthanc.http()


def samples(client: Client) -> Iterator[Sample]:
    answer = client.get("/api/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    for family in text_string_to_metric_families(answer.text):
        yield from family.samples


def value(client: Client, name: str, **labels: str) -> float:
    return sum(s.value for s in samples(client) if s.name == name and labels.items() <= s.labels.items())


def test_an_extraction_and_its_duration_are_counted(orthanc: OrthancServer, client: Client) -> None:
    done = value(client, "pacs_extractions_total", outcome="done")
    timed = value(client, "pacs_extraction_duration_seconds_count")
    content = datasets.file_of(datasets.copy_of(datasets.STS_STRUCTURES, "METRICS"))
    assert client.post("/instances", data=content).status_code == 200

    def counted() -> bool:
        return value(client, "pacs_extractions_total", outcome="done") == done + 1

    eventually(counted, 60, "the extraction is counted")
    assert value(client, "pacs_extraction_duration_seconds_count") == timed + 1


def test_a_damaged_structure_set_is_counted_as_failed(client: Client) -> None:
    failed = value(client, "pacs_extractions_total", outcome="failed")
    assert client.post("/instances", data=datasets.structures_without_items("METRICS-2")).status_code == 200

    def counted() -> bool:
        return value(client, "pacs_extractions_total", outcome="failed") == failed + 1

    eventually(counted, 60, "the failure is counted")


def test_requests_are_counted_by_route_template_and_status(client: Client) -> None:
    name, route = "pacs_http_request_duration_seconds_count", "/api/extract-rt/{instance_id}"
    before = value(client, name, route=route, method="GET", status="404")
    for number in range(3):
        client.get(f"/api/extract-rt/1.2.3.{number}")
        client.get(f"/api/no/such/route/{number}")

    assert value(client, name, route=route, method="GET", status="404") == before + 3
    routes = {sample.labels["route"] for sample in samples(client) if sample.name == name}
    assert all("1.2.3" not in each and "such" not in each for each in routes)


def test_what_is_held_is_shown(orthanc: OrthancServer, client: Client) -> None:
    storescu(orthanc.dicom_port, datasets.STS_STRUCTURES)

    def agrees() -> bool:
        truth = client.get("/statistics").json()
        return value(client, "pacs_instances") == truth["CountInstances"] and value(client, "pacs_storage_bytes") > 0

    eventually(agrees, 60, "the gauges agree with Orthanc")
    assert value(client, "pacs_structures") > 0


def test_neither_metrics_nor_log_name_a_patient(orthanc: OrthancServer, client: Client) -> None:
    storescu(orthanc.dicom_port, datasets.STS_STRUCTURES, datasets.DICOMPYLER_STRUCTURES)
    named = datasets.copy_of(datasets.DICOMPYLER_CT, "SECRET_ID_OF_PATIENT", "Sekret^Müller")
    content = datasets.file_of(named)
    for body in (content, content[:3000], datasets.structures_without_items("SECRET_ID_OF_PATIENT")):
        client.post("/api/upload", data=body)
    client.get("/api/studies", params={"patient_name": "Müller", "limit": "Sekret"})
    client.get("/api/studies/SECRET_ID_OF_PATIENT")
    client.get("/api/extract-rt/SECRET_ID_OF_PATIENT")

    metrics, log = client.get("/api/metrics").text, orthanc.log()
    assert "pacs.extraction" in log
    for name in NAMES:
        assert name not in metrics
        lines = [line for line in log.splitlines() if name in line]
        assert not lines, lines[:3]
