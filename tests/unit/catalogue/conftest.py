"""A follower of the archive double, turned by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from catalogue.follower import Follower
from host.events import Events
from store import studies
from store.database import Database
from store.studies import StudySearch
from unit.archive_double import ArchiveDouble


@pytest.fixture
def make_follower(
    archive: ArchiveDouble, database: Database, events: Events, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Follower]:
    """A new follower, as after a restart; it does not wait for more arrivals."""
    monkeypatch.setattr("catalogue.follower._QUIET_S", 0.0)

    def make() -> Follower:
        made = Follower(archive, database)
        events.changed.subscribe(made.on_changed)
        events.resource_deleted.subscribe(made.on_deleted)
        return made

    return make


@pytest.fixture
def follower(make_follower: Callable[[], Follower]) -> Follower:
    """A follower that has had its first turn on an empty archive."""
    made = make_follower()
    made._turn()
    return made


@pytest.fixture
def counts(database: Database) -> Callable[[], dict[str, tuple[int, int]]]:
    """(series, instances) of each study, as the catalogue counts them."""

    def read() -> dict[str, tuple[int, int]]:
        with database.begin() as connection:
            rows, _ = studies.page(connection, StudySearch(), "arrived_at", False, 1000, 0)
        return {row.orthanc_id: (row.series_count, row.instance_count) for row in rows}

    return read
