"""The queue's life: who enters it, who works it off, what happens when something fails.

``on_stored`` runs inside Orthanc's store and only remembers an identifier; the rest happens in threads. What a crash
loses between the two, the reconciliation at the next start finds again.
"""

from __future__ import annotations

import logging
import queue
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import Row

from extraction.engine import ENGINE_VERSION, Extracted, UnreadableStructureSet, extract
from host.archive import ArchiveError, UnknownResource
from host.events import InstanceStored, ResourceDeleted, StructuresExtracted
from host.lifecycle import Background, Loop
from host.plugin import Host
from host.workers import ServerStopping, WorkerDied
from store import extractions
from store.extractions import Claim

logger = logging.getLogger("pacs.extraction")

RT_STRUCTURE_SET_STORAGE = "1.2.840.10008.5.1.4.1.1.481.3"
#: Names of the attachments in Orthanc (``UserContentType`` of its configuration).
SUMMARY = "rtstruct-summary"
CONTOURS = "rtstruct-contours"

#: How often waiting rows are looked for when nobody says that there are some: another node may have left them.
_IDLE_S = 2.0
#: The first wait after a passing fault; each further one is twice as long.
_FIRST_RETRY = timedelta(seconds=2)
_SERIES_PAGE = 500
#: A running row belongs to its process for this long, and for as long again each time the process says it lives:
#: after a kill -9 the row is taken anew within this time.
_LEASE = timedelta(seconds=20)
_RENEW_S = 4.0


class Extraction:
    """Queues structure sets and extracts them."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._arrived: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._deleted: queue.SimpleQueue[str] = queue.SimpleQueue()
        # Other processes of the same node name may be alive or dead: a lease belongs to this one alone.
        self._owner = f"{host.settings.node}-{uuid.uuid4().hex[:8]}"
        self._reconciled = False
        self._keeper = Loop("extraction-queue", self.keep_queue, _IDLE_S)
        self._lease_keeper = Loop("extraction-lease", self._renew_leases, _RENEW_S)
        self._runners = [
            Loop(f"extraction-{number}", self.extract_next, _IDLE_S)
            for number in range(host.settings.extraction_workers)
        ]

    @property
    def background(self) -> tuple[Background, ...]:
        """The threads: those that keep the leases and the queue, and the runners."""
        return (self._lease_keeper, self._keeper, *self._runners)

    def on_stored(self, event: InstanceStored) -> None:
        """Remember a structure set. Called inside the store: microseconds."""
        if event.sop_class_uid == RT_STRUCTURE_SET_STORAGE:
            self._arrived.put(event.orthanc_id)
            self._keeper.wake()

    def on_deleted(self, event: ResourceDeleted) -> None:
        """Remember that an instance is gone."""
        if event.level == "instance":
            self._deleted.put(event.orthanc_id)
            self._keeper.wake()

    def retry(self, orthanc_id: str) -> bool:
        """Queue an instance again; False when it was never queued or runs at this moment."""
        with self._host.database.begin() as connection:
            queued = extractions.retry(connection, orthanc_id, ENGINE_VERSION)
        self._wake_runners()
        return queued

    def cancel(self, orthanc_id: str) -> bool:
        """Give up an extraction that waits; False when it does not."""
        with self._host.database.begin() as connection:
            return extractions.cancel(connection, orthanc_id)

    def find(self, identifier: str) -> str | None:
        """The Orthanc identifier of an instance, given that or its SOP Instance UID."""
        return self._host.archive.find_instance(identifier)

    def row(self, orthanc_id: str) -> Row[Any] | None:
        """How the extraction of an instance stands."""
        with self._host.database.begin() as connection:
            return extractions.get(connection, orthanc_id)

    def page(self, state: extractions.State | None, limit: int, offset: int) -> tuple[list[Row[Any]], int]:
        """A page of the queue and its history, and how many there are in all."""
        with self._host.database.begin() as connection:
            return extractions.page(connection, state, limit, offset)

    def keep_queue(self) -> bool:
        """Write down what arrived and what was deleted; the first time, compare with the whole archive."""
        if not self._reconciled:
            self.reconcile()
            self._reconciled = True
        deleted, arrived = set(_drain(self._deleted)), set(_drain(self._arrived))
        if not deleted and not arrived:
            return False
        try:
            gone = {identifier for identifier in deleted if not self._exists(identifier)}
            with self._host.database.begin() as connection:
                extractions.forget(connection, gone)
                extractions.enqueue(connection, arrived - gone, ENGINE_VERSION)
                # Deleted and sent again meanwhile: its attachments went with the first copy.
                for identifier in deleted - gone:
                    extractions.retry(connection, identifier, ENGINE_VERSION)
        except Exception:
            # The database is away for a moment: what was drained goes back, and nothing is lost.
            for identifier in arrived:
                self._arrived.put(identifier)
            for identifier in deleted:
                self._deleted.put(identifier)
            raise
        self._wake_runners()
        return False

    def reconcile(self) -> None:
        """Queue the structure sets that arrived while the plugins were off, drop rows of what has gone since."""
        held: set[str] = set()
        for instances in self._structure_sets():
            held.update(instances)
        with self._host.database.begin() as connection:
            known = extractions.known(connection)
            # What is no RTSTRUCT series by its Modality may still be held: only what is really gone is dropped.
            extractions.forget(connection, {gone for gone in known - held if not self._exists(gone)})
            extractions.enqueue(connection, held - known, ENGINE_VERSION)
            outdated = extractions.requeue_outdated(connection, ENGINE_VERSION)
        if held - known or outdated:
            logger.info("%d structure sets queued at start, %d of them again", len(held - known) + outdated, outdated)
        self._wake_runners()

    def extract_next(self) -> bool:
        """Take one row and extract it. False when there was none."""
        with self._host.database.begin() as connection:
            claimed = extractions.claim(connection, self._owner, _LEASE)
        if claimed is None:
            return False
        started = time.perf_counter()
        try:
            self._extract(claimed, started)
        except ServerStopping:
            with self._host.database.begin() as connection:
                extractions.release(connection, claimed)
            return False
        except UnknownResource:
            # Deleted while it waited or ran; if it is there, it was sent again since, or its file is missing.
            if self._exists(claimed.orthanc_id):
                self._failed(claimed, started, "its file could not be read from the archive", retry=True)
            else:
                with self._host.database.begin() as connection:
                    extractions.forget(connection, [claimed.orthanc_id])
        except UnreadableStructureSet as error:
            self._failed(claimed, started, str(error), retry=False)
        except (WorkerDied, ArchiveError) as error:
            self._failed(claimed, started, str(error), retry=True)
        except Exception as error:
            logger.exception("Extraction of %s failed unexpectedly", claimed.orthanc_id)
            self._failed(claimed, started, f"{type(error).__name__} (see the server's log)", retry=True)
        return True

    def _extract(self, claimed: Claim, started: float) -> None:
        archive = self._host.archive
        dicom = archive.read_instance(claimed.orthanc_id)
        extracted: Extracted = self._host.workers.call(extract, dicom, self._host.settings.synonyms)
        # Attachments first: a row that says "done" is true. Writing them again after a crash changes nothing.
        archive.attach(claimed.orthanc_id, CONTOURS, extracted.contours)
        archive.attach(claimed.orthanc_id, SUMMARY, extracted.summary)
        duration_s = time.perf_counter() - started
        with self._host.database.begin() as connection:
            ours = extractions.finish(
                connection, claimed, duration_s, ENGINE_VERSION, extracted.outcome, extracted.structures
            )
        if ours:
            logger.info(
                "%s: %d structures in %.2f s",
                claimed.orthanc_id,
                extracted.outcome.structure_count,
                duration_s,
            )
            self._host.events.structures_extracted.publish(StructuresExtracted(claimed.orthanc_id, "done", duration_s))

    def _failed(self, claimed: Claim, started: float, error: str, retry: bool) -> None:
        last = not retry or claimed.attempts >= self._host.settings.extraction_attempts
        wait = None if last else _FIRST_RETRY * 2 ** (claimed.attempts - 1)
        duration_s = time.perf_counter() - started
        with self._host.database.begin() as connection:
            extractions.fail(connection, claimed, duration_s, error, wait)
        logger.warning("%s: %s; %s", claimed.orthanc_id, error, "given up" if wait is None else f"again in {wait}")
        state: Literal["failed", "pending"] = "failed" if wait is None else "pending"
        self._host.events.structures_extracted.publish(StructuresExtracted(claimed.orthanc_id, state, duration_s))

    def _renew_leases(self) -> bool:
        with self._host.database.begin() as connection:
            extractions.renew(connection, self._owner, _LEASE)
        return False

    def _structure_sets(self) -> Iterator[list[str]]:
        since = 0
        while True:
            found = self._host.archive.post(
                "/tools/find",
                {
                    "Level": "Series",
                    "Query": {"Modality": "RTSTRUCT"},
                    "Expand": True,
                    "Since": since,
                    "Limit": _SERIES_PAGE,
                },
            )
            yield [instance for series in found for instance in series["Instances"]]
            if len(found) < _SERIES_PAGE:
                return
            since += _SERIES_PAGE

    def _exists(self, orthanc_id: str) -> bool:
        return self._host.archive.find_instance(orthanc_id) is not None

    def _wake_runners(self) -> None:
        for runner in self._runners:
            runner.wake()


def _drain(waiting: queue.SimpleQueue[str]) -> Iterator[str]:
    while True:
        try:
            yield waiting.get_nowait()
        except queue.Empty:
            return
