"""The real image with SQLite and with PostgreSQL, each started once; and what stands around them."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from integration.containers import TESTS_HOST, OrthancServer, Postgres, configuration, network
from integration.modality import StorageScp

#: Small, so that bodies beyond it are quickly made.
UPLOAD_MAX_MB, BODY_MAX_MB = 8, 16

MakeOrthanc = Callable[..., OrthancServer]


@pytest.fixture(scope="session", autouse=True)
def engine() -> Iterator[None]:
    missing = {"PACS_TEST_ID", "PACS_TEST_IMAGE", "PACS_TEST_POSTGRES_IMAGE"} - os.environ.keys()
    if missing:
        pytest.fail("These tests need a Docker engine and images of their own: run ./pacs test integration")
    yield
    if network.cache_info().currsize:
        network().remove()
        # A last test that gets a second try makes another one.
        network.cache_clear()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres() as database:
        yield database


@pytest.fixture(scope="session")
def reader() -> Iterator[StorageScp]:
    """The modality READER: registered, and up."""
    scp = StorageScp("READER")
    yield scp
    scp.stop()


@pytest.fixture(scope="session")
def hanging_service() -> Iterator[str]:
    """The address of a web service that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))
        listener.listen(128)
        yield f"http://{TESTS_HOST}:{listener.getsockname()[1]}/health"


@pytest.fixture(scope="session")
def config(reader: StorageScp, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's configuration with two modalities: one is there, one is not."""
    modalities = {
        "reader": ["READER", TESTS_HOST, reader.port],
        "gone": ["GONE", TESTS_HOST, 9],
    }
    return configuration(tmp_path_factory.mktemp("orthanc"), modalities)


@pytest.fixture(scope="session")
def around(hanging_service: str) -> dict[str, str]:
    """The settings of the servers that stay for the session."""
    return {
        "PACS_UPLOAD_MAX_MB": str(UPLOAD_MAX_MB),
        "PACS_MAX_BODY_MB": str(BODY_MAX_MB),
        "PACS_STABLE_AGE": "2",
        "PACS_PROBE_INTERVAL_S": "1",
        "PACS_PROBE_TIMEOUT_S": "1",
        "PACS_GRAFANA_URL": hanging_service,
    }


@pytest.fixture(scope="session")
def orthanc_on_sqlite(config: Path, around: dict[str, str]) -> Iterator[OrthancServer]:
    with OrthancServer(config, **around) as server:
        yield server


@pytest.fixture(scope="session")
def orthanc_on_postgres(config: Path, around: dict[str, str], postgres: Postgres) -> Iterator[OrthancServer]:
    with OrthancServer(config, postgres, **around) as server:
        yield server


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def orthanc(database: str, request: pytest.FixtureRequest) -> OrthancServer:
    """A server that stays for the session; tests bring patients of their own."""
    server: OrthancServer = request.getfixturevalue(f"orthanc_on_{database}")
    return server


@pytest.fixture
def make_orthanc() -> Iterator[MakeOrthanc]:
    """Makes servers that live as long as one test; not started yet."""
    with ExitStack() as servers:

        def make(*arguments: object, **options: object) -> OrthancServer:
            server = OrthancServer(*arguments, **options)  # type: ignore[arg-type]
            servers.callback(server.remove)
            return server

        yield make


@pytest.fixture
def lone_orthanc(database: str, make_orthanc: MakeOrthanc, request: pytest.FixtureRequest) -> OrthancServer:
    """A server of the test's own, on a database of its own: to be killed and stopped."""
    if database == "sqlite":
        return make_orthanc()
    postgres: Postgres = request.getfixturevalue("postgres")
    return make_orthanc(postgres=postgres, database=postgres.create_database())
