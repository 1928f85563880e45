"""Repairs, asked for or automatic.

Automatically, a structure set is repaired once its structures have been extracted and its study is complete. A copy is
never repaired again, and the copy of a copy would have the same UID: there is no loop.
"""

from __future__ import annotations

import logging
import queue
from dataclasses import dataclass

from prometheus_client import Counter

from host.archive import ArchiveError, StoredInstance, UnknownResource
from host.events import StructuresExtracted, StudyStable
from host.jobs import Call
from host.lifecycle import Loop
from host.plugin import Host
from host.problems import Problem
from host.sources import StructureSetSource
from host.surroundings import Surroundings
from host.workers import ServerStopping, WorkerDied
from quality.engine import repaired
from rtstruct import StructureSetError
from rtstruct.repair import NothingToRepair, NotRepairable, RepairedCopy

logger = logging.getLogger("pacs.quality")

#: How long the thread rests when nothing wakes it.
_IDLE_S = 60.0


@dataclass(frozen=True, slots=True)
class Repaired:
    """A copy and where it is."""

    copy: RepairedCopy
    stored: StoredInstance


class Repairs:
    """Writes repaired copies and stores them."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._surroundings = Surroundings(host.archive)
        self._waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._loop = Loop("repair", self.repair_next, _IDLE_S)
        self._outcomes = Counter(
            "pacs_repairs", "Structure sets looked at for repair, by outcome.", ("outcome",), registry=host.metrics
        )

    @property
    def loop(self) -> Loop:
        """The thread of automatic repairs."""
        return self._loop

    def on_extracted(self, event: StructuresExtracted) -> None:
        """Look at a structure set that can be read."""
        if event.state == "done":
            self._waiting.put(event.orthanc_id)
            self._loop.wake()

    def on_stable(self, event: StudyStable) -> None:
        """Look at the structure sets of a study that has become complete."""
        self._waiting.put(f"study {event.orthanc_id}")
        self._loop.wake()

    def repair(self, structure_set: StructureSetSource, wanted: str | None, call: Call) -> Repaired:
        """Let a worker write a repaired copy, by ``call``, and store it.

        Raises
        ------
        Problem
            409 when nothing is to be repaired, 422 when it is not possible, 404, 503.
        """
        try:
            made = self._repair(structure_set, wanted, automatic=False, call=call)
        except NothingToRepair as error:
            self._outcomes.labels("nothing_to_repair").inc()
            remedy = "GET …/quality tells what else is odd about it."
            raise Problem(
                409, "All references of the structure set hold: there is nothing to repair.", remedy
            ) from error
        except NotRepairable as error:
            self._outcomes.labels("not_repairable").inc()
            raise Problem(422, f"It cannot be repaired: {error.reason}", error.remedy) from error
        except StructureSetError as error:
            remedy = "Export it again from where it was made."
            raise Problem(422, f"The structure set cannot be read: {error}.", remedy) from error
        except UnknownResource as error:
            raise Problem(404, "The structure set has just been deleted.", "Send it again.") from error
        except (ArchiveError, WorkerDied, ServerStopping) as error:
            raise Problem(503, f"The repair was not possible now: {error}.", "Try again in some seconds.") from error
        assert made is not None
        return made

    def repair_next(self) -> bool:
        """Look at one structure set, or study, that waits. False when none does."""
        try:
            waiting = self._waiting.get_nowait()
        except queue.Empty:
            return False
        if waiting.startswith("study "):
            for instance in self._structure_sets(waiting.removeprefix("study ")):
                self._waiting.put(instance)
            return True
        try:
            self._repair_unasked(waiting)
        except (Problem, UnknownResource, NothingToRepair, StructureSetError):
            self._outcomes.labels("nothing_to_repair").inc()
        except NotRepairable as error:
            self._outcomes.labels("not_repairable").inc()
            logger.info("%s is not repaired: %s", waiting, error.reason)
        return True

    def _repair_unasked(self, orthanc_id: str) -> None:
        structure_set = self._host.sources.structure_set(orthanc_id)
        study = self._surroundings.neighbours(structure_set.orthanc_id, ()).study
        # Images may still be on their way: the event of the stable study comes back to it.
        if not self._host.archive.get(f"/studies/{study}").get("IsStable", True):
            return
        if self._repair(structure_set, None, automatic=True, call=self._host.workers.call) is None:
            self._outcomes.labels("nothing_to_repair").inc()

    def _repair(
        self, structure_set: StructureSetSource, wanted: str | None, automatic: bool, call: Call
    ) -> Repaired | None:
        archive = self._host.archive
        named = [*structure_set.referenced_series_uids, *([wanted] if wanted else [])]
        held = self._surroundings.held(self._surroundings.neighbours(structure_set.orthanc_id, named))
        dicom = archive.read_instance(structure_set.orthanc_id)
        copy: RepairedCopy | None = call(repaired, dicom, held, wanted, automatic)
        if copy is None:
            return None
        present = archive.find_instance(copy.sop_instance_uid)
        stored = StoredInstance(present, "already_stored") if present else archive.store_instance(copy.dicom)
        self._outcomes.labels(stored.result).inc()
        if stored.result == "stored":
            logger.info(
                "%s repaired as %s: %s",
                structure_set.orthanc_id,
                stored.orthanc_id,
                ", ".join(change.code for change in copy.changes),
            )
        return Repaired(copy, stored)

    def _structure_sets(self, study: str) -> list[str]:
        try:
            series = self._host.archive.get(f"/studies/{study}/series")
        except UnknownResource:
            return []
        return [
            instance
            for each in series
            if each["MainDicomTags"].get("Modality") == "RTSTRUCT"
            for instance in each["Instances"]
        ]
