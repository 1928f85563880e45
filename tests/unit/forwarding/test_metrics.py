"""Deliveries in /api/metrics, under the names that rules and panels use."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from prometheus_client import generate_latest
from sqlalchemy.exc import OperationalError

from forwarding.metrics import Counters, Gauges
from forwarding.model import HeldBack, Unreachable
from forwarding.service import Forwarding
from host.plugin import Host
from unit.archive_double import ArchiveDouble
from unit.forwarding.conftest import ARCHIVE
from unit.forwarding.memory_sender import MemorySender
from unit.host.dicom_files import instance_file, study_id


@pytest.fixture
def forwarding(host: Host, sender: MemorySender) -> Forwarding:
    counters = Counters(host.metrics, [ARCHIVE])
    made = Forwarding(host, (ARCHIVE,), lambda _destination: sender, counters.on_outcome)
    host.metrics.register(Gauges(made))
    return made


@pytest.fixture
def samples(host: Host) -> Callable[[], dict[str, float]]:
    def read() -> dict[str, float]:
        lines = generate_latest(host.metrics).decode().splitlines()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}

    return read


def test_before_anything_happens_every_counter_is_nought(
    forwarding: Forwarding, samples: Callable[[], dict[str, float]]
) -> None:
    found = samples()
    for outcome in ("delivered", "failed", "retried"):
        assert found[f'pacs_deliveries_total{{destination="archive",outcome="{outcome}"}}'] == 0
    assert found['pacs_deliveries{destination="archive",state="waiting"}'] == 0
    assert found['pacs_deliveries_oldest_waiting_age_seconds{destination="archive"}'] == 0
    assert not any(name.startswith("pacs_destination_up") for name in found), "a restart is not an outage"


def test_outcomes_sizes_and_states_are_counted(
    forwarding: Forwarding, samples: Callable[[], dict[str, float]], archive: ArchiveDouble, sender: MemorySender
) -> None:
    size = 0
    for study in ("1", "2"):
        content = instance_file(study=study)
        size = len(content)
        archive.store_instance(content)
        forwarding.send(study_id(study), "archive")
    sender.faults = [HeldBack("burned in"), None]
    delivering = forwarding.lines["archive"].delivering
    while delivering.deliver_next():
        pass
    found = samples()
    assert found['pacs_deliveries_total{destination="archive",outcome="delivered"}'] == 1
    assert found['pacs_deliveries_total{destination="archive",outcome="failed"}'] == 1
    assert found['pacs_deliveries{destination="archive",state="failed"}'] == 1
    assert found['pacs_delivery_bytes_total{destination="archive"}'] == size
    assert found['pacs_delivery_duration_seconds_count{destination="archive"}'] == 1
    assert found['pacs_delivery_last_success_timestamp_seconds{destination="archive"}'] > 1e9
    assert found['pacs_destination_up{destination="archive"}'] == 1
    sender.down = Unreachable("gone")
    delivering.watch.probe()
    assert samples()['pacs_destination_up{destination="archive"}'] == 0


def test_while_the_database_is_away_the_rest_is_still_there(
    forwarding: Forwarding, samples: Callable[[], dict[str, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    forwarding.lines["archive"].delivering.watch.probe()

    def away() -> None:
        raise OperationalError("", {}, Exception())

    monkeypatch.setattr(forwarding, "totals", away)
    found = samples()
    assert found['pacs_destination_up{destination="archive"}'] == 1
    assert not any(name.startswith("pacs_deliveries{") for name in found)
