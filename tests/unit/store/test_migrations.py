"""The migrations lead to the tables that the code declares, from nothing and from any earlier state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, select, text

import store.database
from store import cursors, extractions
from store.database import SCHEMA, Database
from store.tables import extraction, metadata


def test_the_migrations_produce_exactly_the_tables_of_the_code(empty_database: Database) -> None:
    empty_database.migrate()
    with empty_database.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_again_changes_nothing_and_keeps_the_data(empty_database: Database) -> None:
    empty_database.migrate()
    with empty_database.begin() as connection:
        cursors.write(connection, "catalogue", 7)
        before = inspect(connection).get_table_names()
    empty_database.migrate()
    with empty_database.begin() as connection:
        assert cursors.read(connection, "catalogue") == 7
        assert inspect(connection).get_table_names() == before


def test_an_upgrade_from_the_first_schema_keeps_what_is_stored(empty_database: Database) -> None:
    migrate_to(empty_database, "0001")
    with empty_database.begin() as connection:
        connection.execute(text("INSERT INTO change_cursor (name, position) VALUES ('catalogue', 7)"))
        connection.execute(
            text(
                "INSERT INTO extraction (orthanc_id, state, attempts, engine_version, enqueued_at, next_try_at) "
                "VALUES ('old', 'done', 1, 1, '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
            )
        )
    empty_database.migrate()
    with empty_database.begin() as connection:
        assert cursors.read(connection, "catalogue") == 7
        kept = extractions.get(connection, "old")
        assert kept is not None and (kept.state, kept.attempts) == ("done", 1)
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def migrate_to(database: Database, revision: str) -> None:
    """The schema as an older version of the project made it."""
    with database.begin() as connection:
        if database.dialect == "postgresql":
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        config = Config()
        config.set_main_option("script_location", str(Path(store.database.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_a_cursor_is_unknown_then_remembered_then_moved(database: Database) -> None:
    with database.begin() as connection:
        assert cursors.read(connection, "catalogue") is None
        cursors.write(connection, "catalogue", 2**40)
        cursors.write(connection, "other", 1)
        cursors.write(connection, "catalogue", 3)
        assert cursors.read(connection, "catalogue") == 3
        assert cursors.read(connection, "other") == 1


def test_a_transaction_that_raises_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(RuntimeError), database.begin() as connection:
        cursors.write(connection, "catalogue", 1)
        raise RuntimeError
    with database.begin() as connection:
        assert cursors.read(connection, "catalogue") is None


def test_moments_come_back_aware_and_in_utc(database: Database) -> None:
    moment = datetime(2026, 3, 1, 12, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    with database.begin() as connection:
        extractions.enqueue(connection, ["a"], 1)
        connection.execute(extraction.update().values(started_at=moment))
        found = connection.scalar(select(extraction.c.started_at))
    assert found == moment
    assert found is not None and found.tzinfo is UTC


def test_our_tables_stay_out_of_the_way_of_others(database: Database) -> None:
    with database.begin() as connection:
        names = set(inspect(connection).get_table_names(schema=SCHEMA if database.dialect == "postgresql" else None))
    assert names == {*metadata.tables, "alembic_version"}
