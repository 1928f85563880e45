"""Forwarding on a machine whose disk is full, or whose clock jumps: nothing is lost, and nothing stands still."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import requests

from integration.conftest import MakeOrthanc
from integration.containers import Clock, OrthancServer, Postgres, SmallDisk, Surroundings
from integration.destination import DestinationArchive
from integration.polling import eventually
from integration.test_forwarding import (
    RECOVERY_S,
    assert_all_there,
    deliveries,
    forwarding_to,
    repeated,
    store,
    study,
    wait_for_deliveries,
)

#: PostgreSQL's own files take 120 MB of it.
_DISK_MB = {"sqlite": 48, "postgres": 256}
#: A database that has run out of space may end; Compose starts it again, and so does this.
_RESTARTED = {"restart_policy": {"Name": "always"}}


@pytest.fixture
def destination() -> Iterator[DestinationArchive]:
    with DestinationArchive("ARCHIVE") as archive:
        yield archive


@contextmanager
def origin_on(
    surroundings: Surroundings, database: str, make_orthanc: MakeOrthanc, config: Path
) -> Iterator[OrthancServer]:
    """A server that forwards; it, or its PostgreSQL, is on such a machine."""
    with ExitStack() as stack:
        settings = {"PACS_STABLE_AGE": "1"}
        if database == "sqlite":
            server = make_orthanc(config, surroundings=surroundings, **settings)
        else:
            postgres = stack.enter_context(Postgres("postgres-of-its-own", surroundings))
            both = Surroundings(clock=surroundings.clock)
            server = make_orthanc(config, postgres, postgres.create_database(), both, **settings)
        yield stack.enter_context(server)


def test_a_disk_that_is_full_refuses_what_comes_and_loses_nothing_that_is_there(
    database: str, make_orthanc: MakeOrthanc, destination: DestinationArchive, tmp_path: Path
) -> None:
    before, refused, after = study("F1", 3), study("F2", 3, size=512), study("F3", 3)
    destination.stop()
    config = forwarding_to(tmp_path, destination)
    with (
        SmallDisk(_DISK_MB[database]) as disk,
        origin_on(Surroundings(disk=disk, options=_RESTARTED), database, make_orthanc, config) as origin,
    ):
        store(origin, *before)
        eventually(lambda: deliveries(origin), RECOVERY_S, "a delivery waits")
        disk.fill()
        answers = [_stored(origin, file) for file in refused]
        assert not all(answers), "there is no room for it"
        destination.start()
        # It cannot write down what it does; what it must not do is end, or say that it is done.
        with origin.http() as client:
            assert client.get("/system", timeout=60).status_code in (200, 500)
        time.sleep(3)
        disk.free()
        eventually(lambda: all(_stored(origin, file) for file in (*refused, *after)), RECOVERY_S, "it stores again")
        wait_for_deliveries(origin, 9)
    assert_all_there(destination, *before, *refused, *after)
    # What could not be written down may have been sent once more.
    assert repeated(destination) <= 9


def _stored(server: OrthancServer, file: bytes) -> bool:
    try:
        with server.http() as client:
            return client.post("/instances", data=file, timeout=60).status_code == 200
    except requests.RequestException:
        return False


def test_a_clock_that_is_set_holds_nothing_up(
    database: str, make_orthanc: MakeOrthanc, destination: DestinationArchive, tmp_path: Path
) -> None:
    folder = tmp_path / "clock"
    folder.mkdir()
    clock = Clock(folder)
    # One is being sent while the clock is set, which decides about its lease; others wait for a time of the old clock.
    config = forwarding_to(tmp_path, destination, Concurrency=1)
    everything: list[bytes] = []
    with origin_on(Surroundings(clock=clock), database, make_orthanc, config) as origin:
        for turn, offset in enumerate((timedelta(hours=5), timedelta(hours=-5))):
            destination.stop()
            files = [file for number in range(4) for file in study(f"C{turn}-{number}", 2)]
            store(origin, *files)
            everything += files

            def queued(turn: int = turn) -> bool:
                return len(deliveries(origin)) == 4 * (turn + 1)

            eventually(queued, RECOVERY_S, "four studies wait")
            destination.on_store = partial(clock.step, offset)
            destination.start()
            wait_for_deliveries(origin, len(everything))
            assert abs(_distance(origin) - offset) < timedelta(hours=1), "the clock was set"
    assert_all_there(destination, *everything)
    assert repeated(destination) <= 4


def _distance(server: OrthancServer) -> timedelta:
    """How far the container's clock is from ours."""
    return timedelta(seconds=float(server.run("date", "+%s")) - time.time())
