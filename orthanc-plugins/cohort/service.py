"""Reads the table of structures, and keeps the names that are suggested for them up to date."""

from __future__ import annotations

import logging
from datetime import datetime
from itertools import batched
from pathlib import Path
from typing import Any

from cohort.models import CohortPage, CohortStructureModel
from host.lifecycle import Loop
from host.spreadsheets import Cell, Separator, csv_of
from rtstruct.names import nomenclature, suggest
from store import structures
from store.database import Database
from store.folding import fold
from store.structures import NameRow, SortKey, StructureSearch

logger = logging.getLogger("pacs.cohort")

_COLUMNS = tuple(CohortStructureModel.model_fields)
#: Names written in one transaction.
_NAMES = 100
_DAY_S = 86_400.0


class Cohort:
    """Answers the cohort query."""

    def __init__(self, database: Database, synonyms: Path | None) -> None:
        self._database = database
        self._names = nomenclature(synonyms)
        self.names_keeper = Loop("cohort-names", self.refresh_names, _DAY_S)

    def page(self, search: StructureSearch, sort: SortKey, descending: bool, limit: int, offset: int) -> CohortPage:
        """One page of the structures found."""
        with self._database.begin() as connection:
            rows, total = structures.page(connection, search, sort, descending, limit, offset)
        items = [CohortStructureModel.model_validate(row) for row in rows]
        return CohortPage(items=items, total=total, limit=limit, offset=offset)

    def table(
        self, search: StructureSearch, sort: SortKey, descending: bool, limit: int, offset: int, separator: Separator
    ) -> bytes:
        """The same as CSV."""
        with self._database.begin() as connection:
            rows, _ = structures.page(connection, search, sort, descending, limit, offset)
        return csv_of(_COLUMNS, ([_cell(row[column]) for column in _COLUMNS] for row in rows), separator)

    def refresh_names(self) -> bool:
        """Suggest every name anew: the table or a site's synonyms may have changed. False, as all is done."""
        with self._database.begin() as connection:
            known = structures.names(connection)
        changed = [wanted for row in known if (wanted := self._named(row)) != row]
        for some in batched(dict.fromkeys(changed), _NAMES, strict=False):
            if self.names_keeper.stopping:
                return False
            with self._database.begin() as connection:
                structures.rename(connection, some)
        if changed:
            logger.info("%d names of structures have another suggestion now", len(changed))
        return False

    def _named(self, row: NameRow) -> NameRow:
        found = suggest(row.name, row.interpreted_type, names=self._names)
        return NameRow(
            row.name,
            row.interpreted_type,
            fold(row.name),
            found.name if found else None,
            found.confidence if found else None,
        )


def _cell(value: Any) -> Cell:
    return value.isoformat() if isinstance(value, datetime) else value
