"""What tests of forwarding share: an outbox before a destination in memory, an XNAT double."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from doubles.xnat import create_server
from doubles.xnat_requests import XnatServer
from forwarding.configuration import Destination, Dicom, Selection
from forwarding.delivering import Delivering
from forwarding.service import Forwarding
from host.events import Events
from host.plugin import Host
from store.delivery_lists import DeliverySearch
from unit.archive_double import ArchiveDouble
from unit.forwarding.memory_sender import MemorySender
from unit.host.dicom_files import instance_file, study_id

ARCHIVE = Destination("archive", Dicom("ARCHIVE"), (Selection(),), concurrency=1, attempts=3, first_retry_s=0.1)


@pytest.fixture
def xnat_server(tmp_path: Path) -> Iterator[XnatServer]:
    """An XNAT as after its first start: not set up."""
    server = create_server(tmp_path)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def xnat(xnat_server: XnatServer) -> XnatServer:
    """An XNAT with the project RESEARCH, to which the account forwarder may write."""
    xnat_server.set_up("RESEARCH", "forwarder", "secret")
    return xnat_server


@pytest.fixture
def sender() -> MemorySender:
    """The other end of every destination."""
    return MemorySender()


@pytest.fixture
def make_forwarding(host: Host, sender: MemorySender, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Forwarding]:
    """Forwarding to these destinations, turned by hand; its intakes wait for no quiet."""
    monkeypatch.setattr("forwarding.intake._QUIET_S", 0.0)
    monkeypatch.setattr("forwarding.intake._LABELS_EVERY_S", 0.0)

    def make(*destinations: Destination) -> Forwarding:
        return Forwarding(host, destinations, lambda _destination: sender)

    return make


@pytest.fixture
def forwarding(make_forwarding: Callable[..., Forwarding]) -> Forwarding:
    """Everything goes to one destination, one study at a time."""
    return make_forwarding(ARCHIVE)


@pytest.fixture
def delivering(forwarding: Forwarding) -> Delivering:
    """What works off its queue."""
    return forwarding.lines["archive"].delivering


@pytest.fixture
def queue(archive: ArchiveDouble, forwarding: Forwarding) -> Callable[..., int]:
    """Store a study and queue it by rule; its delivery's number."""
    intake = forwarding.lines["archive"].intake
    assert intake is not None

    def put(study: str = "1", instances: int = 4) -> int:
        for sop in range(instances):
            archive.store_instance(instance_file(sop=str(sop), study=study))
        intake.take(study_id(study))
        rows, _ = forwarding.page(DeliverySearch(study=study_id(study)), 1, 0)
        return int(rows[0].id)

    return put


@pytest.fixture
def row(forwarding: Forwarding) -> Callable[[int], Any]:
    """A delivery by its number."""
    return forwarding.get


@pytest.fixture
def states(events: Events) -> list[str]:
    """The states that deliveries reach, as they are published."""
    seen: list[str] = []
    events.delivery_changed.subscribe(lambda changed: seen.append(changed.state))
    return seen
