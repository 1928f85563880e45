"""``/api/status`` and ``/api/health`` as clients see them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

import status
from host.application import create_application
from host.archive import ArchiveError
from host.plugin import Host, Plugin
from host.settings import PostgresSettings, ServiceSettings, Settings
from unit.archive_double import ArchiveDouble

Started = Callable[..., tuple[TestClient, Plugin]]


@pytest.fixture
def start(host: Host) -> Iterator[Started]:
    """A client of the status plugin with these settings, its probes running."""
    plugins: list[Plugin] = []

    def make(**settings: Any) -> tuple[TestClient, Plugin]:
        plugin = status.create(replace(host, settings=replace(host.settings, probe_interval_s=0.05, **settings)))
        plugins.append(plugin)
        for part in plugin.background:
            part.start()
        return TestClient(create_application([plugin], host.events)), plugin

    yield make
    for plugin in plugins:
        for part in plugin.background:
            part.stop()
            part.join()


def states(client: TestClient) -> dict[str, str]:
    answer = client.get("/api/status")
    assert answer.status_code == 200
    return {service["name"]: service["state"] for service in answer.json()["services"]}


def test_every_service_of_the_stack_is_listed_whether_configured_or_not(
    start: Started, eventually: Callable[..., None]
) -> None:
    services = Settings.from_environment({}).services
    client, _ = start(services=services)
    eventually(lambda: states(client)["orthanc"] == "up")
    expected = ["orthanc", "postgres", "dashboard", "ohif", "dcm4chee", "xnat", "prometheus", "grafana"]
    assert list(states(client)) == expected
    assert {states(client)[name] for name in expected[1:]} == {"not_configured"}
    body = client.get("/api/status").json()
    assert body["status"] == "up"
    assert set(body["services"][0]) >= {"name", "state", "latency_ms", "version", "since", "reason"}
    assert body["services"][0]["version"] == "1.13.0"


def test_registered_modalities_are_watched_but_not_twice(
    start: Started, archive: ArchiveDouble, eventually: Callable[..., None]
) -> None:
    archive.modalities = ["dcm4chee", "PET"]
    client, _ = start(services=(ServiceSettings("dcm4chee", modality="dcm4chee"),))
    eventually(lambda: set(states(client).values()) == {"up", "not_configured"})
    assert list(states(client)) == ["orthanc", "postgres", "dcm4chee", "modality:PET"]


def test_when_orthanc_fails_health_answers_503_and_status_still_200(
    start: Started, archive: ArchiveDouble, eventually: Callable[..., None]
) -> None:
    client, _ = start()
    eventually(lambda: client.get("/api/health").json()["status"] == "up")
    assert client.get("/api/health").status_code == 200
    archive.fail("get", ArchiveError("no index"), times=10**9, about="/statistics")
    eventually(lambda: client.get("/api/health").status_code == 503)
    assert states(client)["orthanc"] == "down"
    assert client.get("/api/health").json()["services"][0]["reason"]


def test_a_peer_that_is_away_leaves_health_at_200(start: Started, eventually: Callable[..., None]) -> None:
    client, _ = start(services=(ServiceSettings("xnat", url="http://127.0.0.1:9/"),))
    eventually(lambda: states(client)["xnat"] == "down")
    assert client.get("/api/status").json()["status"] == "degraded"
    assert client.get("/api/health").status_code == 200


def test_a_configured_database_that_is_away_makes_the_whole_down(
    start: Started, eventually: Callable[..., None]
) -> None:
    client, _ = start(postgres=PostgresSettings("127.0.0.1", 9, "pacs", "pacs", "secret"))
    eventually(lambda: states(client)["postgres"] == "down")
    assert client.get("/api/health").status_code == 503
