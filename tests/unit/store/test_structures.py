"""The cohort query: every filter, every order, paged without gaps; names drawn anew touch nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from store import extractions, structures
from store.database import Database, utc_now
from store.folding import fold
from store.structures import NameRow, SortKey, StructureSearch
from store.tables import extraction, structure, study

#: name, TG-263, confidence, type, volume, set
ROWS = [
    ("Lt Lung", "Lung_L", 0.95, "ORGAN", 1500.0, "a"),
    ("Lung_R", "Lung_R", 1.0, "ORGAN", 1700.0, "a"),
    ("GTV", "GTV", 1.0, "GTV", 35.5, "a"),
    ("Cœur", "Heart", 0.95, "ORGAN", 600.0, "b"),
    ("Areola", None, None, None, None, "b"),
    ("100 %_x", None, None, None, 0.0, "b"),
    ("lung links", "Lung_L", 0.9, None, 1200.0, "c"),
]


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.begin() as opened:
        fill(opened)
        yield opened


def fill(connection: Connection) -> None:
    now = utc_now()
    extractions.enqueue(connection, "abc", 1)
    for days, identifier in enumerate("cba"):
        connection.execute(
            extraction.update()
            .where(extraction.c.orthanc_id == identifier)
            .values(enqueued_at=now - timedelta(days=days), study_instance_uid=f"1.{identifier}", label="Plan")
        )
    for identifier, modalities in (("a", "\\CT\\RTSTRUCT\\"), ("b", "\\MR\\RTSTRUCT\\")):
        connection.execute(study.insert().values(**study_row(identifier, modalities)))
    for position, (name, tg263, confidence, kind, volume, identifier) in enumerate(ROWS):
        connection.execute(
            structure.insert().values(
                orthanc_id=identifier,
                position=position,
                number=position + 1,
                name=name,
                folded_name=fold(name),
                tg263=tg263,
                tg263_confidence=confidence,
                interpreted_type=kind,
                contour_count=1,
                point_count=4,
                plane_count=1,
                volume_cm3=volume,
                warning_count=0,
            )
        )


def study_row(identifier: str, modalities: str) -> dict[str, Any]:
    texts = ("patient_id", "patient_name", "accession_number", "description", "referring_physician", "institution")
    row: dict[str, Any] = dict.fromkeys(texts, "")
    row |= {f"folded_{name}": "" for name in texts[:4]}
    row |= {"orthanc_id": f"study-{identifier}", "study_instance_uid": f"1.{identifier}", "modalities": modalities}
    row |= {"patient_id": f"P-{identifier}", "study_date": "20260102", "series_count": 2, "instance_count": 3}
    return {**row, "size_bytes": 1, "arrived_at": utc_now(), "updated_at": utc_now()}


def found(connection: Connection, **asked: Any) -> set[str]:
    rows, total = structures.page(connection, StructureSearch(**asked), "name", False, 100, 0)
    assert total == len(rows)
    return {row["name"] for row in rows}


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, {name for name, *_ in ROWS}),
        ({"name": "LUNG"}, {"Lt Lung", "Lung_R", "lung links"}),
        ({"name": "lung*"}, {"Lung_R", "lung links"}),
        ({"name": "cœur"}, {"Cœur"}),
        ({"name": "%"}, {"100 %_x"}),
        ({"name": "%_"}, {"100 %_x"}),
        ({"tg263": "Lung_L"}, {"Lt Lung", "lung links"}),
        ({"tg263": "Lung*"}, {"Lt Lung", "Lung_R", "lung links"}),
        ({"tg263": "Lung"}, set()),
        ({"tg263": "Lung_L", "tg263_confidence_min": 0.93}, {"Lt Lung"}),
        ({"interpreted_type": "gtv"}, {"GTV"}),
        ({"volume_min_cm3": 1500}, {"Lt Lung", "Lung_R"}),
        ({"volume_min_cm3": 30, "volume_max_cm3": 600}, {"GTV", "Cœur"}),
        ({"volume_max_cm3": 0}, {"100 %_x"}),
        ({"modality": "mr"}, {"Cœur", "Areola", "100 %_x"}),
        ({"modality": "M"}, set()),
        ({"study_instance_uid": "1.c"}, {"lung links"}),
        ({"name": "'; DROP TABLE structure; --"}, set()),
    ],
)
def test_each_filter_finds_what_it_says(connection: Connection, asked: dict[str, Any], names: set[str]) -> None:
    assert found(connection, **asked) == names


def test_arrival_bounds_include_the_first_and_exclude_the_last_moment(connection: Connection) -> None:
    arrived = connection.scalar(select(extraction.c.enqueued_at).where(extraction.c.orthanc_id == "b"))
    later = connection.scalar(select(extraction.c.enqueued_at).where(extraction.c.orthanc_id == "c"))
    assert found(connection, since=arrived, until=later) == {"Cœur", "Areola", "100 %_x"}


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("sort", ["arrived_at", "name", "tg263", "volume_cm3"])
def test_pages_follow_each_other_without_gap_or_repeat_and_nothing_comes_first(
    connection: Connection, sort: SortKey, descending: bool
) -> None:
    whole, total = structures.page(connection, StructureSearch(), sort, descending, 100, 0)
    pages = [structures.page(connection, StructureSearch(), sort, descending, 2, at)[0] for at in range(0, 8, 2)]
    assert [row for page in pages for row in page] == whole
    assert total == len(whole) == len(ROWS)
    key = {"arrived_at": "arrived_at", "name": "name", "tg263": "tg263", "volume_cm3": "volume_cm3"}[sort]
    values = [fold(row[key]) if key == "name" else row[key] for row in whole]
    given = [value for value in values if value is not None]
    assert values[: len(given)] == given == sorted(given, reverse=descending)


def test_a_row_says_whose_structure_it_is(connection: Connection) -> None:
    rows, _ = structures.page(connection, StructureSearch(name="gtv"), "name", False, 1, 0)
    assert (rows[0]["patient_id"], rows[0]["study_date"], rows[0]["orthanc_id"]) == ("P-a", "20260102", "a")
    unknown, _ = structures.page(connection, StructureSearch(study_instance_uid="1.c"), "name", False, 1, 0)
    assert unknown[0]["patient_id"] is None


def test_two_patients_with_one_study_uid_are_not_confused(connection: Connection) -> None:
    connection.execute(study.insert().values({**study_row("a", ""), "orthanc_id": "z", "patient_id": "Other"}))
    rows, total = structures.page(connection, StructureSearch(name="gtv"), "name", False, 10, 0)
    assert (total, len(rows), rows[0]["patient_id"]) == (1, 1, None)


def test_names_are_drawn_anew_for_every_structure_of_that_name_and_type(connection: Connection) -> None:
    before = structures.names(connection)
    assert len(before) == len(ROWS)
    structures.rename(connection, [NameRow("Areola", None, "areola", "Nipple_L", 0.7)])
    after = {row.name: row for row in structures.names(connection)}
    assert (after["Areola"].tg263, after["Areola"].tg263_confidence) == ("Nipple_L", 0.7)
    assert {row for row in before if row.name != "Areola"} <= set(after.values())


@pytest.mark.parametrize("condition", ["tg263 = 'Lung_L'", "folded_name = 'x'", "volume_cm3 > 3"])
def test_an_index_serves_the_common_questions(connection: Connection, condition: str) -> None:
    if connection.dialect.name != "sqlite":
        pytest.skip("PostgreSQL plans by statistics, of which an empty table has none")
    plan = connection.execute(text(f"EXPLAIN QUERY PLAN SELECT count(*) FROM structure WHERE {condition}")).all()
    assert "INDEX ix_structure_" in plan[0][-1]
