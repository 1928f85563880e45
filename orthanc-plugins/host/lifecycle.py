"""Background threads that start when Orthanc has started and are joined before it ends.

A thread that outlives Orthanc's main function crashes the process (SIGABRT) or hangs it: every thread of a plugin
comes from here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

logger = logging.getLogger("pacs.lifecycle")


class Background(Protocol):
    """Something that runs beside the requests."""

    def start(self) -> None:
        """Begin. Called once, when Orthanc answers REST calls."""
        ...

    def stop(self) -> None:
        """Ask to end. Returns at once."""
        ...

    def join(self) -> None:
        """Wait until it has ended. Called after ``stop`` was called on everything."""
        ...


class Loop:
    """A thread that calls a function again and again, until it is stopped.

    Parameters
    ----------
    name
        The thread's name in logs and debuggers.
    turn
        Does one piece of work. True when there may be more to do at once. What it raises is logged, and the loop goes
        on after ``interval_s``: a passing fault must not end a thread for good.
    interval_s
        The rest between two turns, in seconds, cut short by ``wake``.
    """

    def __init__(self, name: str, turn: Callable[[], bool], interval_s: float) -> None:
        self._turn = turn
        self._interval_s = interval_s
        self._wake = threading.Event()
        self._stopping = threading.Event()
        # Not a daemon: it is joined, and must be, before the interpreter goes.
        self._thread = threading.Thread(target=self._run, name=name)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()

    def join(self) -> None:
        if self._thread.ident is not None:
            self._thread.join()

    def wake(self) -> None:
        """Take the next turn now."""
        self._wake.set()

    @property
    def stopping(self) -> bool:
        """Whether a long turn should give up what it is doing."""
        return self._stopping.is_set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                more = self._turn()
            except Exception:
                if not self._stopping.is_set():
                    logger.exception("%s failed; next try in %g s", self._thread.name, self._interval_s)
                more = False
            # Asked to stop just before the flag was cleared above: then there is nothing to wait for.
            if not more and not self._stopping.is_set():
                self._wake.wait(self._interval_s)
