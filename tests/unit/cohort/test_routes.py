"""``/api/structures``: what was extracted is found by its TG-263 name, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

import cohort as plugin
from cohort.service import Cohort
from extraction.service import Extraction
from host.plugin import Host
from store.tables import structure
from unit.archive_double import ArchiveDouble


@pytest.fixture
def client(serve: Callable[..., TestClient]) -> TestClient:
    return serve([plugin.create])


@pytest.fixture
def breast(host: Host, archive: ArchiveDouble, data_folder: Path) -> str:
    """The identifier of a structure set of ten ROIs, extracted."""
    return extracted(host, archive, data_folder)


def extracted(host: Host, archive: ArchiveDouble, data_folder: Path) -> str:
    service = Extraction(host)
    host.events.instance_stored.subscribe(service.on_stored)
    identifier = archive.store_instance((data_folder / "dicompyler" / "rtss.dcm").read_bytes()).orthanc_id
    service.keep_queue()
    assert service.extract_next()
    return identifier


def test_what_was_extracted_is_found_by_its_tg263_name(client: TestClient, breast: str) -> None:
    page = client.get("/api/structures?tg263=Lung_L").json()
    assert page["total"] == 1
    (found,) = page["items"]
    assert (found["orthanc_id"], found["name"], found["tg263"]) == (breast, "Lt Lung", "Lung_L")
    assert found["volume_cm3"] > 100
    assert found["tg263_confidence"] == 0.95


def test_filters_and_order_come_from_the_query(client: TestClient, breast: str) -> None:
    by_volume = client.get("/api/structures?volume_min=100&sort=volume_cm3&order=desc").json()["items"]
    volumes = [item["volume_cm3"] for item in by_volume]
    assert by_volume[0]["name"] == "BODY"
    assert volumes == sorted(volumes, reverse=True)
    assert client.get("/api/structures?since=2100-01-01").json()["total"] == 0
    assert client.get("/api/structures?until=2100-01-01T00:00:00Z").json()["total"] == 10
    assert client.get("/api/structures?limit=3&offset=9").json()["items"][0]["number"] is not None


@pytest.mark.parametrize(
    "query", ["volume_min=-1", "volume_min=nan", "sort=x", "limit=0", "since=yesterday", "format=x"]
)
def test_a_wrong_query_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/api/structures?{query}").status_code == 422


def test_csv_holds_the_same_rows(client: TestClient, breast: str) -> None:
    answer = client.get("/api/structures?format=csv&sort=name&order=asc")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "structures_" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    items = client.get("/api/structures?sort=name&order=asc").json()["items"]
    assert [row["name"] for row in rows] == [item["name"] for item in items]
    assert list(rows[0]) == list(items[0])


def test_a_name_that_a_spreadsheet_would_calculate_is_harmless(client: TestClient, host: Host, breast: str) -> None:
    evil = '=HYPERLINK("http://x","y")'
    with host.database.begin() as connection:
        connection.execute(update(structure).where(structure.c.name == "Heart").values(name=evil))
    rows = csv.DictReader(io.StringIO(client.get("/api/structures?format=csv").content.decode("utf-8-sig")))
    assert f"'{evil}" in {row["name"] for row in rows}


def test_names_are_suggested_anew_at_start(
    host: Host, archive: ArchiveDouble, data_folder: Path, tmp_path: Path
) -> None:
    extracted(host, archive, data_folder)
    with host.database.begin() as connection:
        # As rows stand after the migration.
        connection.execute(update(structure).values(folded_name=None, tg263=None, tg263_confidence=None))
    (tmp_path / "synonyms.toml").write_text('Nipple_L = ["Areola"]\n')
    Cohort(host.database, tmp_path / "synonyms.toml").refresh_names()
    with host.database.begin() as connection:
        rows = connection.execute(select(structure.c.name, structure.c.folded_name, structure.c.tg263)).all()
    told = {name: (folded, tg263) for name, folded, tg263 in rows}
    assert told["Lt Lung"] == ("lt lung", "Lung_L")
    assert told["Areola"] == ("areola", "Nipple_L")


def test_a_sites_synonyms_count_at_extraction(
    host: Host, archive: ArchiveDouble, data_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "synonyms.toml").write_text('Nipple_L = ["Areola"]\n')
    with_synonyms = replace(host, settings=replace(host.settings, synonyms=tmp_path / "synonyms.toml"))
    extracted(with_synonyms, archive, data_folder)
    with host.database.begin() as connection:
        assert connection.scalar(select(structure.c.tg263).where(structure.c.name == "Areola")) == "Nipple_L"
