"""A sender whose other end is in memory, and which fails as it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable

from forwarding.model import Consignment, Progress, Proof


class MemorySender:
    """Implements ``forwarding.model.Sender``."""

    def __init__(self) -> None:
        self.held: list[str] = []
        self.probes = 0
        self.proofs = 0
        #: Raised by the next probes, sends and proofs, one a call; None: this one goes well.
        self.probe_faults: list[Exception | None] = []
        self.faults: list[Exception | None] = []
        self.proof_faults: list[Exception | None] = []
        #: Raised by every send of a study with this Study Instance UID, and by every probe while set.
        self.poison: dict[str, Exception] = {}
        self.down: Exception | None = None
        #: Instances that are accepted and lost.
        self.loses: set[str] = set()
        #: Called when a study has been sent half.
        self.half_way: Callable[[threading.Event], None] = lambda _stopping: None
        #: Called when it is asked for a proof.
        self.asked: Callable[[], None] = lambda: None

    def probe(self) -> None:
        self.probes += 1
        self._raise(self.probe_faults)

    def send(self, consignment: Consignment, progress: Progress, stopping: threading.Event) -> None:
        self._raise(self.faults)
        half = len(consignment.instances) // 2
        for number, instance in enumerate(consignment.instances):
            if number == half:
                self.half_way(stopping)
                if fault := self.poison.get(consignment.study_instance_uid):
                    raise fault
            if instance.sop_instance_uid not in self.loses:
                self.held.append(instance.sop_instance_uid)
            progress(number + 1, instance.size_bytes)

    def prove(self, consignment: Consignment, _stopping: threading.Event) -> Proof:
        self.proofs += 1
        self.asked()
        self._raise(self.proof_faults)
        return Proof("c_find", frozenset(each.sop_instance_uid for each in consignment.instances) - set(self.held))

    def _raise(self, faults: list[Exception | None]) -> None:
        if self.down:
            raise self.down
        if faults and (fault := faults.pop(0)):
            raise fault
