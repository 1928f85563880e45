"""An extraction service on the archive double, turned by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Row, select

import extraction as plugin
from extraction.service import Extraction
from host.events import StructuresExtracted
from host.plugin import Host
from store import extractions
from store.database import utc_now
from store.tables import extraction, structure
from unit.archive_double import ArchiveDouble


@pytest.fixture(scope="session")
def sarcoma(data_folder: Path) -> bytes:
    """One GTV on CT slices."""
    return (data_folder / "sts" / "STS_001" / "CT" / "mask" / "RS.dcm").read_bytes()


@pytest.fixture(scope="session")
def breast(data_folder: Path) -> bytes:
    """A structure set of ten ROIs, one of them empty."""
    return (data_folder / "dicompyler" / "rtss.dcm").read_bytes()


@pytest.fixture(scope="session")
def slice_of_ct(data_folder: Path) -> bytes:
    return (data_folder / "dicompyler" / "ct.0.dcm").read_bytes()


@pytest.fixture
def make_service(host: Host) -> Callable[..., Extraction]:
    """A new service, as after a restart."""

    def make(**settings: Any) -> Extraction:
        made = Extraction(replace(host, settings=replace(host.settings, **settings)))
        host.events.instance_stored.subscribe(made.on_stored)
        host.events.resource_deleted.subscribe(made.on_deleted)
        return made

    return make


@pytest.fixture
def service(make_service: Callable[..., Extraction]) -> Extraction:
    return make_service()


@pytest.fixture
def told(host: Host) -> list[tuple[str, str]]:
    """(identifier, state) of every structures_extracted event."""
    events: list[tuple[str, str]] = []

    def remember(event: StructuresExtracted) -> None:
        events.append((event.orthanc_id, event.state))

    host.events.structures_extracted.subscribe(remember)
    return events


@pytest.fixture
def row(host: Host) -> Callable[[str], Row[Any] | None]:
    """The queue's row of an instance."""

    def read(orthanc_id: str) -> Row[Any] | None:
        with host.database.begin() as connection:
            return extractions.get(connection, orthanc_id)

    return read


@pytest.fixture
def structures(host: Host) -> Callable[[], list[Row[Any]]]:
    """Every row of the table of structures."""

    def read() -> list[Row[Any]]:
        with host.database.begin() as connection:
            return list(connection.execute(select(structure).order_by(structure.c.orthanc_id, structure.c.position)))

    return read


@pytest.fixture
def later(host: Host) -> Callable[[], None]:
    """Let every wait be over and every lease have run out."""

    def make_due() -> None:
        then = utc_now() - timedelta(seconds=1)
        with host.database.begin() as connection:
            connection.execute(extraction.update().values(next_try_at=then, lease_until=then))

    return make_due


@contextmanager
def silenced(host: Host) -> Iterator[None]:
    """The plugins are off: nobody hears what happens to the archive."""
    subscribers: list[list[Any]] = [host.events.instance_stored._subscribers, host.events.resource_deleted._subscribers]
    kept = [list(each) for each in subscribers]
    for each in subscribers:
        each.clear()
    yield
    for each, before in zip(subscribers, kept, strict=True):
        each.extend(before)


def arrive(archive: ArchiveDouble, service: Extraction, dicom: bytes) -> str:
    identifier = archive.store_instance(dicom).orthanc_id
    service.keep_queue()
    return identifier


def work_off(service: Extraction) -> int:
    turns = 0
    while service.extract_next():
        turns += 1
        assert turns < 20, "it goes round in circles"
    return turns


def damaged(dicom: bytes) -> bytes:
    """A structure set whose ROI Contour Sequence (3006,0039) begins with something that is no item."""
    start = dicom.index(b"\x06\x30\x39\x00") + 8
    return dicom[:start] + b"\x08\x00\x08\x00" + dicom[start + 4 :]


@pytest.fixture
def client(serve: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """The plugin's routes; its service is turned by hand, as ``client.service``."""
    services: list[Extraction] = []

    class Remembered(Extraction):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            services.append(self)

    monkeypatch.setattr("extraction.service.Extraction", Remembered)
    made = serve([plugin.create])
    made.service = services[0]
    return made


@pytest.fixture
def held(client: TestClient, archive: ArchiveDouble, breast: bytes) -> str:
    """The identifier of a structure set that has been extracted."""
    identifier = archive.store_instance(breast).orthanc_id
    extract_all(client)
    return identifier


def extract_all(client: TestClient) -> None:
    service: Extraction = client.service
    service.keep_queue()
    work_off(service)
