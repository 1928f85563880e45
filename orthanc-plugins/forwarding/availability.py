"""Whether a destination answers: a circuit breaker that lets nothing through while it does not."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from forwarding.model import Refused, Sender, Unreachable
from host.lifecycle import Loop

Known = Literal["up", "down", "unknown"]

_TURN_S = 0.5
#: How often a destination is asked while all is well, and at the most while it is not.
_PROBE_EVERY_S = 60.0
_LONGEST_WAIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Availability:
    """What is known of a destination."""

    state: Known
    reason: str | None
    since: datetime


def back_off_s(first_s: float, failures: int, longest_s: float) -> float:
    """The wait after so many failures in a row: each twice as long, less up to a half so that they spread."""
    return min(longest_s, first_s * 2.0 ** min(failures - 1, 30)) * random.uniform(0.5, 1.0)


class Watch:
    """Probes one destination: each minute while it answers, with growing waits while it does not.

    Parameters
    ----------
    on_up
        Called when it answers again.
    """

    def __init__(self, name: str, sender: Sender, first_retry_s: float, on_up: Callable[[], None]) -> None:
        self._sender = sender
        self._first_retry_s = first_retry_s
        self._on_up = on_up
        self._lock = threading.Lock()
        self._failures = 0
        self._next_probe = float("-inf")
        self._known = Availability("unknown", None, datetime.now(UTC))
        self._loop = Loop(f"forwarding-watch-{name}", self.turn, _TURN_S)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def join(self) -> None:
        self._loop.join()

    @property
    def known(self) -> Availability:
        """What is known now; waits for nobody."""
        return self._known

    @property
    def admits(self) -> bool:
        """Whether sending may be tried."""
        return self._known.state != "down"

    def turn(self) -> bool:
        """Probe when it is time."""
        if time.monotonic() >= self._next_probe:
            self.probe()
        return False

    def probe(self) -> bool:
        """Ask the destination now; whether it answers. Nothing is sent while it does not."""
        try:
            self._sender.probe()
        except (Unreachable, Refused) as error:
            self._settle(str(error) or "it does not answer")
            return False
        except Exception:
            self._settle("the probe failed (see the server's log)")
            raise
        self._settle(None)
        return True

    def answered(self) -> None:
        """A delivery has just gone well: that is as good as a probe."""
        self._settle(None)

    def _settle(self, reason: str | None) -> None:
        with self._lock:
            state: Known = "down" if reason else "up"
            before = self._known
            self._failures = self._failures + 1 if reason else 0
            wait = back_off_s(self._first_retry_s, self._failures, _LONGEST_WAIT_S) if reason else _PROBE_EVERY_S
            self._next_probe = time.monotonic() + wait
            since = before.since if before.state == state else datetime.now(UTC)
            self._known = Availability(state, reason, since)
        if state == "up" and before.state == "down":
            self._on_up()
