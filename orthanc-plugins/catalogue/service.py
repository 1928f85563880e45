"""Answers from the catalogue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from catalogue.models import (
    DayCount,
    ExtractionTotals,
    ModalityCount,
    SeriesModel,
    Statistics,
    StudyDetail,
    StudyModel,
    StudyPage,
)
from catalogue.reading import read_study
from host.archive import Archive
from store import extractions, statistics, studies
from store.database import Database
from store.studies import SortKey, StudySearch


class Catalogue:
    """Lists, details and figures; one transaction each."""

    def __init__(self, archive: Archive, database: Database) -> None:
        self._archive = archive
        self._database = database

    def page(self, search: StudySearch, sort: SortKey, descending: bool, limit: int, offset: int) -> StudyPage:
        """One page of the studies found."""
        with self._database.begin() as connection:
            rows, total = studies.page(connection, search, sort, descending, limit, offset)
        return StudyPage(
            items=[StudyModel(**_study(dict(row._mapping))) for row in rows], total=total, limit=limit, offset=offset
        )

    def study(self, identifier: str) -> StudyDetail | None:
        """A study with its series, by Orthanc identifier or Study Instance UID.

        One that has only just arrived, and is not written down yet, is read from the archive itself: who has sent a
        study may ask for it at once.
        """
        with self._database.begin() as connection:
            found = studies.get(connection, identifier)
        if found is not None:
            row, rows = found
            series = [SeriesModel.model_validate(entry, from_attributes=True) for entry in rows]
            return StudyDetail(**_study(dict(row._mapping)), series=series)
        orthanc_id = self._archive.find_study(identifier)
        read = read_study(self._archive, orthanc_id) if orthanc_id else None
        if read is None:
            return None
        values, children = read
        series = [SeriesModel(**child) for child in children]
        return StudyDetail(**_study(values), updated_at=datetime.now(UTC), series=series)

    def statistics(self, days: int) -> Statistics:
        """What is held, and what arrived during the last ``days`` days."""
        with self._database.begin() as connection:
            held = statistics.holdings(connection)
            modalities = statistics.by_modality(connection)
            growth = statistics.arrivals_by_day(connection, datetime.now(UTC) - timedelta(days=days))
            totals = extractions.totals(connection)
        return Statistics(
            patients=held.patients,
            studies=held.studies,
            series=held.series,
            instances=held.instances,
            disk_bytes=held.size_bytes,
            by_modality=[
                ModalityCount(modality=modality, studies=count, series=series, instances=instances)
                for modality, count, series, instances in modalities
            ],
            growth=[
                DayCount(day=day, studies=count, instances=instances, size_bytes=size)
                for day, count, instances, size in growth
            ],
            extractions=ExtractionTotals(**totals.by_state, structures=totals.structures),
        )


def _study(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "modalities": [name for name in row["modalities"].split("\\") if name]}
