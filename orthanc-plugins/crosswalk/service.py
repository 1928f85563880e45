"""Reads the crosswalk, and says in the log who did."""

from __future__ import annotations

import logging
from typing import Any

from crosswalk.models import CrosswalkEntryModel, CrosswalkPage
from host.problems import Problem
from host.spreadsheets import Separator, csv_of
from store.crosswalk import Crosswalk, Entry, Search, UnusableKey
from store.database import Database

logger = logging.getLogger("pacs.crosswalk")

_COLUMNS = tuple(CrosswalkEntryModel.model_fields)


class CrosswalkReader:
    """Answers who is behind pseudonyms."""

    def __init__(self, database: Database, keys: str) -> None:
        self._database = database
        self._keys = keys

    def page(self, search: Search, limit: int, offset: int, reader: str) -> CrosswalkPage:
        """One page of the entries found."""
        with self._database.begin() as connection:
            entries, total = self._crosswalk().page(connection, search, limit, offset)
        logger.info("%s read %d entries of the crosswalk", reader, len(entries))
        return CrosswalkPage(items=[_model(entry) for entry in entries], total=total, limit=limit, offset=offset)

    def table(self, search: Search, limit: int, offset: int, separator: Separator, reader: str) -> bytes:
        """The same as CSV."""
        rows = [item.model_dump(mode="json") for item in self.page(search, limit, offset, reader).items]
        return csv_of(_COLUMNS, ([row[column] for column in _COLUMNS] for row in rows), separator)

    def _crosswalk(self) -> Crosswalk:
        try:
            return Crosswalk(self._keys)
        except UnusableKey as error:
            raise Problem(503, "The crosswalk cannot be opened.", str(error)) from None


def _model(entry: Entry) -> CrosswalkEntryModel:
    original = entry.original
    known: dict[str, Any] = {}
    if original is not None:
        known = {
            "patient_id": original.patient_id,
            "patient_name": original.patient_name,
            "patient_birth_date": original.patient_birth_date,
            "original_study_instance_uid": original.study_instance_uid,
            "date_shift_days": original.date_shift_days,
        }
    return CrosswalkEntryModel(
        pseudonym=entry.pseudonym,
        study_instance_uid=entry.study_instance_uid,
        destination=entry.destination,
        recorded_at=entry.recorded_at,
        sent_at=entry.sent_at,
        readable=original is not None,
        **known,
    )
