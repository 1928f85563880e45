"""The catalogue of studies and series: written by its follower, read by lists and statistics."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, Table, delete, func, or_, select

from store.database import insert, utc_now
from store.folding import fold
from store.tables import series, study

SortKey = Literal[
    "arrived_at", "study_date", "patient_name", "patient_id", "accession_number", "description", "instance_count",
    "size_bytes",
]  # fmt: skip
SORT_KEYS: dict[SortKey, tuple[ColumnElement[Any], ...]] = {
    "arrived_at": (study.c.arrived_at,),
    "study_date": (study.c.study_date, study.c.study_time),
    "patient_name": (study.c.folded_patient_name,),
    "patient_id": (study.c.folded_patient_id,),
    "accession_number": (study.c.folded_accession_number,),
    "description": (study.c.folded_description,),
    "instance_count": (study.c.instance_count,),
    "size_bytes": (study.c.size_bytes,),
}


@dataclass(frozen=True, slots=True)
class StudySearch:
    """What a search asks for; each text may hold ``*`` and ``?``, and matches without accents or case."""

    text: str | None = None
    patient_name: str | None = None
    patient_id: str | None = None
    accession_number: str | None = None
    description: str | None = None
    modality: str | None = None
    date_from: str | None = None
    date_to: str | None = None


def put(connection: Connection, row: dict[str, Any], series_rows: Sequence[dict[str, Any]]) -> None:
    """Write a study and all its series, replacing what was known of them.

    ``row`` holds the columns of the table ``study`` but for the folded ones and ``updated_at``.
    """
    folded = {
        f"folded_{name}": fold(row[name]) for name in ("patient_id", "patient_name", "accession_number", "description")
    }
    values = {**row, **folded, "updated_at": utc_now()}
    _upsert(connection, study, [values], keep=("arrived_at",))
    kept = [entry["orthanc_id"] for entry in series_rows]
    connection.execute(
        delete(series).where(series.c.study_orthanc_id == row["orthanc_id"], series.c.orthanc_id.not_in(kept))
    )
    if series_rows:
        _upsert(connection, series, series_rows)


def remove(connection: Connection, orthanc_ids: Collection[str]) -> None:
    """Drop studies that are gone; their series go with them."""
    if orthanc_ids:
        connection.execute(delete(study).where(study.c.orthanc_id.in_(list(orthanc_ids))))


def study_of_series(connection: Connection, series_orthanc_id: str) -> str | None:
    """The study that a series belongs to, as far as the catalogue knows."""
    return connection.scalar(select(series.c.study_orthanc_id).where(series.c.orthanc_id == series_orthanc_id))


def known(connection: Connection) -> dict[str, int]:
    """The number of instances by study: for comparing with the archive."""
    return {
        row.orthanc_id: row.instance_count
        for row in connection.execute(select(study.c.orthanc_id, study.c.instance_count))
    }


def instance_total(connection: Connection) -> int:
    """All instances, as the catalogue counts them."""
    return int(connection.scalar(select(func.coalesce(func.sum(study.c.instance_count), 0))) or 0)


def get(connection: Connection, identifier: str) -> tuple[Row[Any], list[Row[Any]]] | None:
    """A study, by Orthanc identifier or Study Instance UID, with its series in their usual order."""
    row = connection.execute(
        select(study).where((study.c.orthanc_id == identifier) | (study.c.study_instance_uid == identifier)).limit(1)
    ).first()
    if row is None:
        return None
    rows = connection.execute(
        select(series)
        .where(series.c.study_orthanc_id == row.orthanc_id)
        .order_by(series.c.number.is_(None), series.c.number, series.c.orthanc_id)
    ).all()
    return row, list(rows)


def page(
    connection: Connection, search: StudySearch, sort: SortKey, descending: bool, limit: int, offset: int
) -> tuple[list[Row[Any]], int]:
    """One page of the studies found, and how many there are in all."""
    conditions = list(_conditions(search))
    total = connection.scalar(select(func.count()).select_from(study).where(*conditions)) or 0
    keys = [*SORT_KEYS[sort], study.c.orthanc_id]
    order = [(key.desc() if descending else key.asc()).nulls_last() for key in keys]
    rows = connection.execute(select(study).where(*conditions).order_by(*order).limit(limit).offset(offset)).all()
    return list(rows), total


def _conditions(search: StudySearch) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    columns = {
        "patient_name": study.c.folded_patient_name,
        "patient_id": study.c.folded_patient_id,
        "accession_number": study.c.folded_accession_number,
        "description": study.c.folded_description,
    }
    for name, column in columns.items():
        asked = getattr(search, name)
        if asked:
            found.append(column.like(like_pattern(asked), escape="!"))
    # Every word must stand somewhere: "dupont ct" finds the CT of Dupont.
    for word in (search.text or "").split():
        pattern = like_pattern(word)
        anywhere: list[ColumnElement[bool]] = [column.like(pattern, escape="!") for column in columns.values()]
        anywhere += [
            study.c.study_instance_uid == word,
            study.c.modalities.like(f"%\\{_literal(word.upper())}\\%", escape="!"),
        ]
        found.append(or_(*anywhere))
    if search.modality:
        found.append(study.c.modalities.like(f"%\\{_literal(search.modality.upper())}\\%", escape="!"))
    if search.date_from:
        found.append(study.c.study_date >= search.date_from)
    if search.date_to:
        found.append(study.c.study_date <= search.date_to)
    return found


def _literal(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def like_pattern(text: str) -> str:
    """A LIKE pattern: with wildcards the whole value, as in DICOM (PS3.4, C.2.2.2.4); without, any part of it."""
    literal = _literal(fold(text))
    if "*" in literal or "?" in literal:
        return literal.replace("*", "%").replace("?", "_")
    return f"%{literal}%"


def _upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], keep: Collection[str] = ()) -> None:
    statement = insert(connection, table)
    changed = {name: statement.excluded[name] for name in rows[0] if name != "orthanc_id" and name not in keep}
    connection.execute(statement.on_conflict_do_update(index_elements=["orthanc_id"], set_=changed), list(rows))
