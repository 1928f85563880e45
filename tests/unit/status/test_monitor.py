"""What is remembered of each service, and how the whole is judged."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from status.models import ServiceStatus
from status.service import Check, Monitor, ProbeError, Service

LONG_S = 60.0


class Peer:
    """A service that does as it is told."""

    def __init__(self, name: str = "web") -> None:
        self.error: Exception | None = None
        self.version: str | None = None
        self.hang: threading.Event | None = None
        self.probes = 0
        self.check = Check(name, self.probe)

    def probe(self) -> str | None:
        self.probes += 1
        if self.hang is not None:
            self.hang.wait(120)
        if self.error is not None:
            raise self.error
        return self.version


@pytest.fixture
def web() -> Peer:
    return Peer()


@pytest.fixture
def dicom() -> Peer:
    return Peer("dicom")


@pytest.fixture
def xnat(web: Peer, dicom: Peer) -> Service:
    return Service("xnat", (web.check, dicom.check))


@pytest.fixture
def monitor(xnat: Service) -> Monitor:
    return Monitor([xnat, Service("grafana", ())], lambda: [], LONG_S, LONG_S)


def of(monitor: Monitor, name: str = "xnat") -> ServiceStatus:
    return next(service for service in monitor.status().services if service.name == name)


def test_before_the_first_probe_it_is_not_called_up(monitor: Monitor) -> None:
    seen = of(monitor)
    assert (seen.state, seen.reason, seen.checked_at) == ("degraded", "not probed yet", None)


def test_a_service_without_any_check_is_not_configured(monitor: Monitor) -> None:
    seen = of(monitor, "grafana")
    assert (seen.state, seen.latency_ms, seen.reason) == ("not_configured", None, "not configured in this stack")


def test_all_checks_well_is_up_with_latency_and_version(monitor: Monitor, xnat: Service, dicom: Peer) -> None:
    dicom.version = "1.9"
    monitor.probe(xnat)
    seen = of(monitor)
    assert (seen.state, seen.version, seen.reason) == ("up", "1.9", None)
    assert seen.latency_ms is not None and 0 <= seen.latency_ms < 1000
    assert seen.checked_at is not None and datetime.now(UTC) - seen.checked_at < timedelta(seconds=10)


def test_one_check_failing_is_degraded_with_its_reason(monitor: Monitor, xnat: Service, dicom: Peer) -> None:
    dicom.error = ProbeError("C-ECHO failed")
    monitor.probe(xnat)
    assert (of(monitor).state, of(monitor).reason) == ("degraded", "C-ECHO failed")
    assert of(monitor).latency_ms is not None


def test_all_checks_failing_is_down_with_every_reason(monitor: Monitor, xnat: Service, web: Peer, dicom: Peer) -> None:
    web.error, dicom.error = ProbeError("refused"), ProbeError("C-ECHO failed")
    monitor.probe(xnat)
    assert (of(monitor).state, of(monitor).reason, of(monitor).latency_ms) == ("down", "refused; C-ECHO failed", None)


def test_a_version_once_told_is_kept_while_the_service_is_away(
    monitor: Monitor, xnat: Service, web: Peer, dicom: Peer
) -> None:
    web.version = "1.9"
    monitor.probe(xnat)
    web.error = dicom.error = ProbeError("refused")
    monitor.probe(xnat)
    assert of(monitor).version == "1.9"


def test_since_changes_with_the_state_alone(monitor: Monitor, xnat: Service, web: Peer, dicom: Peer) -> None:
    monitor.probe(xnat)
    first = of(monitor)
    monitor.probe(xnat)
    again = of(monitor)
    assert again.since == first.since
    assert again.checked_at is not None and first.checked_at is not None and again.checked_at > first.checked_at
    web.error = ProbeError("one")
    monitor.probe(xnat)
    degraded = of(monitor)
    assert degraded.since > first.since
    web.error = ProbeError("another reason")
    monitor.probe(xnat)
    assert of(monitor).since == degraded.since
    web.error = None
    monitor.probe(xnat)
    assert of(monitor).since > degraded.since


@pytest.fixture
def running() -> Iterator[Callable[..., Monitor]]:
    """Start a monitor of these services; stopped at the end."""
    started: list[tuple[Monitor, list[Peer]]] = []

    def start(peers: list[Peer], interval_s: float = 0.02, more: tuple[Service, ...] = ()) -> Monitor:
        services = [Service(peer.check.name, (peer.check,)) for peer in peers]
        monitor = Monitor(services, lambda: list(more), interval_s, 0.0)
        monitor._patience_s = 0.2
        started.append((monitor, peers))
        monitor.start()
        return monitor

    yield start
    for monitor, peers in started:
        monitor.stop()
        for peer in peers:
            if peer.hang is not None:
                peer.hang.set()
        monitor.join()


def test_a_probe_that_hangs_shows_the_service_down_after_some_patience(
    running: Callable[..., Monitor], eventually: Callable[..., None]
) -> None:
    peer = Peer("xnat")
    monitor = running([peer])
    eventually(lambda: of(monitor).state == "up")
    peer.hang = threading.Event()
    eventually(lambda: of(monitor).state == "down")
    assert "hangs" in (of(monitor).reason or "")
    peer.hang.set()
    eventually(lambda: of(monitor).state == "up")


def test_a_service_that_hangs_from_the_start_is_down_too(
    running: Callable[..., Monitor], eventually: Callable[..., None]
) -> None:
    peer = Peer("xnat")
    peer.hang = threading.Event()
    monitor = running([peer])
    eventually(lambda: of(monitor).state == "down")


def test_a_probe_with_a_fault_of_its_own_shows_the_service_down(
    running: Callable[..., Monitor], eventually: Callable[..., None]
) -> None:
    peer = Peer("xnat")
    monitor = running([peer])
    eventually(lambda: of(monitor).state == "up")
    peer.error = ValueError("unexpected")
    eventually(lambda: of(monitor).state == "down")
    peer.error = None
    eventually(lambda: of(monitor).state == "up")


def test_a_peer_that_hangs_delays_nobody_else_and_no_answer(
    running: Callable[..., Monitor], eventually: Callable[..., None]
) -> None:
    hanging, well = [Peer(f"slow{number}") for number in range(8)], Peer("well")
    for peer in hanging:
        peer.hang = threading.Event()
    monitor = running([*hanging, well])
    eventually(lambda: well.probes >= 3)
    durations = []
    for _ in range(200):
        started = time.perf_counter()
        monitor.status()
        durations.append(time.perf_counter() - started)
    # Far from a probe's time, however busy the machine.
    assert sorted(durations)[100] < 0.5
    assert of(monitor, "well").state == "up"


def test_what_is_known_only_at_start_is_watched_too(
    running: Callable[..., Monitor], eventually: Callable[..., None]
) -> None:
    peer = Peer("found")
    monitor = running([], more=(Service("modality:PET", (peer.check,)),))
    eventually(lambda: of(monitor, "modality:PET").state == "up")


@pytest.mark.parametrize(
    ("states", "overall"),
    [
        ({"orthanc": "up", "postgres": "up", "xnat": "up"}, "up"),
        ({"orthanc": "up", "postgres": "not", "xnat": "not"}, "up"),
        ({"orthanc": "up", "postgres": "up", "xnat": "down"}, "degraded"),
        ({"orthanc": "up", "postgres": "up", "xnat": "half"}, "degraded"),
        ({"orthanc": "half", "postgres": "up", "xnat": "up"}, "degraded"),
        ({"orthanc": "down", "postgres": "up", "xnat": "up"}, "down"),
        ({"orthanc": "up", "postgres": "down", "xnat": "down"}, "down"),
    ],
)
def test_the_whole_is_down_only_without_orthanc_or_its_database(states: dict[str, str], overall: str) -> None:
    services = []
    for name, wanted in states.items():
        first, second = Peer("first"), Peer("second")
        first.error = ProbeError("no") if wanted in ("half", "down") else None
        second.error = ProbeError("no") if wanted == "down" else None
        services.append(Service(name, () if wanted == "not" else (first.check, second.check)))
    monitor = Monitor(services, lambda: [], LONG_S, LONG_S)
    for service in services:
        if service.checks:
            monitor.probe(service)
    assert monitor.status().status == overall
