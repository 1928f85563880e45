"""What tests of the host and its plugins share: a server without Orthanc."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

import computing
from host import computations
from host.application import create_application
from host.events import Events
from host.plugin import CreatePlugin, Host
from host.settings import Settings
from host.workers import Watch, WorkerPool
from store.database import Database
from unit.archive_double import ArchiveDouble


class InlineWorkers(WorkerPool):
    """Runs each call where it is made; ``faults`` are raised first, one a call."""

    def __init__(self) -> None:
        self.faults: list[Exception] = []
        self.calls = 0
        self.before: Callable[[], None] = lambda: None

    def call(self, function: Callable[..., Any], *arguments: Any, watch: Watch | None = None) -> Any:
        self.calls += 1
        self.before()
        if self.faults:
            raise self.faults.pop(0)
        return function(*arguments)

    def preload(self, module: str) -> None:
        pass


def wait_until(condition: Callable[[], object], within_s: float = 60.0, what: str = "") -> None:
    """Return as soon as ``condition`` holds; fail when it does not within the time given."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what or condition}"
        time.sleep(0.005)


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Poll until something holds."""
    return wait_until


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The copies of real data that come with the project."""
    return Path(__file__).parents[1] / "data"


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database at the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("database") / "pacs.sqlite"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.dispose()
    return path


@pytest.fixture
def database(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Database]:
    """Our tables, empty."""
    (tmp_path / "pacs.sqlite").write_bytes(migrated_sqlite.read_bytes())
    made = Database(f"sqlite:///{tmp_path / 'pacs.sqlite'}")
    yield made
    made.dispose()


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def archive(events: Events) -> ArchiveDouble:
    """An empty archive that tells ``events`` what happens in it."""
    return ArchiveDouble(events)


@pytest.fixture
def stored_breast(archive: ArchiveDouble, data_folder: Path) -> str:
    """Orthanc's identifier of ten structures, one of them empty, with nothing around them."""
    return archive.store_instance((data_folder / "dicompyler" / "rtss.dcm").read_bytes()).orthanc_id


@pytest.fixture
def stored_sarcoma(archive: ArchiveDouble, data_folder: Path) -> str:
    """Orthanc's identifier of one tumour, whose CT is there."""
    folder = data_folder / "sts" / "STS_001" / "CT"
    for path in sorted((folder / "image").glob("*.dcm")):
        archive.store_instance(path.read_bytes())
    return archive.store_instance((folder / "mask" / "RS.dcm").read_bytes()).orthanc_id


@pytest.fixture
def workers() -> InlineWorkers:
    return InlineWorkers()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_directory=tmp_path, node="test", extraction_workers=1, extraction_attempts=3)


@pytest.fixture
def host(
    settings: Settings, archive: ArchiveDouble, database: Database, events: Events, workers: InlineWorkers
) -> Host:
    """What a plugin is given."""
    return Host(settings, archive, database, events, workers)


@pytest.fixture
def follow(
    host: Host, workers: InlineWorkers, monkeypatch: pytest.MonkeyPatch
) -> Callable[[CreatePlugin, Callable[[TestClient], Response]], tuple[dict[str, Any], Response]]:
    """Asks a server without patience: the progress resource that it names, once it is done, and the answer itself."""

    def ask(creator: CreatePlugin, question: Callable[[TestClient], Response]) -> tuple[dict[str, Any], Response]:
        gate = threading.Event()

        def before() -> None:
            # What the route itself reads is not what takes long here.
            if threading.current_thread().name.startswith("computation"):
                gate.wait(60)

        workers.before = before
        monkeypatch.setattr(computations, "PATIENCE_S", 0.0)
        client = TestClient(create_application([creator(host), computing.create(host)], host.events))
        host.computations.start()
        try:
            accepted = question(client)
            assert accepted.status_code == 202
            gate.set()
            progress = accepted.headers["Location"]
            wait_until(lambda: client.get(progress).json()["state"] != "running")
            told = client.get(progress).json()
            return told, client.get(told["result"])
        finally:
            gate.set()
            host.computations.stop()
            host.computations.join()

    return ask


@pytest.fixture
def serve(host: Host) -> Callable[..., TestClient]:
    """A client of the application with these plugins; nothing of them runs in the background."""

    def make(creators: Sequence[CreatePlugin], **settings: Any) -> TestClient:
        here = replace(host, settings=replace(host.settings, **settings))
        app = create_application([create(here) for create in creators], here.events)
        return TestClient(app, raise_server_exceptions=False)

    return make
