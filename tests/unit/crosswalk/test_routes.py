"""``/api/crosswalk``: an administrator learns who is behind a pseudonym, and the log says who asked."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

import crosswalk as plugin
from host.plugin import Host
from store.crosswalk import Crosswalk, Original

KEY = "a-key-of-the-tests-long-enough"
ADMIN = ("admin", "any")


@pytest.fixture
def client(serve: Callable[..., TestClient], host: Host) -> TestClient:
    with host.database.begin() as connection:
        original = Original("PAT-4711", "Doe^Jane", "19500304", "1.2.3", -400)
        Crosswalk(KEY).record(connection, original, "PSEUDONYMOFDOE22", "2.25.1", "xnat")
    return serve([plugin.create], crosswalk_key=KEY)


def test_a_pseudonym_leads_to_the_patient(client: TestClient) -> None:
    page = client.get("/api/crosswalk?pseudonym=PSEUDONYMOFDOE22", auth=ADMIN).json()
    (entry,) = page["items"]
    assert (page["total"], entry["readable"], entry["destination"]) == (1, True, "xnat")
    assert (entry["patient_id"], entry["patient_name"], entry["patient_birth_date"]) == (
        "PAT-4711",
        "Doe^Jane",
        "19500304",
    )
    assert (entry["original_study_instance_uid"], entry["date_shift_days"]) == ("1.2.3", -400)
    assert client.get("/api/crosswalk?patient_id=PAT-4711").json()["items"] == [entry]
    assert client.get("/api/crosswalk?patient_id=PAT-1").json()["total"] == 0


def test_the_same_as_a_table(client: TestClient) -> None:
    answer = client.get("/api/crosswalk.csv")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert answer.headers["content-type"].startswith("text/csv")
    assert (row["pseudonym"], row["patient_name"]) == ("PSEUDONYMOFDOE22", "Doe^Jane")


def test_each_reading_is_in_the_log_without_the_patient(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "pacs.crosswalk"):
        client.get("/api/crosswalk?patient_id=PAT-4711", auth=ADMIN)
    assert "admin read 1 entries of the crosswalk" in caplog.text
    assert "4711" not in caplog.text


def test_an_entry_of_a_lost_key_is_listed_as_unreadable(client: TestClient, serve: Callable[..., TestClient]) -> None:
    (entry,) = serve([plugin.create], crosswalk_key="another-key-that-is-long").get("/api/crosswalk").json()["items"]
    assert (entry["readable"], entry["patient_id"]) == (False, None)


def test_without_a_key_the_answer_names_the_setting(serve: Callable[..., TestClient]) -> None:
    answer = serve([plugin.create]).get("/api/crosswalk")
    assert answer.status_code == 503
    assert "PACS_CROSSWALK_KEY" in answer.json()["remedy"]
