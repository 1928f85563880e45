"""What Prometheus scrapes is well-formed, adds up, and outlasts the database."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.exc import OperationalError

import metrics
import status
from host.archive import ArchiveError
from host.events import InstanceStored, StructuresExtracted
from host.plugin import Host
from metrics.service import LAST_BACKUP
from status.metrics import ServiceMetrics
from status.service import Check, Monitor, ProbeError, Service
from store import extractions
from store.outcomes import Outcome, StructureRow
from store.tables import extraction
from unit.host.dicom_files import instance_file

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def client(serve: Callable[..., TestClient]) -> TestClient:
    return serve([metrics.create, status.create])


def scrape(client: TestClient) -> Samples:
    """Value by name and labels."""
    answer = client.get("/api/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


def test_every_metric_has_a_help_text_a_type_and_our_prefix(client: TestClient) -> None:
    client.get("/api/status")
    families = list(text_string_to_metric_families(client.get("/api/metrics").text))
    assert len(families) > 8
    for family in families:
        assert family.name.startswith("pacs_")
        assert len(family.documentation) > 10, family.name
        assert family.type != "unknown", family.name
    names = [family.name for family in families]
    assert len(names) == len(set(names))


def test_requests_are_counted_and_timed_by_route_method_and_status(client: TestClient) -> None:
    for _ in range(3):
        client.get("/api/status")
    client.post("/api/status")
    client.get("/api/nothing/Dupont")
    samples = scrape(client)
    name = "pacs_http_request_duration_seconds"
    assert value(samples, f"{name}_count", route="/api/status", method="GET", status="200") == 3
    assert 0 < value(samples, f"{name}_sum", route="/api/status", method="GET", status="200") < 10
    assert value(samples, f"{name}_bucket", route="/api/status", method="GET", status="200", le="+Inf") == 3
    assert value(samples, f"{name}_count", route="unknown", method="GET", status="404") == 1
    assert not any("Dupont" in str(key) for key in samples)


def test_requests_are_counted_by_account_and_what_is_none_has_no_name(client: TestClient) -> None:
    client.get("/api/status", auth=("viewer", "secret"))
    client.get("/api/status", auth=("Dupont", "secret"))
    counted = {key: found for key, found in scrape(client).items() if key[0] == "pacs_api_requests_total"}
    accounts = {dict(labels)["account"]: found for (_, labels), found in counted.items()}
    assert accounts == {"admin": 0, "viewer": 1, "prometheus": 0, "": 1}


def test_extractions_are_counted_by_outcome_from_zero(client: TestClient, host: Host) -> None:
    for outcome in ("done", "failed", "pending"):
        assert value(scrape(client), "pacs_extractions_total", outcome=outcome) == 0
    for state, duration_s in (("done", 0.2), ("done", 2.0), ("pending", 1.0), ("failed", 1.0)):
        host.events.structures_extracted.publish(StructuresExtracted("a", state, duration_s))  # type: ignore[arg-type]
    samples = scrape(client)
    assert value(samples, "pacs_extractions_total", outcome="done") == 2
    assert value(samples, "pacs_extractions_total", outcome="failed") == 1
    assert value(samples, "pacs_extraction_duration_seconds_count") == 2
    assert value(samples, "pacs_extraction_duration_seconds_sum") == pytest.approx(2.2)


def test_an_empty_server_shows_zeros(client: TestClient) -> None:
    samples = scrape(client)
    for state in ("pending", "running", "done", "failed"):
        assert value(samples, "pacs_extraction_queue", state=state) == 0
    for name in ("patients", "studies", "series", "instances", "storage_bytes", "structures"):
        assert value(samples, f"pacs_{name}") == 0
    assert value(samples, "pacs_extraction_queue_oldest_age_seconds") == 0


def test_holdings_and_queue_are_true_at_the_moment_of_the_scrape(client: TestClient, host: Host) -> None:
    files = [instance_file(str(sop), str(sop // 2), "study") for sop in range(4)]
    for file in files:
        host.archive.store_instance(file)
    with host.database.begin() as connection:
        extractions.enqueue(connection, ["x"], 1)
        claimed = extractions.claim(connection, "me", timedelta(minutes=1))
        assert claimed
        row = StructureRow(0, 1, "PTV", None, None, 1, 1, 1, None, None, None, None, 0)
        extractions.finish(connection, claimed, 0.1, 1, Outcome("1", "2", "3", None, 1, 1, 1), [row])
        extractions.enqueue(connection, ["y", "z"], 1)
        then = datetime.now(UTC) - timedelta(minutes=5)
        connection.execute(extraction.update().where(extraction.c.orthanc_id == "y").values(enqueued_at=then))
    samples = scrape(client)
    assert value(samples, "pacs_patients") == 1
    assert value(samples, "pacs_studies") == 1
    assert value(samples, "pacs_series") == 2
    assert value(samples, "pacs_instances") == 4
    assert value(samples, "pacs_storage_bytes") == sum(map(len, files))
    assert value(samples, "pacs_extraction_queue", state="pending") == 2
    assert value(samples, "pacs_extraction_queue", state="done") == 1
    assert value(samples, "pacs_structures") == 1
    assert value(samples, "pacs_extraction_queue_oldest_age_seconds") == pytest.approx(300, abs=30)


def test_when_the_database_is_down_the_counters_are_still_served(
    client: TestClient, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/api/status")

    def away(_self: Any) -> None:
        raise OperationalError("BEGIN", {}, Exception("away"))

    with monkeypatch.context() as broken:
        broken.setattr(type(host.database), "begin", away)
        samples = scrape(client)
    name = "pacs_http_request_duration_seconds_count"
    assert value(samples, name, route="/api/status", method="GET", status="200") == 1
    assert ("pacs_structures", ()) not in samples
    assert value(samples, "pacs_studies") == 0
    assert value(scrape(client), "pacs_structures") == 0


def test_when_orthancs_index_is_down_the_counters_are_still_served(
    client: TestClient, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/api/status")

    def away(_self: Any, path: str) -> None:
        raise ArchiveError(path)

    with monkeypatch.context() as broken:
        broken.setattr(type(host.archive), "get", away)
        samples = scrape(client)
    assert ("pacs_studies", ()) not in samples
    assert value(samples, "pacs_structures") == 0


def test_each_server_counts_for_itself(serve: Callable[..., TestClient]) -> None:
    """A registry of its own: two servers in one process would else be refused."""
    samples = scrape(serve([metrics.create]))
    assert not any(name.startswith(("python_", "process_")) for name, _ in samples)


def test_arrivals_are_counted_those_already_held_included(client: TestClient, host: Host) -> None:
    assert value(scrape(client), "pacs_instances_received_total") == 0
    for _ in range(3):
        host.events.instance_stored.publish(InstanceStored("a", "1.2.840.10008.5.1.4.1.1.2"))
    assert value(scrape(client), "pacs_instances_received_total") == 3


def test_the_disk_is_measured_where_orthanc_stores(client: TestClient, host: Host) -> None:
    usage = shutil.disk_usage(host.settings.data_directory)
    samples = scrape(client)
    assert value(samples, "pacs_disk_size_bytes") == usage.total
    assert value(samples, "pacs_disk_free_bytes") == pytest.approx(usage.free, rel=0.2)


def test_the_last_backup_is_told_once_there_is_one(client: TestClient, host: Host) -> None:
    name = "pacs_last_backup_timestamp_seconds"
    assert (name, ()) not in scrape(client)
    (host.settings.data_directory / LAST_BACKUP).touch()
    assert value(scrape(client), name) == pytest.approx(time.time(), abs=60)


def test_services_are_gauges_from_their_first_probe_on(host: Host) -> None:
    well = Service("orthanc", (Check("orthanc", lambda: "1.13"),))
    away = Service("xnat", (Check("web", _refuse),))
    monitor = Monitor([well, away, Service("grafana", ())], lambda: [], 60, 60)
    collector = ServiceMetrics(monitor)
    assert [family.samples for family in collector.collect()] == [[], []]
    monitor.probe(well)
    monitor.probe(away)
    up, latency = collector.collect()
    assert {sample.labels["service"]: sample.value for sample in up.samples} == {"orthanc": 1, "xnat": 0}
    assert [sample.labels["service"] for sample in latency.samples] == ["orthanc"]


def _refuse() -> None:
    raise ProbeError("refused")
