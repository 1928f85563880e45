"""The routes of destinations and deliveries, on a real outbox."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient

from deidentification import RESEARCH
from forwarding.configuration import Dicomweb, NamedProfile, Window
from forwarding.model import HeldBack, Unreachable
from forwarding.routes import create_router
from forwarding.service import Forwarding
from host.plugin import Host, Plugin
from unit.archive_double import ArchiveDouble
from unit.forwarding.conftest import ARCHIVE
from unit.forwarding.memory_sender import MemorySender
from unit.host.dicom_files import UID_ROOT, instance_file, study_id

RESEARCH_WEB = replace(
    ARCHIVE,
    name="research",
    endpoint=Dicomweb("https://research.example/dicom-web", "forwarder", "s3cret"),
    selections=(),
    profile=NamedProfile("trial", RESEARCH),
)


@pytest.fixture
def forwarding(make_forwarding: Callable[..., Forwarding]) -> Forwarding:
    return make_forwarding(ARCHIVE, RESEARCH_WEB)


@pytest.fixture
def client(forwarding: Forwarding, serve: Callable[..., TestClient]) -> TestClient:
    def create(_host: Host) -> Plugin:
        router: APIRouter = create_router(forwarding)
        return Plugin("forwarding", router)

    return serve([create])


@pytest.fixture
def stored(archive: ArchiveDouble) -> str:
    """A study of two instances."""
    for sop in ("1", "2"):
        archive.store_instance(instance_file(sop=sop, StudyDescription="=Thorax", PatientName="Müller^Zoé"))
    return study_id()


def send(client: TestClient, study: str, destination: str = "archive") -> int:
    answer = client.post("/api/deliveries", json={"study": study, "destination": destination})
    assert answer.status_code == 202, answer.text
    return int(answer.json()["id"])


def test_destinations_tell_where_and_how_without_secrets(client: TestClient) -> None:
    answer = client.get("/api/destinations")
    archive, research = answer.json()["items"]
    assert (archive["name"], archive["kind"], archive["address"]) == ("archive", "dicom", "ARCHIVE")
    assert (archive["deidentified"], archive["profile"], archive["state"]) == (False, None, "unknown")
    assert (research["kind"], research["address"]) == ("dicomweb", "https://research.example/dicom-web")
    assert (research["deidentified"], research["profile"]) == (True, "trial")
    assert "s3cret" not in answer.text


def test_a_probe_tells_what_it_found(client: TestClient, sender: MemorySender) -> None:
    sender.probe_faults = [Unreachable("connection refused: is it running?")]
    down = client.post("/api/destinations/archive/probe").json()
    assert (down["state"], down["reason"]) == ("down", "connection refused: is it running?")
    up = client.post("/api/destinations/archive/probe").json()
    assert (up["state"], up["reason"]) == ("up", None)
    assert client.get("/api/destinations").json()["items"][0]["state"] == "up"


def test_outside_its_window_a_destination_is_paused(
    make_forwarding: Callable[..., Forwarding], serve: Callable[..., TestClient]
) -> None:
    now = datetime.now()
    window = Window((now + timedelta(hours=2)).time(), (now + timedelta(hours=3)).time())
    router = create_router(make_forwarding(replace(ARCHIVE, window=window)))
    (item,) = serve([lambda _host: Plugin("forwarding", router)]).get("/api/destinations").json()["items"]
    assert (item["state"], item["reason"]) == ("paused", "outside its time window; what is sent by hand goes")


def test_a_study_is_sent_by_hand_by_either_identifier(client: TestClient, stored: str) -> None:
    answer = client.post("/api/deliveries", json={"study": stored, "destination": "archive"})
    item = answer.json()
    assert (answer.status_code, item["state"], item["by_hand"]) == (202, "waiting", True)
    assert (item["instances_total"], item["patient_name"], item["study_description"]) == (2, "Müller^Zoé", "=Thorax")
    number = send(client, f"{UID_ROOT}.1", "research")
    assert client.get(f"/api/deliveries/{number}").json()["study_orthanc_id"] == stored


def test_what_cannot_be_sent_says_why_and_what_to_do(client: TestClient, stored: str) -> None:
    number = send(client, stored)
    again = client.post("/api/deliveries", json={"study": stored, "destination": "archive"})
    assert again.status_code == 409
    assert again.json()["delivery"] == number
    assert f"/api/deliveries/{number}/retry" in again.json()["remedy"]
    for study in ("1.2.3", study_id("other")):
        unknown = client.post("/api/deliveries", json={"study": study, "destination": "archive"})
        assert (unknown.status_code, unknown.json()["detail"]) == (404, f"There is no study {study}.")
    nowhere = client.post("/api/deliveries", json={"study": stored, "destination": "moon"})
    assert nowhere.status_code == 404
    assert "archive, research" in nowhere.json()["remedy"]
    assert client.post("/api/deliveries", json={"study": "1.2.*", "destination": "archive"}).status_code == 422
    assert client.post("/api/destinations/moon/probe").status_code == 404


def test_a_failed_delivery_is_tried_again_and_a_delivered_one_is_not(
    client: TestClient, stored: str, sender: MemorySender, forwarding: Forwarding
) -> None:
    number = send(client, stored)
    sender.faults = [HeldBack("secondary capture")]
    forwarding.lines["archive"].delivering.deliver_next()
    failed = client.get(f"/api/deliveries/{number}").json()
    assert (failed["state"], failed["reason"], failed["next_try_at"]) == (
        "failed",
        "held back: secondary capture",
        None,
    )
    again = client.post(f"/api/deliveries/{number}/retry")
    assert (again.status_code, again.json()["state"], again.json()["reason"]) == (202, "waiting", None)
    forwarding.lines["archive"].delivering.deliver_next()
    delivered = client.get(f"/api/deliveries/{number}").json()
    assert (delivered["state"], delivered["proof"], delivered["instances_sent"]) == ("delivered", "c_find", 2)
    assert delivered["duration_s"] is not None
    for order in ("retry", "cancel"):
        refused = client.post(f"/api/deliveries/{number}/{order}")
        assert (refused.status_code, refused.json()["detail"]) == (409, f"Delivery {number} is delivered.")
        assert client.post(f"/api/deliveries/99/{order}").status_code == 404


def test_many_are_retried_or_cancelled_at_once(client: TestClient, stored: str) -> None:
    numbers = [send(client, stored), send(client, stored, "research")]
    assert client.post("/api/deliveries/cancel", json={"ids": [*numbers, 99]}).json() == {"changed": 2}
    assert client.get("/api/deliveries?state=cancelled").json()["total"] == 2
    assert client.post("/api/deliveries/retry", json={"ids": numbers}).json() == {"changed": 2}
    assert client.post("/api/deliveries/retry", json={"ids": []}).status_code == 422


def test_the_list_is_filtered_and_paged(client: TestClient, stored: str) -> None:
    first, second = send(client, stored), send(client, stored, "research")

    def found(query: str) -> list[int]:
        return [item["id"] for item in client.get(f"/api/deliveries?{query}").json()["items"]]

    assert found("") == [second, first]
    assert found("limit=1&offset=1") == [first]
    assert found("destination=research") == [second]
    assert found("q=muller+zoe") == [second, first]
    assert found(f"study={UID_ROOT}.1&destination=archive") == [first]
    assert found("state=failed") == []
    assert found("since=2000-01-01T00:00:00") == [second, first]
    assert found(f"since={(datetime.now(UTC) + timedelta(hours=1)):%Y-%m-%dT%H:%M:%SZ}") == []
    assert client.get("/api/deliveries?state=lost").status_code == 422


def test_the_list_is_a_table_that_runs_no_formula(client: TestClient, stored: str) -> None:
    number = send(client, stored)
    answer = client.get("/api/deliveries.csv?destination=archive")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["id"], row["state"], row["study_description"]) == (str(number), "waiting", "'=Thorax")


def test_the_summary_counts_every_destination(
    client: TestClient, stored: str, forwarding: Forwarding, sender: MemorySender
) -> None:
    send(client, stored)
    sender.faults = [None]
    forwarding.lines["archive"].delivering.deliver_next()
    send(client, stored, "research")
    archive, research = client.get("/api/deliveries/summary").json()["items"]
    assert (archive["destination"], archive["delivered"], archive["waiting"]) == ("archive", 1, 0)
    assert archive["last_success_at"] is not None
    assert archive["oldest_waiting_s"] is None
    assert (research["waiting"], research["last_success_at"]) == (1, None)
    assert 0 <= research["oldest_waiting_s"] < 60


def test_without_a_destination_the_lists_are_empty(
    make_forwarding: Callable[..., Forwarding], serve: Callable[..., TestClient]
) -> None:
    router = create_router(make_forwarding())
    client = serve([lambda _host: Plugin("forwarding", router)])
    assert client.get("/api/destinations").json() == {"items": []}
    assert client.get("/api/deliveries/summary").json() == {"items": []}
    assert client.get("/api/deliveries").json()["total"] == 0
