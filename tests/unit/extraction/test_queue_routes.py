"""``/api/extractions``: the queue, its history, and another try."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import BytesIO

import pytest
from fastapi.testclient import TestClient
from pydicom import dcmread

from host.plugin import Host
from store import extractions
from unit.archive_double import ArchiveDouble
from unit.extraction.conftest import damaged, extract_all


@pytest.fixture
def broken(client: TestClient, archive: ArchiveDouble, breast: bytes) -> str:
    """The identifier of a structure set whose extraction has failed."""
    identifier = archive.store_instance(damaged(breast)).orthanc_id
    extract_all(client)
    return identifier


def test_a_page_tells_state_attempts_duration_and_counts(client: TestClient, held: str) -> None:
    answer = client.get("/api/extractions").json()
    assert (answer["total"], answer["limit"], answer["offset"]) == (1, 50, 0)
    item = answer["items"][0]
    assert (item["orthanc_id"], item["state"], item["attempts"], item["error"]) == (held, "done", 1, None)
    assert item["duration_s"] > 0
    assert (item["structure_count"], item["contour_count"], item["point_count"]) == (10, 441, 88158)
    assert datetime.fromisoformat(item["finished_at"]) >= datetime.fromisoformat(item["started_at"])


def test_the_list_can_be_narrowed_to_a_state_and_paged(
    client: TestClient, archive: ArchiveDouble, broken: str, sarcoma: bytes
) -> None:
    done = archive.store_instance(sarcoma).orthanc_id
    extract_all(client)
    failed = client.get("/api/extractions?state=failed").json()
    assert [item["orthanc_id"] for item in failed["items"]] == [broken]
    assert "byte" in failed["items"][0]["error"]
    pages = [client.get(f"/api/extractions?limit=1&offset={offset}").json() for offset in (0, 1, 2)]
    assert [[item["orthanc_id"] for item in page["items"]] for page in pages] == [[done], [broken], []]
    assert {page["total"] for page in pages} == {2}


@pytest.mark.parametrize("query", ["state=lost", "limit=0", "limit=1001", "offset=-1"])
def test_a_wish_that_cannot_be_met_is_a_problem(client: TestClient, query: str) -> None:
    assert client.get(f"/api/extractions?{query}").status_code == 422


def test_what_failed_is_tried_again_on_request(client: TestClient, broken: str) -> None:
    answer = client.post(f"/api/extractions/{broken}/retry")
    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["attempts"], answer.json()["error"]) == ("pending", 0, None)
    extract_all(client)
    assert client.get("/api/extractions?state=failed").json()["items"][0]["attempts"] == 1


def test_what_is_done_is_done_again_by_its_sop_instance_uid_too(client: TestClient, held: str, breast: bytes) -> None:
    uid = dcmread(BytesIO(breast)).SOPInstanceUID
    assert client.post(f"/api/extractions/{uid}/retry").json()["state"] == "pending"
    extract_all(client)
    assert client.get("/api/extractions").json()["items"][0]["state"] == "done"


def test_what_waits_is_given_up_on_request_and_may_be_tried_again(client: TestClient, broken: str) -> None:
    client.post(f"/api/extractions/{broken}/retry")
    answer = client.post(f"/api/extractions/{broken}/cancel")
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["error"]) == ("failed", "cancelled by hand")
    extract_all(client)
    assert client.get("/api/extractions?state=failed").json()["items"][0]["attempts"] == 0
    again = client.post(f"/api/extractions/{broken}/cancel")
    assert again.status_code == 409
    assert "does not wait: it is failed" in again.json()["detail"]
    assert client.post(f"/api/extractions/{broken}/retry").json()["state"] == "pending"


def test_what_was_never_queued_is_404(client: TestClient, archive: ArchiveDouble, slice_of_ct: bytes) -> None:
    identifier = archive.store_instance(slice_of_ct).orthanc_id
    for unknown in (identifier, "1.2.3"):
        for action in ("retry", "cancel"):
            answer = client.post(f"/api/extractions/{unknown}/{action}")
            assert answer.status_code == 404
            assert unknown in answer.json()["detail"]


def test_what_runs_is_409(client: TestClient, archive: ArchiveDouble, broken: str, host: Host) -> None:
    client.post(f"/api/extractions/{broken}/retry")
    with host.database.begin() as connection:
        assert extractions.claim(connection, "somebody", timedelta(minutes=1))
    answer = client.post(f"/api/extractions/{broken}/retry")
    assert answer.status_code == 409
    assert answer.json()["remedy"] == "Wait for it to end."
    assert client.post(f"/api/extractions/{broken}/cancel").status_code == 409
