"""What this process delivers at this moment: whose leases it renews, and what must stop."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass
class Activity:
    """The rows being worked on, by their numbers; shared by all destinations."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopping: dict[int, threading.Event] = field(default_factory=dict)
    _ended: bool = False

    def begin(self, number: int) -> threading.Event:
        """Work on a row; the event is set when that should end."""
        with self._lock:
            stopping = self._stopping[number] = threading.Event()
            if self._ended:
                stopping.set()
            return stopping

    def end(self, number: int) -> None:
        """The work on a row is over, however it went."""
        with self._lock:
            self._stopping.pop(number, None)

    @property
    def numbers(self) -> set[int]:
        """What is being worked on."""
        with self._lock:
            return set(self._stopping)

    def keep_only(self, numbers: set[int], among: set[int]) -> None:
        """Stop those of ``among`` that are not in ``numbers``: they are ours no longer."""
        with self._lock:
            for number in among - numbers:
                if number in self._stopping:
                    self._stopping[number].set()

    def stop_all(self) -> None:
        """The server stops: begin nothing any more."""
        with self._lock:
            self._ended = True
            for stopping in self._stopping.values():
                stopping.set()
