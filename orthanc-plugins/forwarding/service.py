"""The outbox of all destinations: what fills it, works it off, keeps its leases, and what people ask of it."""

from __future__ import annotations

import logging
import queue
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Row

from forwarding.activity import Activity
from forwarding.configuration import Destination
from forwarding.delivering import LEASE, LONGEST_RETRY_S, Delivering, Outcome
from forwarding.intake import Intake
from forwarding.model import Sender
from forwarding.reading import read_study
from host.archive import UnknownResource
from host.events import DeliveryChanged, ResourceDeleted
from host.lifecycle import Background, Loop
from host.plugin import Host
from store import deliveries, delivery_lists
from store.deliveries import State
from store.delivery_lists import DeliverySearch, Held

logger = logging.getLogger("pacs.forwarding")

_RENEW_S = 4.0
_LONGEST_WAIT = timedelta(seconds=LONGEST_RETRY_S)
_DELETED = "the study was deleted"
#: Orthanc's own default of StableAge, in seconds.
_STABLE_AGE_S = 60


class UnknownStudy(Exception):
    """Orthanc holds no such study."""


class UnknownDestination(Exception):
    """No such destination is configured."""


@dataclass(frozen=True)
class Line:
    """One destination with all that serves it."""

    destination: Destination
    delivering: Delivering
    intake: Intake | None


class Forwarding:
    """Brings studies to the destinations.

    Parameters
    ----------
    create_sender
        Makes what speaks the protocol of a destination.
    on_outcome
        Told how each try ended.
    """

    def __init__(
        self,
        host: Host,
        destinations: Sequence[Destination],
        create_sender: Callable[[Destination], Sender],
        on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
    ) -> None:
        self._host = host
        self._activity = Activity()
        self._deleted: queue.SimpleQueue[str] = queue.SimpleQueue()
        # Other processes of the same node name may be alive or dead: a lease belongs to this one alone.
        self._owner = f"{host.settings.node}-{uuid.uuid4().hex[:8]}"
        self._on_outcome = on_outcome
        self.lines = {each.name: self._line(each, create_sender(each)) for each in destinations}
        self._keeper = Loop("forwarding-keeper", self.keep, _RENEW_S)

    @property
    def background(self) -> tuple[Background, ...]:
        """The threads; none when there is no destination."""
        if not self.lines:
            return ()
        intakes = [line.intake for line in self.lines.values() if line.intake]
        return (self._keeper, *(line.delivering for line in self.lines.values()), *intakes)

    def subscribe(self) -> None:
        """Listen to what arrives and goes; to nothing when there is no destination."""
        events = self._host.events
        if self.lines:
            events.resource_deleted.subscribe(self.on_deleted)
        for line in self.lines.values():
            if line.intake:
                events.study_stable.subscribe(line.intake.on_stable)
                events.changed.subscribe(line.intake.on_changed)

    def on_deleted(self, event: ResourceDeleted) -> None:
        """Remember that a study is gone."""
        if event.level == "study":
            self._deleted.put(event.orthanc_id)
            self._keeper.wake()

    def keep(self) -> bool:
        """Renew our leases, take those of the dead, cancel what belongs to deleted studies."""
        ours = self._activity.numbers
        with self._host.database.begin() as connection:
            self._activity.keep_only(deliveries.renew(connection, self._owner, ours, LEASE), among=ours)
            reclaimed = deliveries.reclaim(connection, self._activity.numbers, LEASE, _LONGEST_WAIT)
        self._announce(reclaimed, "waiting")
        if reclaimed:
            logger.warning("%d deliveries wait again: the process that sent them has ended", len(reclaimed))
        while not self._deleted.empty():
            study = self._deleted.get()
            try:
                with self._host.database.begin() as connection:
                    cancelled = deliveries.study_deleted(connection, study, _DELETED)
            except Exception:
                self._deleted.put(study)  # the database is away for a moment
                raise
            self._announce(cancelled, "cancelled")
        return False

    def send(self, study: str, destination: str) -> Row[Any]:
        """Queue a study by hand. Raises UnknownStudy, UnknownDestination or UnderWay."""
        if destination not in self.lines:
            raise UnknownDestination(destination)
        read = read_study(self._host.archive, self._study_id(study))
        if read is None:
            raise UnknownStudy(study)
        with self._host.database.begin() as connection:
            number = deliveries.enqueue_by_hand(connection, read.to_deliver, destination)
            row = delivery_lists.get(connection, number)
        assert row is not None, "written in this transaction"
        self._announce([(number, destination)], "waiting")
        return row

    def retry(self, ids: Sequence[int]) -> int:
        """Begin again what failed, was cancelled or waits; how many that were."""
        with self._host.database.begin() as connection:
            changed = deliveries.retry(connection, ids)
        self._announce(changed, "waiting")
        return len(changed)

    def cancel(self, ids: Sequence[int]) -> int:
        """Cancel what is not delivered; how many that were."""
        with self._host.database.begin() as connection:
            changed = deliveries.cancel(connection, ids, "cancelled by hand")
        self._announce(changed, "cancelled")
        self._keeper.wake()
        return len(changed)

    def get(self, number: int) -> Row[Any] | None:
        """One delivery."""
        with self._host.database.begin() as connection:
            return delivery_lists.get(connection, number)

    def page(self, search: DeliverySearch, limit: int, offset: int) -> tuple[list[Row[Any]], int]:
        """A page of the outbox and its history, and how many there are in all."""
        with self._host.database.begin() as connection:
            return delivery_lists.page(connection, search, limit, offset)

    def totals(self) -> dict[str, Held]:
        """Counts by destination: of each that is configured, and of others that have a history."""
        with self._host.database.begin() as connection:
            counted = delivery_lists.totals(connection)
        return {name: counted.get(name, delivery_lists.NOTHING) for name in (*self.lines, *sorted(counted))}

    def _line(self, destination: Destination, sender: Sender) -> Line:
        host, name = self._host, destination.name
        on_state = partial(self._on_state, name)
        delivering = Delivering(
            destination, sender, host.archive, host.database, self._activity, self._owner, on_state, self._on_outcome
        )
        if not destination.selections:
            return Line(destination, delivering, None)
        stable_age_s = float(host.configuration.get("StableAge", _STABLE_AGE_S))

        def on_queued(number: int) -> None:
            self._on_state(name, number, "waiting")
            delivering.wake()

        return Line(destination, delivering, Intake(destination, host.archive, host.database, stable_age_s, on_queued))

    def _study_id(self, identifier: str) -> str:
        """The Orthanc identifier of a study, given that or its Study Instance UID."""
        archive = self._host.archive
        try:
            if "-" in identifier:
                return str(archive.get(f"/studies/{identifier}")["ID"])
            found = archive.post("/tools/find", {"Level": "Study", "Query": {"StudyInstanceUID": identifier}})
            return str(found[0])
        except (UnknownResource, IndexError):
            raise UnknownStudy(identifier) from None

    def _announce(self, changed: Sequence[tuple[int, str]], state: State) -> None:
        for number, destination in changed:
            self._on_state(destination, number, state)
        for destination in {destination for _, destination in changed}:
            if destination in self.lines:
                self.lines[destination].delivering.wake()

    def _on_state(self, destination: str, number: int, state: State) -> None:
        self._host.events.delivery_changed.publish(DeliveryChanged(number, destination, state))
