"""The database: one engine, its schema brought up to date at start."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url

logger = logging.getLogger("pacs.store")

#: Beside Orthanc's own tables in the same PostgreSQL database, ours live in a schema of their own. It must not be
#: called like the database's user: PostgreSQL would then look there first, and Orthanc take our tables for its own.
SCHEMA = "orthanc_plugins"
#: What Grafana may see (store.reporting).
REPORTING_SCHEMA = "reporting"
#: Any number, the same on every node: only one migrates at a time.
MIGRATION_LOCK = 0x70616373


def utc_now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def database_now(connection: Connection) -> datetime:
    """This moment by the database's clock: nodes that share it agree, whatever their own clocks say."""
    if connection.dialect.name == "sqlite":
        return utc_now()
    moment: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return moment.astimezone(UTC)


def insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ``on_conflict_do_…``, which both databases have and SQLAlchemy spells per database."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


class Database:
    """Our tables, on SQLite (a file) or PostgreSQL.

    Parameters
    ----------
    url
        A SQLAlchemy URL; ``sqlite:///PATH`` or ``postgresql+psycopg://…``.
    """

    def __init__(self, url: str) -> None:
        self._is_sqlite = make_url(url).get_backend_name() == "sqlite"
        if self._is_sqlite:
            self.engine = create_engine(url, connect_args={"timeout": 30})
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = create_engine(
                url,
                pool_size=10,
                pool_pre_ping=True,
                connect_args={
                    "options": f"-csearch_path={SCHEMA}",
                    "connect_timeout": 5,
                    "application_name": "pacs",
                },
            )

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction: committed at the end, rolled back when it raises."""
        with self.engine.begin() as connection:
            yield connection

    def migrate(self) -> None:
        """Bring the schema to the version of this code; nothing happens when it is there already."""
        with self.engine.begin() as connection:
            if not self._is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
                connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
                # Views would keep a migration from changing the columns they show; store.reporting makes them anew.
                connection.execute(text(f"DROP SCHEMA IF EXISTS {REPORTING_SCHEMA} CASCADE"))
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # Python's own transaction handling begins too late for our claims: SQLAlchemy's "begin" does it instead.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE: a transaction that reads first and writes later would fail with SQLITE_BUSY beside another writer.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
