"""Queries over the structures of all extracted structure sets: a cohort."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, func, select, update

from store.folding import fold
from store.tables import extraction, structure, study

SortKey = Literal["arrived_at", "name", "tg263", "volume_cm3"]
_SORT_KEYS: dict[SortKey, tuple[ColumnElement[Any], ...]] = {
    "arrived_at": (extraction.c.enqueued_at, extraction.c.orthanc_id),
    "name": (structure.c.folded_name,),
    "tg263": (structure.c.tg263, structure.c.volume_cm3),
    "volume_cm3": (structure.c.volume_cm3,),
}


@dataclass(frozen=True, slots=True)
class StructureSearch:
    """What a cohort query asks for; all that is given has to hold.

    Attributes
    ----------
    name
        As the file has it, without accents or case; any part, or the whole with ``*`` and ``?``.
    tg263
        The suggested name, exact; ``*`` and ``?`` as above.
    since, until
        When the structure set arrived.
    modality
        Of another series in the study, such as CT.
    """

    name: str | None = None
    tg263: str | None = None
    tg263_confidence_min: float | None = None
    interpreted_type: str | None = None
    volume_min_cm3: float | None = None
    volume_max_cm3: float | None = None
    since: datetime | None = None
    until: datetime | None = None
    modality: str | None = None
    study_instance_uid: str | None = None


@dataclass(frozen=True, slots=True)
class NameRow:
    """A name and type as files have them, and what was made of the name."""

    name: str
    interpreted_type: str | None
    folded_name: str | None
    tg263: str | None
    tg263_confidence: float | None


def page(
    connection: Connection, search: StructureSearch, sort: SortKey, descending: bool, limit: int, offset: int
) -> tuple[list[dict[str, Any]], int]:
    """One page of the structures found, and how many there are in all."""
    conditions = list(_conditions(search))
    counted = select(func.count()).select_from(structure)
    if _needs_extraction(search):
        counted = counted.join(extraction)
    total = connection.scalar(counted.where(*conditions)) or 0
    keys = [*_SORT_KEYS[sort], structure.c.orthanc_id, structure.c.position]
    # Which rows first, all that is to be said of them afterwards: sorting carries little then.
    order = [_ordered(key, descending) for key in keys]
    chosen = (
        select(structure, extraction.c.sop_instance_uid, extraction.c.study_instance_uid)
        .add_columns(extraction.c.label, extraction.c.enqueued_at.label("arrived_at"))
        .join(extraction)
        .where(*conditions)
        .order_by(*order)
        .limit(limit)
        .offset(offset)
    )
    rows = connection.execute(chosen).all()
    studies = _studies(connection, {row.study_instance_uid for row in rows if row.study_instance_uid})
    return [{**row._mapping, **studies.get(row.study_instance_uid, _NO_STUDY)} for row in rows], total


def _ordered(key: ColumnElement[Any], descending: bool) -> ColumnElement[Any]:
    ordered = key.desc() if descending else key.asc()
    # Where there is always a value, an index may serve the order as it is.
    return ordered.nulls_last() if getattr(key, "nullable", True) else ordered


_NO_STUDY: Mapping[str, None] = {"patient_id": None, "study_date": None, "modalities": None}
_BATCH = 500


def _studies(connection: Connection, uids: set[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    ordered = sorted(uids)
    for start in range(0, len(ordered), _BATCH):
        wanted = study.c.study_instance_uid.in_(ordered[start : start + _BATCH])
        columns = (study.c.study_instance_uid, study.c.patient_id, study.c.study_date, study.c.modalities)
        for row in connection.execute(select(*columns).where(wanted).order_by(study.c.orthanc_id)):
            told = {name: row._mapping[name] for name in _NO_STUDY}
            if row.study_instance_uid in found and found[row.study_instance_uid]["patient_id"] != row.patient_id:
                # Two patients with one Study Instance UID: better none than the wrong one.
                told["patient_id"] = None
            found[row.study_instance_uid] = told
    return found


def names(connection: Connection) -> list[NameRow]:
    """Every name that there is, with all that was ever made of it."""
    columns = (
        structure.c.name,
        structure.c.interpreted_type,
        structure.c.folded_name,
        structure.c.tg263,
        structure.c.tg263_confidence,
    )
    return [NameRow(*row) for row in connection.execute(select(*columns).distinct())]


def rename(connection: Connection, rows: Sequence[NameRow]) -> None:
    """Write what is made of names now. The names themselves stay."""
    for row in rows:
        connection.execute(
            update(structure)
            .where(
                structure.c.name == row.name, structure.c.interpreted_type.is_not_distinct_from(row.interpreted_type)
            )
            .values(folded_name=row.folded_name, tg263=row.tg263, tg263_confidence=row.tg263_confidence)
        )


def _needs_extraction(search: StructureSearch) -> bool:
    asked = (search.since, search.until, search.modality, search.study_instance_uid)
    return any(each is not None for each in asked)


def _conditions(search: StructureSearch) -> Iterator[ColumnElement[bool]]:
    if search.name:
        yield _like(structure.c.folded_name, fold(search.name), anywhere=True)
    if search.tg263:
        yield _like(structure.c.tg263, search.tg263, anywhere=False)
    if search.tg263_confidence_min is not None:
        yield structure.c.tg263_confidence >= search.tg263_confidence_min
    if search.interpreted_type:
        yield structure.c.interpreted_type == search.interpreted_type.upper()
    if search.volume_min_cm3 is not None:
        yield structure.c.volume_cm3 >= search.volume_min_cm3
    if search.volume_max_cm3 is not None:
        yield structure.c.volume_cm3 <= search.volume_max_cm3
    if search.since is not None:
        yield extraction.c.enqueued_at >= search.since
    if search.until is not None:
        yield extraction.c.enqueued_at < search.until
    if search.study_instance_uid:
        yield extraction.c.study_instance_uid == search.study_instance_uid
    if search.modality:
        held = select(study.c.study_instance_uid).where(
            study.c.modalities.like(f"%\\{_literal(search.modality.upper())}\\%", escape="!")
        )
        yield extraction.c.study_instance_uid.in_(held)


def _like(column: ColumnElement[Any], text: str, anywhere: bool) -> ColumnElement[bool]:
    literal = _literal(text)
    if "*" in literal or "?" in literal:
        return column.like(literal.replace("*", "%").replace("?", "_"), escape="!")
    return column.like(f"%{literal}%", escape="!") if anywhere else column == text


def _literal(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
