"""Probes every service at an interval, all side by side, and remembers what each said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from host.lifecycle import Loop
from status.models import ServiceStatus, State, Status

#: Without these nothing can be stored or read.
ESSENTIAL = frozenset({"orthanc", "postgres"})


class ProbeError(Exception):
    """A service does not answer as it should; the message is the reason that people see."""


@dataclass(frozen=True)
class Check:
    """One way to ask a service. ``probe`` returns its version when it tells one, and raises ProbeError."""

    name: str
    probe: Callable[[], str | None]


@dataclass(frozen=True)
class Service:
    """A service and all ways to ask it; none means that it is not configured."""

    name: str
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class _Seen:
    state: State
    since: datetime
    latency_ms: float | None = None
    version: str | None = None
    checked_at: datetime | None = None
    reason: str | None = None


class Monitor:
    """One thread per service, so that a peer that hangs delays nobody's probe but its own.

    Parameters
    ----------
    services
        What is watched from the start.
    more_services
        Called once at start for what can be known only then.
    interval_s, timeout_s
        The rest between two probes; how old an answer may grow beyond that before it counts as down.
    """

    def __init__(
        self,
        services: Sequence[Service],
        more_services: Callable[[], Sequence[Service]],
        interval_s: float,
        timeout_s: float,
    ) -> None:
        self._services = list(services)
        self._more_services = more_services
        self._interval_s = interval_s
        # A probe makes two connections at the most; whoever has not answered by then hangs.
        self._patience_s = interval_s + 2 * timeout_s + 1
        self._lock = threading.Lock()
        self._seen = {service.name: _before_first_probe(service) for service in services}
        self._loops: list[Loop] = []

    def start(self) -> None:
        found = self._more_services()
        with self._lock:
            self._services += found
            self._seen |= {service.name: _before_first_probe(service) for service in found}
        for service in self._services:
            if service.checks:
                loop = Loop(f"probe-{service.name}", partial(self.probe, service), self._interval_s)
                self._loops.append(loop)
                loop.start()

    def stop(self) -> None:
        for loop in self._loops:
            loop.stop()

    def join(self) -> None:
        for loop in self._loops:
            loop.join()

    def probe(self, service: Service) -> bool:
        """Ask one service now and remember the answer."""
        reasons: list[str] = []
        latencies: list[float] = []
        version: str | None = None
        for check in service.checks:
            started = time.perf_counter()
            try:
                version = check.probe() or version
                latencies.append((time.perf_counter() - started) * 1000)
            except ProbeError as error:
                reasons.append(str(error))
        state: State = "up" if not reasons else "degraded" if latencies else "down"
        now = datetime.now(UTC)
        with self._lock:
            before = self._seen[service.name]
            self._seen[service.name] = _Seen(
                state=state,
                since=before.since if before.state == state else now,
                latency_ms=round(sum(latencies), 2) if latencies else None,
                version=version or (before.version if state != "up" else None),
                checked_at=now,
                reason="; ".join(reasons) or None,
            )
        return False

    def status(self) -> Status:
        """What is known now; never waits for a peer."""
        now = datetime.now(UTC)
        with self._lock:
            seen = {service.name: self._seen[service.name] for service in self._services}
        services = [_describe(name, self._aged(entry, now)) for name, entry in seen.items()]
        return Status(status=_overall(services), services=services)

    def _aged(self, seen: _Seen, now: datetime) -> _Seen:
        heard_at = seen.checked_at or seen.since
        if seen.state == "not_configured" or (now - heard_at).total_seconds() <= self._patience_s:
            return seen
        reason = f"the probe begun after {heard_at:%H:%M:%S} UTC has not ended: the service hangs"
        return replace(seen, state="down", since=heard_at, latency_ms=None, reason=reason)


def _before_first_probe(service: Service) -> _Seen:
    now = datetime.now(UTC)
    if not service.checks:
        return _Seen("not_configured", now, reason="not configured in this stack")
    return _Seen("degraded", now, reason="not probed yet")


def _describe(name: str, seen: _Seen) -> ServiceStatus:
    return ServiceStatus(
        name=name,
        state=seen.state,
        latency_ms=seen.latency_ms,
        version=seen.version,
        since=seen.since,
        checked_at=seen.checked_at,
        reason=seen.reason,
    )


def _overall(services: Sequence[ServiceStatus]) -> State:
    if any(service.name in ESSENTIAL and service.state == "down" for service in services):
        return "down"
    return "up" if all(service.state in ("up", "not_configured") for service in services) else "degraded"
