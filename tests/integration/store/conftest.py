"""The store's tests once more, on PostgreSQL: the modules here repeat those of tests/unit/store on another database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from integration.containers import Postgres
from store.database import SCHEMA, Database


@pytest.fixture(scope="session")
def postgres_url(postgres: Postgres) -> str:
    return postgres.url(postgres.create_database())


@pytest.fixture
def empty_database(postgres_url: str) -> Iterator[Database]:
    """A database without any table of ours."""
    made = Database(postgres_url)
    with made.begin() as connection:
        connection.execute(text(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))
    yield made
    made.dispose()


@pytest.fixture
def database(empty_database: Database) -> Database:
    """Our tables, empty."""
    empty_database.migrate()
    return empty_database
