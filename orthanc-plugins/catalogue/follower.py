"""Keeps the catalogue true to Orthanc: follows ``/changes`` with a persisted cursor, compares when in doubt.

Orthanc's log of changes holds arrivals but no deletions, and a deletion's event is lost with a crash: hence the
comparison of counts, and with it the rebuild, whenever the two disagree.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterable

from sqlalchemy.exc import DataError

from catalogue.reading import read_study
from host.archive import Archive, UnknownResource
from host.changes import studies_touched
from host.events import ResourceDeleted, StructuresExtracted
from host.lifecycle import Loop
from store import cursors, studies
from store.database import Database

logger = logging.getLogger("pacs.catalogue")

CURSOR = "catalogue"
_CHANGES_PAGE = 1000
_STUDIES_PAGE = 200
_TURN_S = 0.5
#: Arrivals come in bursts, one change per instance: a study is read when none has come for a second, and every five
#: seconds while they go on, so that the reading costs the sending modality next to nothing.
_QUIET_S = 1.0
_LONGEST_WAIT_S = 5.0
#: While a burst lasts, readings take no more than a twentieth of the time, however long each of them takes.
_REST_PER_READING = 19.0
#: How often the counts are compared when nothing happens.
_COMPARE_EVERY_TURNS = 120


class Follower:
    """One thread that writes the catalogue; with several nodes each writes the same, which does no harm."""

    def __init__(self, archive: Archive, database: Database) -> None:
        self._archive = archive
        self._database = database
        self._deleted: queue.SimpleQueue[ResourceDeleted] = queue.SimpleQueue()
        self._extracted: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._loop = Loop("catalogue", self._turn, _TURN_S)
        self._changed = threading.Event()
        self._last_arrival = 0.0
        self._last_reading = 0.0
        self._reading_s = 0.0
        self._doubt = threading.Event()
        self._doubt.set()  # what happened while the plugins were off is unknown
        self._rebuild = threading.Event()
        self._compare_next = False
        self._differed: tuple[int, int] | None = None
        self._turns = 0

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def join(self) -> None:
        self._loop.join()

    def on_changed(self, _event: None) -> None:
        """Something arrived. Called for each instance: no more than a flag."""
        self._last_arrival = time.monotonic()
        self._changed.set()

    def on_deleted(self, event: ResourceDeleted) -> None:
        """Something is gone."""
        self._deleted.put(event)

    def on_extracted(self, event: StructuresExtracted) -> None:
        """An instance got attachments: its study weighs more, and no change in Orthanc's log says so."""
        if event.state == "done":
            self._extracted.put(event.orthanc_id)

    def rebuild(self) -> None:
        """Read every study anew, soon, in the background."""
        self._rebuild.set()

    def _turn(self) -> bool:
        self._turns += 1
        if self._doubt.is_set() or self._rebuild.is_set():
            self.reconcile(force=self._rebuild.is_set())
            self._doubt.clear()
            self._rebuild.clear()
        try:
            self.apply_deletions()
            self.apply_extractions()
            if self._turns == 1 or (self._changed.is_set() and self._gathered()):
                self._changed.clear()
                begun = time.monotonic()
                self.apply_changes()
                self._last_reading = time.monotonic()
                self._reading_s = self._last_reading - begun
            if self._turns % _COMPARE_EVERY_TURNS == 0:
                self.compare()
        except Exception:
            # What was being dealt with is lost to the queue of deletions: a comparison finds it again.
            self._changed.set()
            self._doubt.set()
            raise
        return False

    def _gathered(self) -> bool:
        now = time.monotonic()
        longest = max(_LONGEST_WAIT_S, _REST_PER_READING * self._reading_s)
        return now - self._last_arrival >= _QUIET_S or now - self._last_reading >= longest

    def apply_changes(self) -> None:
        """Read every study touched by a change since the cursor, then move the cursor."""
        while not self._loop.stopping:
            with self._database.begin() as connection:
                since = cursors.read(connection, CURSOR) or 0
            answer = self._archive.get(f"/changes?since={since}&limit={_CHANGES_PAGE}")
            self._refresh(studies_touched(self._archive, answer["Changes"]))
            last = int(answer["Last"])
            if last < since or (last != since and not answer["Changes"]):
                # Somebody has emptied Orthanc's log of changes, or the database was restored from a backup.
                self._doubt.set()
            if last != since:
                with self._database.begin() as connection:
                    cursors.write(connection, CURSOR, last)
            if answer["Done"] or not answer["Changes"]:
                return

    def apply_deletions(self) -> None:
        """Drop deleted studies; read again those that lost a series or an instance."""
        gone: set[str] = set()
        touched: set[str] = set()
        alone = False
        while not self._deleted.empty():
            event = self._deleted.get()
            if event.level == "study":
                gone.add(event.orthanc_id)
            elif event.level == "series":
                with self._database.begin() as connection:
                    parent = studies.study_of_series(connection, event.orthanc_id)
                touched.update([parent] if parent else [])
            elif event.level == "instance":
                alone = True
        # A study that was sent again right after its deletion is read like any other.
        self._refresh(gone | touched)
        if alone:
            self._compare_next = True
        elif self._compare_next:
            # One turn later: the events of a deletion come one by one.
            self._compare_next = False
            self.compare()

    def apply_extractions(self) -> None:
        """Read the studies again whose structure sets have been extracted."""
        instances = []
        while not self._extracted.empty():
            instances.append({"ResourceType": "Instance", "ID": self._extracted.get()})
        self._refresh(studies_touched(self._archive, instances))

    def compare(self) -> None:
        """Reconcile when Orthanc and the catalogue do not count the same instances, now and at the next turn.

        While instances arrive the two differ all the time, and each time otherwise: that is no reason to ask for the
        count of every study.
        """
        held = int(self._archive.get("/statistics")["CountInstances"])
        with self._database.begin() as connection:
            counted = studies.instance_total(connection)
        if held == counted or self._changed.is_set():
            self._differed = None
        elif self._differed == (held, counted):
            self._differed = None
            self.reconcile()
        else:
            self._differed = (held, counted)
            self._compare_next = True

    def reconcile(self, force: bool = False) -> None:
        """Compare every study's count with Orthanc's, and read again those that differ (all of them with ``force``)."""
        with self._database.begin() as connection:
            known = {} if force else studies.known(connection)
            strangers = set(studies.known(connection))
        since = 0
        read = 0
        while not self._loop.stopping:
            page: list[str] = self._archive.get(f"/studies?since={since}&limit={_STUDIES_PAGE}")
            strangers.difference_update(page)
            different = [study for study in page if known.get(study) != self._count(study)]
            self._refresh(different)
            read += len(different)
            if len(page) < _STUDIES_PAGE:
                break
            since += _STUDIES_PAGE
        else:
            return
        self._refresh(strangers)
        if read or strangers:
            logger.info(
                "The catalogue was compared with Orthanc: %d studies read, %d looked for",
                read,
                len(strangers),
            )

    def _count(self, study: str) -> int:
        try:
            return int(self._archive.get(f"/studies/{study}/statistics")["CountInstances"])
        except UnknownResource:
            return -1

    def _refresh(self, identifiers: Iterable[str]) -> None:
        for identifier in identifiers:
            read = read_study(self._archive, identifier)
            try:
                with self._database.begin() as connection:
                    if read is None:
                        studies.remove(connection, [identifier])
                    else:
                        studies.put(connection, *read)
            except DataError:
                # A value that no column takes: this study alone is missing from the lists, the others go on.
                logger.exception("Study %s cannot be catalogued", identifier)
