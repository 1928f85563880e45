"""How far each reader of Orthanc's ``/changes`` has come; survives restarts."""

from __future__ import annotations

from sqlalchemy import Connection, select

from store.database import insert
from store.tables import change_cursor


def read(connection: Connection, name: str) -> int | None:
    """The last change that ``name`` has dealt with, or None before its first."""
    return connection.scalar(select(change_cursor.c.position).where(change_cursor.c.name == name))


def write(connection: Connection, name: str, position: int) -> None:
    """Remember that ``name`` has dealt with everything up to ``position``."""
    statement = insert(connection, change_cursor).values(name=name, position=position)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"position": position}))
