"""What a delivery takes, and what a sender must be able to do: the words that the outbox and the senders share."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Protocol, Self

ProofMethod = Literal["storage_commitment", "c_find", "qido", "file_listing"]

#: Told while a study is being sent: instances and bytes that have left so far.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Instance:
    """One stored instance, as it lies in Orthanc."""

    orthanc_id: str
    sop_instance_uid: str
    sop_class_uid: str
    series_instance_uid: str
    size_bytes: int


@dataclass(frozen=True, eq=False)
class Consignment:
    """What one delivery takes: instances of one study.

    Attributes
    ----------
    series
        Orthanc's identifiers of the instances, by Series Instance UID.
    size_bytes
        What its instances weigh in Orthanc.
    whole
        These are all instances that Orthanc holds of the study.
    """

    study_orthanc_id: str
    study_instance_uid: str
    patient_id: str
    series: Mapping[str, Sequence[str]]
    size_bytes: int
    whole: bool
    _read: Callable[[], tuple[Instance, ...]] = field(repr=False)

    @classmethod
    def of(
        cls,
        study_orthanc_id: str,
        study_instance_uid: str,
        patient_id: str,
        instances: tuple[Instance, ...],
        whole: bool = False,
    ) -> Self:
        """Of instances that have been read."""
        series = defaultdict(list)
        for instance in instances:
            series[instance.series_instance_uid].append(instance.orthanc_id)
        size_bytes = sum(instance.size_bytes for instance in instances)
        return cls(study_orthanc_id, study_instance_uid, patient_id, series, size_bytes, whole, lambda: instances)

    def __len__(self) -> int:
        """How many instances it takes."""
        return sum(len(instances) for instances in self.series.values())

    @cached_property
    def instances(self) -> tuple[Instance, ...]:
        """Read when they are first asked for: Orthanc takes as long for 300 of them as for sending 25.

        Raises UnknownResource when the study is gone, Refused when part of it is.
        """
        instances = self._read()
        if len(instances) != len(self):
            raise Refused("Part of the study was deleted while it was being sent.")
        return instances

    def part(self, instances: tuple[Instance, ...]) -> Self:
        """Some of its instances, as a consignment of their own."""
        whole = self.whole and len(instances) == len(self)
        return self.of(self.study_orthanc_id, self.study_instance_uid, self.patient_id, instances, whole)


class Unreachable(Exception):
    """The destination does not answer, or not now. Passes by itself: opens the destination's circuit breaker."""


class Refused(Exception):
    """The destination answered and does not take this study now. Others go on; tried again until attempts run out."""


class HeldBack(Exception):
    """Our own policy forbids to send this study (burned-in annotation…): failed until someone acts."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the other end says that it holds.

    Attributes
    ----------
    missing
        SOP Instance UIDs, as they were sent, that the other end does not hold. Empty: the delivery is proven.
    """

    method: ProofMethod
    missing: frozenset[str]


class Sender(Protocol):
    """Brings studies to one destination. Its methods are called from several threads at once."""

    def probe(self) -> None:
        """Whether the destination answers. Quick, with a time-out; raises Unreachable or Refused."""
        ...

    def send(self, consignment: Consignment, progress: Progress, stopping: threading.Event) -> None:
        """Send all instances; sending again what the other end holds already must do no harm.

        Gives up, by raising Unreachable, soon after ``stopping`` is set. Raises Unreachable, Refused or HeldBack.
        """
        ...

    def prove(self, consignment: Consignment, stopping: threading.Event) -> Proof:
        """Ask the other end what it holds of this; gives up as ``send`` does. Raises Unreachable or Refused."""
        ...
