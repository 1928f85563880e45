"""Puts what arrives into the outbox of one destination: at once when a study is stable, and by ``/changes``.

Orthanc keeps in memory alone which studies are not stable yet: what a crash loses of that, the persisted cursor in its
log of changes finds again. Both ways may meet the same study, which is queued once.
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable

from sqlalchemy.exc import DataError

from forwarding.configuration import Destination
from forwarding.reading import is_settled, read_study
from forwarding.rules import selects
from host.archive import Archive
from host.changes import studies_touched
from host.events import StudyStable
from host.lifecycle import Loop
from store import cursors, deliveries
from store.database import Database

logger = logging.getLogger("pacs.forwarding")

_TURN_S = 2.0
_CHANGES_PAGE = 1000
#: The log is read when nothing has arrived for so long, and while arrivals go on this often: it costs them nothing.
_QUIET_S = 3.0
_LONGEST_WAIT_S = 60.0
#: Orthanc's log says nothing of labels: studies that have one are asked for this often.
_LABELS_EVERY_S = 20.0


class Intake:
    """One thread per destination that has rules.

    Parameters
    ----------
    stable_age_s
        Orthanc's StableAge.
    on_queued
        Told the number of each new delivery.
    """

    def __init__(
        self,
        destination: Destination,
        archive: Archive,
        database: Database,
        stable_age_s: float,
        on_queued: Callable[[int], None],
    ) -> None:
        self._destination = destination
        self._archive = archive
        self._database = database
        self._stable_age_s = stable_age_s
        self._on_queued = on_queued
        self._cursor = f"forwarding:{destination.name}"
        self._labels = sorted({label for selection in destination.selections for label in selection.labels})
        self._stable: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._loop = Loop(f"forwarding-intake-{destination.name}", self.turn, _TURN_S)
        self._last_arrival = self._last_reading = self._last_labels = float("-inf")
        self._changed = True  # what happened while the plugins were off is unknown
        self._position: int | None = None
        self._persisted = 0
        #: Studies that were not stable yet, each with the position in the log before its first change.
        self._unsettled: dict[str, int] = {}
        self._labelled: set[str] = set()

    def start(self) -> None:
        # Here, and not in the thread: of a new destination, what arrives before its first turn would be taken for older
        # than it, should the server end meanwhile.
        self._begin()
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def join(self) -> None:
        self._loop.join()

    def on_stable(self, event: StudyStable) -> None:
        """A study is complete."""
        self._stable.put(event.orthanc_id)
        self._loop.wake()

    def on_changed(self, _event: None) -> None:
        """Something arrived. Called for each instance: no more than a flag."""
        self._last_arrival = time.monotonic()
        self._changed = True

    def turn(self) -> bool:
        """Queue what is stable, read the log when it is quiet, look for labels."""
        self._take_stable()
        now = time.monotonic()
        quiet = now - self._last_arrival >= _QUIET_S or now - self._last_reading >= _LONGEST_WAIT_S
        if (self._changed or self._unsettled) and quiet:
            self._changed = False
            try:
                self.follow()
            except Exception:
                self._changed = True
                raise
            self._last_reading = time.monotonic()
        if self._labels and now - self._last_labels >= _LABELS_EVERY_S:
            self._last_labels = now
            self.look_for_labels()
        return False

    def follow(self) -> None:
        """Deal with every change since the cursor; then move it, but never past a study that is not stable yet."""
        if self._position is None:
            self._position = self._persisted = self._begin()
        for study in list(self._unsettled):
            self._consider(study, self._unsettled[study])
        while not self._loop.stopping:
            answer = self._archive.get(f"/changes?since={self._position}&limit={_CHANGES_PAGE}")
            for study in studies_touched(self._archive, answer["Changes"]):
                self._consider(study, self._position)
            if int(answer["Last"]) < self._position:
                logger.warning("Orthanc's log of changes begins anew; %s follows it from there", self._cursor)
                self._unsettled.clear()
            self._position = int(answer["Last"])
            if answer["Done"] or not answer["Changes"]:
                break
        settled = min([self._position, *self._unsettled.values()])
        if settled != self._persisted:
            with self._database.begin() as connection:
                cursors.write(connection, self._cursor, settled)
            self._persisted = settled

    def look_for_labels(self) -> None:
        """Queue studies that were given a label after they had become stable."""
        found = self._archive.post(
            "/tools/find",
            {"Level": "Study", "Query": {}, "Labels": self._labels, "LabelsConstraint": "Any"},
        )
        for study in sorted(set(found) - self._labelled):
            settled = is_settled(self._archive, study, self._stable_age_s)
            if settled:
                self.take(study)
            if settled is not False:
                self._labelled.add(study)
        self._labelled.intersection_update(found)

    def take(self, study_orthanc_id: str) -> None:
        """Queue a study if a rule says so, as far as no delivery has taken it yet."""
        study = read_study(self._archive, study_orthanc_id)
        if study is None or not any(selects(each, study.facts) for each in self._destination.selections):
            return
        try:
            with self._database.begin() as connection:
                number = deliveries.enqueue(connection, study.to_deliver, self._destination.name)
        except DataError:
            # A value that no column takes: this study alone is not forwarded, the others go on.
            logger.exception("Study %s cannot be queued for %s", study_orthanc_id, self._destination.name)
            return
        if number is not None:
            self._on_queued(number)

    def _take_stable(self) -> None:
        while not self._stable.empty():
            study = self._stable.get()
            try:
                self.take(study)
            except Exception:
                self._stable.put(study)  # the database is away for a moment
                raise
            self._unsettled.pop(study, None)

    def _consider(self, study: str, dealt_with: int) -> None:
        settled = is_settled(self._archive, study, self._stable_age_s)
        if settled is False:
            self._unsettled.setdefault(study, dealt_with)
            return
        if settled:
            self.take(study)
        self._unsettled.pop(study, None)

    def _begin(self) -> int:
        with self._database.begin() as connection:
            position = cursors.read(connection, self._cursor)
            if position is None:
                # A new destination takes what arrives from now on; older studies are sent by hand.
                position = int(self._archive.get("/changes?last")["Last"])
                cursors.write(connection, self._cursor, position)
        return position
