"""Works off the queue of one destination: takes a row, sends, asks the other end, writes down how it went."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from forwarding.activity import Activity
from forwarding.availability import Watch, back_off_s
from forwarding.configuration import Destination
from forwarding.model import Consignment, HeldBack, Proof, Refused, Sender, Unreachable
from forwarding.reading import read_consignment
from host.archive import Archive, ArchiveError, UnknownResource
from host.lifecycle import Loop
from store import deliveries
from store.database import Database
from store.deliveries import Claim, State

logger = logging.getLogger("pacs.forwarding")

#: A row being sent belongs to its process for this long, and for as long again each time the process says it lives:
#: after a kill -9 the row is taken anew within this time.
LEASE = timedelta(seconds=20)
LONGEST_RETRY_S = 3600.0
_IDLE_S = 2.0
_PROGRESS_EVERY_S = 1.0
#: How many UIDs of missing instances a reason names.
_NAMED = 3


@dataclass(frozen=True)
class Outcome:
    """How one try ended, for those who count."""

    claimed: Claim
    state: State
    size_bytes: int = 0
    duration_s: float = 0.0


class Delivering:
    """The threads of one destination: twice as many as it takes studies side by side, so that none waits for a proof.

    Parameters
    ----------
    owner
        Under which name this process takes rows.
    on_state
        Told of each state that a delivery reaches.
    on_outcome
        Told how each try ended.
    """

    def __init__(
        self,
        destination: Destination,
        sender: Sender,
        archive: Archive,
        database: Database,
        activity: Activity,
        owner: str,
        on_state: Callable[[int, State], None],
        on_outcome: Callable[[Outcome], None],
    ) -> None:
        self._destination = destination
        self._sender = sender
        self._archive = archive
        self._database = database
        self._activity = activity
        self._owner = owner
        self._on_state = on_state
        self._on_outcome = on_outcome
        self.watch = Watch(destination.name, sender, destination.first_retry_s, self.wake)
        #: Held from before a row is taken until its study has left. Others are proven meanwhile.
        self._places = threading.BoundedSemaphore(destination.concurrency)
        self._runners = [
            Loop(f"forwarding-{destination.name}-{number}", self.deliver_next, _IDLE_S)
            for number in range(2 * destination.concurrency)
        ]

    def start(self) -> None:
        self.watch.start()
        for runner in self._runners:
            runner.start()

    def stop(self) -> None:
        self.watch.stop()
        for runner in self._runners:
            runner.stop()
        self._activity.stop_all()

    def join(self) -> None:
        self.watch.join()
        for runner in self._runners:
            runner.join()

    def wake(self) -> None:
        """There is something to take, or it may be taken again."""
        for runner in self._runners:
            runner.wake()

    @property
    def in_window(self) -> bool:
        """Whether studies may be sent now that nobody sent by hand."""
        window = self._destination.window
        return window is None or window.holds(datetime.now().time())

    def deliver_next(self) -> bool:
        """Take one row and deliver it. False when there was none, or the destination is away."""
        with ExitStack() as place:
            # A row that only waits for its turn is nobody's: a kill -9 costs it no attempt.
            place.enter_context(self._places)
            if not self.watch.admits:
                return False
            with self._database.begin() as connection:
                claimed = deliveries.claim(
                    connection, self._destination.name, self._owner, LEASE, by_hand_only=not self.in_window
                )
            if claimed is None:
                return False
            stopping = self._activity.begin(claimed.id)
            try:
                self._on_state(claimed.id, "sending")
                self._try(claimed, place, stopping)
            finally:
                self._activity.end(claimed.id)
        return True

    def _try(self, claimed: Claim, place: ExitStack, stopping: threading.Event) -> None:
        try:
            if claimed.attempts > self._destination.attempts:
                self._fail(claimed, "the server ended during each try; look at its log, then retry", again=False)
                return
            self._deliver(claimed, place, stopping)
        except HeldBack as error:
            self._fail(claimed, f"held back: {error}", again=False)
        except Unreachable as error:
            self._unreachable(claimed, str(error), stopping)
        except Refused as error:
            self._fail(claimed, str(error))
        except UnknownResource as error:
            if self._is_held(claimed.study_orthanc_id):
                self._fail(claimed, f"part of the study could not be read: {error}")
            else:
                self._abandon(claimed)
        except ArchiveError as error:
            self._fail(claimed, str(error))
        except SQLAlchemyError:
            # Our own database is away: the lease runs out, and the row is taken again.
            raise
        except Exception as error:
            study, destination = claimed.study_orthanc_id, self._destination.name
            logger.exception("Delivery %d of study %s to %s failed unexpectedly", claimed.id, study, destination)
            self._fail(claimed, f"{type(error).__name__} (see the server's log)")

    def _deliver(self, claimed: Claim, place: ExitStack, stopping: threading.Event) -> None:
        begun = time.perf_counter()
        consignment = read_consignment(self._archive, claimed)
        if not len(consignment):
            self._abandon(claimed)
            return
        missing = self._missing(consignment, stopping) if claimed.begun else consignment
        if len(missing):
            already = len(consignment) - len(missing)
            self._sender.send(missing, self._progress(claimed, already), stopping)
        place.close()
        with self._database.begin() as connection:
            ours = deliveries.verifying(connection, claimed)
        if not ours:
            return
        self._on_state(claimed.id, "verifying")
        proof = self._sender.prove(consignment, stopping)
        if proof.missing:
            raise Refused(_absent(proof, len(consignment)))
        self._succeed(claimed, proof, consignment, missing, time.perf_counter() - begun)

    def _missing(self, consignment: Consignment, stopping: threading.Event) -> Consignment:
        """What the other end lacks, after a try that may have sent some of it: all, when it cannot tell which."""
        try:
            missing = self._sender.prove(consignment, stopping).missing
        except Refused:
            return consignment
        lacking = tuple(each for each in consignment.instances if each.sop_instance_uid in missing)
        if len(lacking) != len(missing):
            return consignment  # de-identified instances are at the other end under other UIDs
        return consignment.part(lacking)

    def _succeed(
        self, claimed: Claim, proof: Proof, consignment: Consignment, sent: Consignment, duration_s: float
    ) -> None:
        with self._database.begin() as connection:
            ours = deliveries.deliver(connection, claimed, proof.method, duration_s)
        self.watch.answered()
        if ours:
            logger.info(
                "Delivery %d of study %s to %s: %d instances proven by %s in %.2f s",
                claimed.id, claimed.study_orthanc_id, self._destination.name,
                len(consignment), proof.method, duration_s,
            )  # fmt: skip
            self._on_state(claimed.id, "delivered")
            self._on_outcome(Outcome(claimed, "delivered", sent.size_bytes, duration_s))

    def _unreachable(self, claimed: Claim, reason: str, stopping: threading.Event) -> None:
        if not stopping.is_set() and self.watch.probe():
            # It answers others: the fault is this study's, and must not hold up the rest.
            self._fail(claimed, reason)
            return
        self._release(claimed, None if stopping.is_set() else reason)

    def _release(self, claimed: Claim, reason: str | None) -> None:
        with self._database.begin() as connection:
            ours = deliveries.release(connection, claimed, reason)
        if ours:
            self._on_state(claimed.id, "waiting")

    def _fail(self, claimed: Claim, reason: str, again: bool = True) -> None:
        wait = None
        if again and claimed.attempts < self._destination.attempts:
            wait = timedelta(seconds=back_off_s(self._destination.first_retry_s, claimed.attempts, LONGEST_RETRY_S))
        with self._database.begin() as connection:
            ours = deliveries.fail(connection, claimed, reason, wait)
        if ours:
            state: State = "failed" if wait is None else "waiting"
            logger.warning(
                "Delivery %d of study %s to %s: %s; %s",
                claimed.id, claimed.study_orthanc_id, self._destination.name,
                reason, "given up" if wait is None else f"again in {wait.total_seconds():.0f} s",
            )  # fmt: skip
            self._on_state(claimed.id, state)
            self._on_outcome(Outcome(claimed, state))

    def _abandon(self, claimed: Claim) -> None:
        with self._database.begin() as connection:
            ours = deliveries.abandon(connection, claimed, "the study was deleted before it was delivered")
        if ours:
            self._on_state(claimed.id, "cancelled")

    def _progress(self, claimed: Claim, already: int) -> Callable[[int, int], None]:
        written = float("-inf")

        def progress(instances: int, _bytes: int) -> None:
            nonlocal written
            now = time.monotonic()
            if now - written < _PROGRESS_EVERY_S:
                return
            written = now
            try:
                with self._database.begin() as connection:
                    deliveries.progress(connection, claimed, already + instances)
            except SQLAlchemyError as error:
                # Only people look at it: what counts is written when the try ends.
                logger.warning("The progress of delivery %d is not written: %s", claimed.id, type(error).__name__)

        return progress

    def _is_held(self, study: str) -> bool:
        try:
            self._archive.get(f"/studies/{study}")
        except UnknownResource:
            return False
        return True


def _absent(proof: Proof, sent: int) -> str:
    named = ", ".join(sorted(proof.missing)[:_NAMED])
    more = ", …" if len(proof.missing) > _NAMED else ""
    return f"{len(proof.missing)} of {sent} instances are not there after sending, by {proof.method}: {named}{more}"
