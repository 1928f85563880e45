"""The state of the stack, from memory: right about every peer, quick even when one hangs."""

from __future__ import annotations

import statistics
import time
from typing import Any

import pytest

from integration.containers import Client, OrthancServer, Postgres
from integration.polling import eventually

PROBED_WITHIN_S = 60.0
#: With an interval and a time-out of one second each, how long a database that hangs may go unnoticed.
NOTICED_WITHIN_S = 120.0
#: A probe of the service that hangs takes a thousand.
MEDIAN_MS = 500.0


@pytest.fixture
def client(orthanc: OrthancServer) -> Client:
    return orthanc.http("viewer")


def service(client: Client, name: str, state: str) -> dict[str, Any]:
    """The service, once it has this state."""

    def look() -> dict[str, Any]:
        services = client.get("/api/status").json()["services"]
        found: dict[str, Any] = next(each for each in services if each["name"] == name)
        assert found["state"] == state, found
        return found

    return eventually(look, PROBED_WITHIN_S, f"{name} is {state}")


def test_every_service_of_the_stack_is_listed(client: Client) -> None:
    names = [each["name"] for each in client.get("/api/status").json()["services"]]

    expected = ["orthanc", "postgres", "dashboard", "ohif", "dcm4chee", "xnat", "prometheus", "grafana"]
    assert names == [*expected, "modality:gone", "modality:reader"]


def test_orthanc_and_its_database_are_up_with_their_versions(client: Client, database: str) -> None:
    orthanc = service(client, "orthanc", "up")
    assert orthanc["version"] == client.get("/system").json()["Version"]
    assert orthanc["latency_ms"] > 0
    if database == "postgres":
        assert service(client, "postgres", "up")["version"].startswith("18")
    else:
        assert service(client, "postgres", "not_configured")["version"] is None
    assert service(client, "xnat", "not_configured")["reason"]


def test_a_service_that_hangs_is_down_and_the_reason_says_how_long_it_was_given(client: Client) -> None:
    assert "within 1 s" in service(client, "grafana", "down")["reason"]


def test_the_answer_comes_from_memory_while_a_service_hangs(client: Client) -> None:
    service(client, "grafana", "down")
    durations_ms = []
    for _ in range(50):
        begin = time.perf_counter()
        assert client.get("/api/status").status_code == 200
        durations_ms.append((time.perf_counter() - begin) * 1000)

    assert statistics.median(durations_ms) < MEDIAN_MS


def test_modalities_are_asked_by_c_echo(client: Client) -> None:
    assert "C-ECHO" in service(client, "modality:gone", "down")["reason"]
    assert service(client, "modality:reader", "up")["latency_ms"] > 0


def test_peers_that_are_down_degrade_the_stack_but_not_its_health(client: Client) -> None:
    service(client, "grafana", "down")
    assert client.get("/api/status").json()["status"] == "degraded"
    assert client.get("/api/health").status_code == 200


def test_health_is_503_while_the_database_hangs_and_200_again_after(
    orthanc_on_postgres: OrthancServer, postgres: Postgres
) -> None:
    client = orthanc_on_postgres.http("viewer")
    service(client, "postgres", "up")
    postgres.pause()
    try:
        eventually(lambda: client.get("/api/health").status_code == 503, NOTICED_WITHIN_S, "it is noticed")
        status = client.get("/api/status")
        assert status.status_code == 200
        assert status.json()["status"] == "down"
        # Orthanc's own probe hangs on the same database, and may be noticed first.
        assert service(client, "postgres", "down")["reason"]
    finally:
        postgres.unpause()
    eventually(lambda: client.get("/api/health").status_code == 200, NOTICED_WITHIN_S, "it is well again")
    service(client, "postgres", "up")
