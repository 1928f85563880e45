"""Who is behind a pseudonym is found again with the key, and is nowhere to be read without it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from store.crosswalk import Crosswalk, Original, Search, UnusableKey
from store.database import Database
from store.tables import crosswalk

KEY = "a-key-of-the-tests-long-enough"
DOE = Original("PAT-4711", "Doe^Jane", "19500304", "1.2.3", -400)
ROE = Original("PAT-4712", "Roe^Richard", "19610101", "1.2.4", -7)


@pytest.fixture
def filled(database: Database) -> Database:
    with database.begin() as connection:
        book = Crosswalk(KEY)
        book.record(connection, DOE, "PSEUDONYMOFDOE22", "2.25.1", "xnat")
        book.record(connection, ROE, "PSEUDONYMOFROE22", "2.25.2", "xnat")
    return database


def found(database: Database, search: Search, key: str = KEY) -> list[Original | None]:
    with database.begin() as connection:
        return [entry.original for entry in Crosswalk(key).page(connection, search, 10, 0)[0]]


def test_a_pseudonym_leads_back_to_the_patient(filled: Database) -> None:
    assert found(filled, Search(pseudonym="pseudonymofdoe22")) == [DOE]
    assert found(filled, Search(study_instance_uid="2.25.2")) == [ROE]


def test_a_patient_leads_to_the_pseudonym(filled: Database) -> None:
    assert found(filled, Search(patient_id="PAT-4712")) == [ROE]
    assert found(filled, Search(patient_id="PAT-47")) == []
    assert found(filled, Search(patient_id="PAT-4712", destination="elsewhere")) == []


def test_sending_again_keeps_one_entry_and_its_first_moment(filled: Database) -> None:
    with filled.begin() as connection:
        book = Crosswalk(KEY)
        before = book.page(connection, Search(pseudonym="PSEUDONYMOFDOE22"), 10, 0)[0][0]
        book.record(connection, DOE, "PSEUDONYMOFDOE22", "2.25.1", "xnat")
        (after,), total = book.page(connection, Search(pseudonym="PSEUDONYMOFDOE22"), 10, 0)
    assert total == 1
    assert after.recorded_at == before.recorded_at <= before.sent_at <= after.sent_at


def test_pages_follow_each_other(filled: Database) -> None:
    with filled.begin() as connection:
        pages = [Crosswalk(KEY).page(connection, Search(), 1, offset) for offset in (0, 1, 2)]
    assert [total for _, total in pages] == [2, 2, 2]
    assert {entry.pseudonym for entries, _ in pages for entry in entries} == {"PSEUDONYMOFDOE22", "PSEUDONYMOFROE22"}
    assert pages[2][0] == []


def test_nothing_in_the_table_names_the_patient(filled: Database) -> None:
    with filled.begin() as connection:
        row = repr(connection.execute(select(crosswalk)).all())
    for secret in ("4711", "Doe", "Jane", "19500304", "1.2.3"):
        assert secret not in row


def test_another_key_opens_nothing_and_finds_no_patient(filled: Database) -> None:
    assert found(filled, Search(), "another-key-that-is-long-enough") == [None, None]
    assert found(filled, Search(patient_id="PAT-4711"), "another-key-that-is-long-enough") == []


def test_a_new_key_in_front_seals_and_the_old_one_still_opens(filled: Database) -> None:
    both = f"a-new-key-that-is-long-enough, {KEY}"
    with filled.begin() as connection:
        Crosswalk(both).record(connection, ROE, "PSEUDONYMOFROE22", "2.25.2", "xnat")
    assert found(filled, Search(patient_id="PAT-4711"), both) == [DOE]
    assert found(filled, Search(patient_id="PAT-4712"), both) == [ROE]
    assert found(filled, Search(pseudonym="PSEUDONYMOFROE22"), KEY) == [None]


@pytest.mark.parametrize("keys", ["", "  ", "short", "a-key-that-is-long-enough short"])
def test_a_missing_or_short_key_is_refused_with_the_remedy(keys: str) -> None:
    with pytest.raises(UnusableKey, match="PACS_CROSSWALK_KEY"):
        Crosswalk(keys)
