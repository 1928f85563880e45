"""The database that the store's tests run on here: SQLite. tests/integration/store repeats them on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.database import Database


@pytest.fixture
def empty_database(tmp_path: Path) -> Iterator[Database]:
    """A database without any table of ours."""
    made = Database(f"sqlite:///{tmp_path}/new.sqlite")
    yield made
    made.dispose()


@pytest.fixture
def database(empty_database: Database, migrated_sqlite: Path) -> Database:
    """Our tables, empty."""
    shutil.copy(migrated_sqlite, str(empty_database.engine.url.database))
    return empty_database
