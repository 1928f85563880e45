"""The catalogue's tables: searching, sorting, paging and counting studies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, get_args

import pytest

from store import statistics, studies
from store.database import Database
from store.studies import SortKey, StudySearch, fold

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Found = Callable[..., list[str]]


def study(identifier: str, **values: Any) -> dict[str, Any]:
    return {
        "orthanc_id": identifier,
        "study_instance_uid": f"1.2.{identifier}",
        "patient_id": "",
        "patient_name": "",
        "patient_birth_date": None,
        "patient_sex": None,
        "accession_number": "",
        "description": "",
        "study_date": None,
        "study_time": None,
        "referring_physician": "",
        "institution": "",
        "modalities": "\\CT\\",
        "series_count": 1,
        "instance_count": 10,
        "size_bytes": 1000,
        "arrived_at": NOON,
    } | values


def series(identifier: str, parent: str, **values: Any) -> dict[str, Any]:
    return {
        "orthanc_id": identifier,
        "study_orthanc_id": parent,
        "series_instance_uid": f"1.3.{identifier}",
        "modality": "CT",
        "number": None,
        "description": "",
        "series_date": None,
        "station": "",
        "manufacturer": "",
        "body_part": "",
        "instance_count": 10,
        "size_bytes": 1000,
    } | values


@pytest.fixture
def put(database: Database) -> Callable[..., None]:
    def write(row: dict[str, Any], *series_rows: dict[str, Any]) -> None:
        with database.begin() as connection:
            studies.put(connection, row, series_rows)

    return write


@pytest.fixture
def found(database: Database) -> Found:
    """The identifiers that a search finds, in order of their identifiers."""

    def search(**asked: Any) -> list[str]:
        with database.begin() as connection:
            rows, total = studies.page(connection, StudySearch(**asked), "arrived_at", False, 100, 0)
        assert total == len(rows)
        return sorted(row.orthanc_id for row in rows)

    return search


@pytest.mark.parametrize(
    ("value", "folded"),
    [
        ("Dupont^Renée", "dupont renee"),
        ("MÜLLER^Jörg^^Dr.", "muller jorg dr."),
        ("Straße", "strasse"),
        ("Yamada^Tarou=山田^太郎", "yamada tarou 山田 太郎"),
        ("  a \t b ", "a b"),
        ("Ｗｉｄｅ", "wide"),
        ("İSTANBUL", "istanbul"),
        ("", ""),
    ],
)
def test_folding_takes_accents_case_and_carets_away(value: str, folded: str) -> None:
    assert fold(value) == folded
    assert fold(folded) == folded


def test_a_study_is_replaced_with_its_series(database: Database, put: Any) -> None:
    put(study("a", description="old"), series("1", "a"), series("2", "a"))
    put(
        study("a", description="new", arrived_at=NOON + timedelta(days=1)),
        series("2", "a", modality="PT"),
        series("3", "a"),
    )
    with database.begin() as connection:
        got = studies.get(connection, "a")
    assert got is not None
    row, rows = got
    assert row.description == "new"
    assert row.arrived_at == NOON, "a study arrives once"
    assert [(each.orthanc_id, each.modality) for each in rows] == [("2", "PT"), ("3", "CT")]


def test_a_study_may_have_no_series(database: Database, put: Any) -> None:
    put(study("a"), series("1", "a"))
    put(study("a"))
    with database.begin() as connection:
        got = studies.get(connection, "a")
        assert studies.study_of_series(connection, "1") is None
    assert got is not None and got[1] == []


def test_a_removed_study_takes_its_series_along(database: Database, put: Any) -> None:
    put(study("a"), series("1", "a"))
    put(study("b"), series("2", "b"))
    with database.begin() as connection:
        studies.remove(connection, ["a", "unknown"])
        studies.remove(connection, [])
        assert studies.known(connection) == {"b": 10}
        assert studies.study_of_series(connection, "1") is None
        assert studies.study_of_series(connection, "2") == "b"
        assert studies.get(connection, "a") is None


def test_a_study_is_found_by_either_identifier_with_its_series_by_number(database: Database, put: Any) -> None:
    put(study("a"), series("1", "a", number=None), series("2", "a", number=10), series("3", "a", number=9))
    with database.begin() as connection:
        for identifier in ("a", "1.2.a"):
            got = studies.get(connection, identifier)
            assert got is not None
            assert [row.orthanc_id for row in got[1]] == ["3", "2", "1"]


@pytest.mark.parametrize(
    "asked", ["renee", "RENÉE", "Renée", "dupont^renee", "Dupont Renée", "pont", "du*", "*nee", "d?pont*"]
)
def test_names_are_found_without_accents_and_case(put: Any, found: Found, asked: str) -> None:
    put(study("a", patient_name="Dupont^Renée"))
    put(study("b", patient_name="Martin^Zoë"))
    assert found(patient_name=asked) == ["a"]


@pytest.mark.parametrize("asked", ["dupon?", "upont*", "dupont?", "?"])
def test_with_wildcards_the_whole_value_has_to_match(put: Any, found: Found, asked: str) -> None:
    put(study("a", patient_name="Dupont^Renée"))
    assert found(patient_name=asked) == []


@pytest.mark.parametrize("sign", ["%", "_", "!", "\\", "'", '"', ";--", "[a-z]"])
def test_signs_that_mean_something_in_sql_mean_themselves(put: Any, found: Found, sign: str) -> None:
    put(study("a", patient_id=f"x{sign}y"))
    put(study("b", patient_id="xzy"))
    assert found(patient_id=sign) == ["a"]
    assert found(patient_id=f"*{sign}*") == ["a"]
    assert found(text=sign) == ["a"]


def test_a_modality_is_matched_whole(put: Any, found: Found) -> None:
    put(study("a", modalities="\\CT\\RTSTRUCT\\"))
    put(study("b", modalities="\\PCT\\"))
    put(study("c", modalities="\\MR\\"))
    put(study("d", modalities="\\"))
    assert found(modality="CT") == ["a"]
    assert found(modality="rtstruct") == ["a"]
    assert found(text="ct") == ["a"]
    assert found(modality="R") == []
    assert found(modality="%") == []
    assert found(modality="_T") == []


def test_words_may_stand_in_different_places_but_each_has_to_stand_somewhere(put: Any, found: Found) -> None:
    put(study("a", patient_name="Dupont^Renée", description="Thorax", accession_number="ACC1"))
    put(study("b", patient_name="Dupont^Jean", description="Abdomen"))
    assert found(text="thorax dupont") == ["a"]
    assert found(text="DUPONT") == ["a", "b"]
    assert found(text="dupont pelvis") == []
    assert found(text="acc1 ct renee") == ["a"]
    assert found(text="1.2.b") == ["b"]
    assert found(text="  ") == ["a", "b"]


def test_all_conditions_hold_together(put: Any, found: Found) -> None:
    put(study("a", patient_name="Dupont", accession_number="1", description="Thorax"))
    put(study("b", patient_name="Dupont", accession_number="2", description="Thorax"))
    assert found(patient_name="dupont", accession_number="2", description="thor*", modality="CT") == ["b"]


def test_a_range_of_dates_includes_both_ends_and_no_study_without_a_date(put: Any, found: Found) -> None:
    for identifier, date in {"a": "20240101", "b": "20240115", "c": "20240131", "d": None}.items():
        put(study(identifier, study_date=date))
    assert found(date_from="20240101", date_to="20240131") == ["a", "b", "c"]
    assert found(date_from="20240102") == ["b", "c"]
    assert found(date_to="20240115") == ["a", "b"]
    assert found(date_from="20250101") == []
    assert found() == ["a", "b", "c", "d"]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("key", get_args(SortKey))
def test_each_sort_key_orders_and_pages_without_a_gap(
    database: Database, put: Any, key: SortKey, descending: bool
) -> None:
    for number in range(11):
        value = number // 3  # several studies share a value: their order must still be the same on every page
        put(
            study(
                f"{number:02}",
                patient_name=f"Étienne^{value}" if value % 2 else f"etienne^{value}",
                patient_id=f"P{value}",
                accession_number=f"{value}",
                description=f"Série {value}",
                study_date=f"2024010{value + 1}",
                study_time=f"{value:02}0000",
                instance_count=value,
                size_bytes=2**40 + value,
                arrived_at=NOON + timedelta(microseconds=value),
            )
        )
    rows = []
    for offset in range(0, 12, 4):
        with database.begin() as connection:
            page, total = studies.page(connection, StudySearch(), key, descending, 4, offset)
        assert total == 11
        rows += page
    assert sorted(row.orthanc_id for row in rows) == [f"{number:02}" for number in range(11)]
    column = key if key not in ("patient_name", "patient_id", "accession_number", "description") else f"folded_{key}"
    values = [(getattr(row, column), row.orthanc_id) for row in rows]
    assert values == sorted(values, reverse=descending)


@pytest.mark.parametrize("descending", [False, True])
def test_studies_without_a_date_come_last_in_either_order(database: Database, put: Any, descending: bool) -> None:
    put(study("a", study_date="20240101"))
    put(study("b", study_date=None))
    put(study("c", study_date="20240102"))
    with database.begin() as connection:
        rows, _ = studies.page(connection, StudySearch(), "study_date", descending, 10, 0)
    assert rows[-1].orthanc_id == "b"


def test_a_page_beyond_the_end_is_empty_and_still_knows_the_total(database: Database, put: Any) -> None:
    put(study("a"))
    with database.begin() as connection:
        assert studies.page(connection, StudySearch(), "arrived_at", True, 10, 10) == ([], 1)


def test_an_empty_catalogue_counts_zero(database: Database) -> None:
    with database.begin() as connection:
        assert statistics.holdings(connection) == statistics.Holdings(0, 0, 0, 0, 0)
        assert statistics.by_modality(connection) == []
        assert statistics.arrivals_by_day(connection, NOON) == []
        assert studies.instance_total(connection) == 0


def test_figures_count_patients_once_and_series_by_modality(database: Database, put: Any) -> None:
    put(
        study("a", patient_id="P1", series_count=2, instance_count=30),
        series("1", "a"),
        series("2", "a", modality="MR"),
    )
    put(study("b", patient_id="P1"), series("3", "b"), series("4", "b"))
    put(study("c", patient_id="P2", size_bytes=2**40), series("5", "c", modality="MR", instance_count=1))
    with database.begin() as connection:
        assert statistics.holdings(connection) == statistics.Holdings(2, 3, 4, 50, 2**40 + 2000)
        assert statistics.by_modality(connection) == [("CT", 2, 3, 30), ("MR", 2, 2, 11)]
        assert studies.instance_total(connection) == 50


def test_arrivals_are_counted_by_day_in_utc(database: Database, put: Any) -> None:
    for identifier, hours in {"a": -36, "b": 0, "c": 11.99, "d": 12}.items():
        put(study(identifier, arrived_at=NOON + timedelta(hours=hours)))
    with database.begin() as connection:
        days = statistics.arrivals_by_day(connection, NOON - timedelta(days=1))
    assert days == [("2026-03-01", 2, 20, 2000), ("2026-03-02", 1, 10, 1000)]
    assert all(earlier[0] < later[0] for earlier, later in pairwise(days))
