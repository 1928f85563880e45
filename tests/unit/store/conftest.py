"""The databases that the store's tests run on: SQLite, and PostgreSQL where one is given."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from store.database import SCHEMA, Database

#: A SQLAlchemy URL of an empty PostgreSQL database; without it the store is tested on PostgreSQL in integration alone.
POSTGRES_URL = os.environ.get("PACS_TEST_POSTGRES_URL")


@pytest.fixture(params=["sqlite", *(["postgresql"] if POSTGRES_URL else [])])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table of ours."""
    made = Database(
        POSTGRES_URL if request.param == "postgresql" and POSTGRES_URL else f"sqlite:///{tmp_path}/new.sqlite"
    )
    if request.param == "postgresql":
        with made.begin() as connection:
            connection.execute(text(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))
    yield made
    made.dispose()


@pytest.fixture
def database(empty_database: Database, migrated_sqlite: Path) -> Database:
    """Our tables, empty."""
    if empty_database.dialect == "sqlite":
        shutil.copy(migrated_sqlite, str(empty_database.engine.url.database))
    else:
        empty_database.migrate()
    return empty_database
