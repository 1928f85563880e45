"""Figures over the whole catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from store.tables import series, study


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the archive holds, as the catalogue counts it."""

    patients: int
    studies: int
    series: int
    instances: int
    size_bytes: int


def holdings(connection: Connection) -> Holdings:
    """Counts of everything."""
    row = connection.execute(
        select(
            func.count(study.c.patient_id.distinct()),
            func.count(),
            func.coalesce(func.sum(study.c.series_count), 0),
            func.coalesce(func.sum(study.c.instance_count), 0),
            func.coalesce(func.sum(study.c.size_bytes), 0),
        ).select_from(study)
    ).one()
    return Holdings(*(int(value) for value in row))


def by_modality(connection: Connection) -> list[tuple[str, int, int, int]]:
    """Rows of (modality, studies, series, instances), most studies first."""
    studies = func.count(series.c.study_orthanc_id.distinct())
    rows = connection.execute(
        select(series.c.modality, studies, func.count(), func.sum(series.c.instance_count))
        .group_by(series.c.modality)
        .order_by(studies.desc(), series.c.modality)
    )
    return [(row[0], int(row[1]), int(row[2]), int(row[3])) for row in rows]


def arrivals_by_day(connection: Connection, since: datetime) -> list[tuple[str, int, int, int]]:
    """Rows of (day as YYYY-MM-DD in UTC, studies, instances, bytes) of what arrived since then, oldest first."""
    if connection.dialect.name == "sqlite":
        day = func.strftime("%Y-%m-%d", study.c.arrived_at)
    else:
        day = func.to_char(func.timezone("UTC", study.c.arrived_at), "YYYY-MM-DD")
    rows = connection.execute(
        select(day, func.count(), func.sum(study.c.instance_count), func.sum(study.c.size_bytes))
        .where(study.c.arrived_at >= since)
        .group_by(day)
        .order_by(day)
    )
    return [(row[0], int(row[1]), int(row[2]), int(row[3])) for row in rows]
