"""``/api/studies`` and ``/api/stats`` as clients see them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

import catalogue
from catalogue.follower import Follower
from host.archive import ArchiveError
from host.events import Events
from unit.archive_double import ArchiveDouble
from unit.host.dicom_files import UID_ROOT, instance_file, study_id

NAMES = ["Dupont^Renée", "Müller^Jörg", "Martin^Zoë"]


@pytest.fixture
def client(
    archive: ArchiveDouble, events: Events, serve: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> TestClient:
    """Three studies of three patients: one CT slice, two, three with an MR series."""
    followers = []
    make = Follower

    def remembered(*arguments: object) -> Follower:
        followers.append(make(*arguments))  # type: ignore[arg-type]
        return followers[-1]

    monkeypatch.setattr(catalogue, "Follower", remembered)
    made = serve([catalogue.create])
    now = datetime.now(UTC)
    for number, name in enumerate(NAMES, 1):
        archive.now = now - timedelta(days=40 * (3 - number))
        for sop in range(number):
            modality = "MR" if sop == 2 else "CT"
            tags = {
                "PatientID": f"P{number}",
                "PatientName": name,
                "Modality": modality,
                "StudyDate": f"2024010{number}",
            }
            archive.store_instance(instance_file(str(sop), (modality == "MR" and "9") or "1", str(number), **tags))
    monkeypatch.setattr("catalogue.follower._QUIET_S", 0.0)
    followers[0]._turn()
    made.turn = followers[0]._turn
    return made


def names(client: TestClient, query: str = "") -> list[str]:
    answer = client.get(f"/api/studies{query}")
    assert answer.status_code == 200
    return [item["patient_name"] for item in answer.json()["items"]]


def test_a_page_has_items_total_limit_and_offset(client: TestClient) -> None:
    answer = client.get("/api/studies?limit=2&offset=1").json()
    assert set(answer) == {"items", "total", "limit", "offset"}
    assert (answer["total"], answer["limit"], answer["offset"], len(answer["items"])) == (3, 2, 1, 2)


def test_without_any_wish_the_latest_arrival_comes_first(client: TestClient) -> None:
    assert names(client) == ["Martin^Zoë", "Müller^Jörg", "Dupont^Renée"]


def test_an_item_tells_what_a_list_shows(client: TestClient) -> None:
    item = client.get("/api/studies?q=zoe").json()["items"][0]
    assert item["orthanc_id"] == study_id("3", "P3")
    assert item["study_instance_uid"] == f"{UID_ROOT}.3"
    assert (item["patient_id"], item["study_date"]) == ("P3", "20240103")
    assert item["modalities"] == ["CT", "MR"]
    assert (item["series_count"], item["instance_count"]) == (2, 3)
    assert item["size_bytes"] > 0
    assert datetime.fromisoformat(item["arrived_at"]).tzinfo is not None
    assert not [name for name in item if name.startswith("folded")]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?q=muller", ["Müller^Jörg"]),
        ("?q=M%C3%BCller+ct", ["Müller^Jörg"]),
        ("?patient_name=m*", ["Martin^Zoë", "Müller^Jörg"]),
        ("?patient_id=P1", ["Dupont^Renée"]),
        ("?modality=MR", ["Martin^Zoë"]),
        ("?modality=R", []),
        ("?date_from=2024-01-02", ["Martin^Zoë", "Müller^Jörg"]),
        ("?date_from=20240102&date_to=20240102", ["Müller^Jörg"]),
        ("?description=%25", []),
        ("?sort=patient_name&order=asc", ["Dupont^Renée", "Martin^Zoë", "Müller^Jörg"]),
        ("?sort=patient_name&order=desc", ["Müller^Jörg", "Martin^Zoë", "Dupont^Renée"]),
        ("?sort=instance_count&order=asc", ["Dupont^Renée", "Müller^Jörg", "Martin^Zoë"]),
        ("?sort=study_date&order=asc&limit=1&offset=1", ["Müller^Jörg"]),
    ],
)
def test_searching_and_sorting(client: TestClient, query: str, expected: list[str]) -> None:
    assert names(client, query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "sort=name",
        "order=up",
        "limit=0",
        "limit=1001",
        "offset=-1",
        "date_from=yesterday",
        "date_to=2024",
        "q=" + "x" * 201,
    ],
)
def test_a_wish_that_cannot_be_met_is_a_problem(client: TestClient, query: str) -> None:
    answer = client.get(f"/api/studies?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "query." + query.split("=")[0]


def test_one_study_is_found_by_either_identifier_with_its_series(client: TestClient) -> None:
    for identifier in (study_id("3", "P3"), f"{UID_ROOT}.3"):
        found = client.get(f"/api/studies/{identifier}").json()
        assert found["patient_name"] == "Martin^Zoë"
        assert sorted((each["modality"], each["instance_count"]) for each in found["series"]) == [("CT", 2), ("MR", 1)]
        assert set(found["series"][0]) >= {"orthanc_id", "series_instance_uid", "number", "description", "station"}


def test_a_study_that_has_only_just_arrived_is_told_before_it_is_written_down(
    client: TestClient, archive: ArchiveDouble
) -> None:
    written = client.get(f"/api/studies/{UID_ROOT}.3").json()
    archive.store_instance(instance_file("1", "1", "4", PatientID="P4", PatientName="Ny^Ida", Modality="CT"))
    for identifier in (study_id("4", "P4"), f"{UID_ROOT}.4"):
        found = client.get(f"/api/studies/{identifier}").json()
        assert (found["patient_name"], found["instance_count"]) == ("Ny^Ida", 1)
        assert found.keys() == written.keys()
    assert len(names(client)) == 3


def test_an_archive_that_does_not_answer_is_told_as_passing(client: TestClient, archive: ArchiveDouble) -> None:
    archive.fail("find_study", ArchiveError("looking up 1.2.3: timeout"))
    answer = client.get("/api/studies/1.2.3")
    assert answer.status_code == 503
    assert answer.json()["remedy"] == "Try again in some seconds."


def test_an_unknown_study_is_a_problem_that_names_it(client: TestClient) -> None:
    answer = client.get("/api/studies/1.2.3")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no study 1.2.3."


def test_figures_add_up(client: TestClient) -> None:
    stats = client.get("/api/stats").json()
    assert (stats["patients"], stats["studies"], stats["series"], stats["instances"]) == (3, 3, 4, 6)
    assert stats["disk_bytes"] == sum(item["size_bytes"] for item in client.get("/api/studies").json()["items"])
    assert stats["by_modality"] == [
        {"modality": "CT", "studies": 3, "series": 3, "instances": 5},
        {"modality": "MR", "studies": 1, "series": 1, "instances": 1},
    ]
    assert [(day["studies"], day["instances"]) for day in stats["growth"]] == [(1, 1), (1, 2), (1, 3)]
    assert stats["extractions"] == {"pending": 0, "running": 0, "done": 0, "failed": 0, "structures": 0}


def test_growth_goes_back_as_far_as_asked(client: TestClient) -> None:
    assert len(client.get("/api/stats?days=50").json()["growth"]) == 2
    assert len(client.get("/api/stats?days=1").json()["growth"]) == 1
    assert client.get("/api/stats?days=0").status_code == 422


def test_an_empty_catalogue_answers_zeros(serve: Callable[..., TestClient]) -> None:
    client = serve([catalogue.create])
    assert client.get("/api/studies").json() == {"items": [], "total": 0, "limit": 50, "offset": 0}
    assert client.get("/api/stats").json()["instances"] == 0


def test_a_rebuild_is_ordered_and_happens_in_the_background(client: TestClient, archive: ArchiveDouble) -> None:
    archive.calls.clear()
    assert client.post("/api/catalogue/rebuild").status_code == 202
    assert archive.calls == []
    client.turn()
    assert any(path.startswith("/studies?") for _, path in archive.calls)
