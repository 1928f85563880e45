"""Studies go on to another archive: whatever fails on the way, each instance is there once, and the outbox says so."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from integration import datasets
from integration.conftest import MakeOrthanc
from integration.containers import TESTS_HOST, OrthancServer, Postgres, configuration
from integration.destination import DestinationArchive, digest_of
from integration.polling import eventually

#: Longer than a lease after a kill -9, on a busy machine.
RECOVERY_S = 300.0
KILLS = 26


@pytest.fixture
def destination() -> Iterator[DestinationArchive]:
    with DestinationArchive("ARCHIVE") as archive:
        yield archive


def forwarding_to(folder: Path, destination: DestinationArchive, **more: Any) -> Path:
    """The project's configuration with one destination, to which everything goes."""
    made = configuration(folder, {"archive": [destination.aet, TESTS_HOST, destination.port]})
    entry = {"Kind": "dicom", "Modality": "archive", "Studies": [{}], "FirstRetrySeconds": 0.5, "TimeoutSeconds": 10}
    section = {"Forwarding": {"Destinations": {"archive": {**entry, **more}}}}
    (made / "forwarding.json").write_text(json.dumps(section))
    return made


@pytest.fixture
def make_origin(
    database: str,
    make_orthanc: MakeOrthanc,
    destination: DestinationArchive,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Callable[..., OrthancServer]:
    """Make a server that forwards; not started yet."""

    def make(**more: Any) -> OrthancServer:
        config = forwarding_to(tmp_path, destination, **more)
        if database == "sqlite":
            return make_orthanc(config, PACS_STABLE_AGE="1")
        postgres: Postgres = request.getfixturevalue("postgres")
        return make_orthanc(config, postgres, postgres.create_database(), PACS_STABLE_AGE="1")

    return make


def study(patient: str, instances: int = 4, size: int = 64) -> list[bytes]:
    """CT slices of one series, small or large."""
    template = dcmread(datasets.DICOMPYLER_CT)
    template.PatientID, template.PatientName = patient, f"Forward^{patient}"
    template.StudyInstanceUID, template.SeriesInstanceUID = generate_uid(), generate_uid()
    template.Rows = template.Columns = size
    files = []
    for number in range(instances):
        noise = np.random.default_rng(number).integers(0, 4096, (size, size), dtype=np.uint16)
        template.PixelData, template.InstanceNumber = noise.tobytes(), number + 1
        files.append(datasets.file_of(datasets.renumber(template)))
    return files


def store(server: OrthancServer, *files: bytes) -> None:
    with server.http() as client:
        for file in files:
            assert client.post("/instances", data=file).status_code == 200


def deliveries(server: OrthancServer, query: str = "") -> list[dict[str, Any]]:
    with server.http() as client:
        answer = client.get(f"/api/deliveries?limit=1000&{query}")
        assert answer.status_code == 200, "while the database restarts"
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


def wait_for_deliveries(server: OrthancServer, instances: int) -> list[dict[str, Any]]:
    """The deliveries, once all are delivered and have taken so many instances, in however many parts."""

    def done() -> list[dict[str, Any]]:
        items = deliveries(server)
        standing = [(item["state"], item["reason"]) for item in items if item["state"] != "delivered"]
        assert not standing, standing
        assert sum(item["instances_total"] for item in items) == instances
        return items

    return eventually(done, RECOVERY_S, f"{instances} instances are delivered", rest_s=0.25)


def assert_all_there(destination: DestinationArchive, *files: bytes) -> None:
    """Each instance is held, by its content, and nothing else is."""
    expected = {}
    for file in files:
        dataset: Dataset = dcmread(BytesIO(file))
        expected[str(dataset.SOPInstanceUID)] = digest_of(dataset)
    assert {uid: set(digests) for uid, digests in destination.arrivals.items()} == {
        uid: {digest} for uid, digest in expected.items()
    }


def repeated(destination: DestinationArchive) -> int:
    return sum(len(digests) - 1 for digests in destination.arrivals.values())


def test_a_study_goes_on_by_itself_and_late_instances_alone(
    make_origin: Callable[..., OrthancServer], destination: DestinationArchive
) -> None:
    files = study("P1", 6)
    with make_origin() as origin:
        store(origin, *files[:5])
        first, *_ = wait_for_deliveries(origin, 5)
        assert (first["proof"], first["patient_id"]) == ("c_find", "P1")
        store(origin, files[5])
        late, *_ = wait_for_deliveries(origin, 6)
        assert late["instances_total"] == 1
        assert_all_there(destination, *files)
        assert repeated(destination) == 0
        with origin.http() as client:
            (item,) = client.get("/api/destinations").json()["items"]
            assert (item["state"], item["waiting"], item["failed"]) == ("up", 0, 0)
            assert "pacs_destination_up" in client.get("/api/metrics").text
        # By hand it goes again, and the other end has it once all the same.
        with origin.http() as client:
            order = {"study": first["study_instance_uid"], "destination": "archive"}
            assert client.post("/api/deliveries", json=order).status_code == 202
        wait_for_deliveries(origin, 12)
        assert repeated(destination) == 6
        assert_all_there(destination, *files)


def test_kill_9_at_every_state_loses_nothing(
    make_origin: Callable[..., OrthancServer], destination: DestinationArchive
) -> None:
    """Killed in the middle of a C-STORE, of the proof, and while studies wait, again and again."""
    sent: list[bytes] = []
    with make_origin(Attempts=100) as origin:
        for turn in range(KILLS):
            files = study(f"K{turn}", 3)
            sent += files
            kill_in_the_middle(origin, destination, files, ("waiting", "sending", "verifying")[turn % 3])
            origin.container.wait(timeout=60)
            origin.start_again()
        wait_for_deliveries(origin, 3 * KILLS)
    assert_all_there(destination, *sent)
    # Of an image whose answer the crash has swallowed nobody but the other end knows that it was there.
    assert repeated(destination) <= KILLS


def kill_in_the_middle(origin: OrthancServer, destination: DestinationArchive, files: list[bytes], state: str) -> None:
    """Store a study, and kill the server as soon as its delivery has reached a state."""
    reached = threading.Event()

    def kill() -> None:
        if not reached.is_set():
            reached.set()
            origin.container.kill()

    store(origin, *files)
    # An image, or the question what is there, has come in and is not answered yet.
    destination.on_store = kill if state == "sending" else _pass
    destination.on_find = kill if state == "verifying" else _pass
    if state == "waiting":
        kill()
    assert reached.wait(RECOVERY_S), f"no delivery was {state}"
    destination.on_store = destination.on_find = _pass


def _pass() -> None:
    """Let it go on."""


def test_a_destination_that_is_down_for_200_studies_gets_them_all(
    make_origin: Callable[..., OrthancServer], destination: DestinationArchive
) -> None:
    files = [file for number in range(200) for file in study(f"D{number}", 1, size=16)]
    destination.stop()
    with make_origin() as origin:
        store(origin, *files)

        def queued() -> bool:
            items = deliveries(origin)
            assert {item["state"] for item in items} <= {"waiting", "sending"}
            return len(items) == 200

        eventually(queued, RECOVERY_S, "200 studies wait", rest_s=0.5)
        with origin.http() as client:
            eventually(
                lambda: client.get("/api/destinations").json()["items"][0]["state"] == "down", RECOVERY_S, "it is down"
            )
        destination.start()
        assert {item["attempts"] for item in wait_for_deliveries(origin, 200)} == {1}
    assert_all_there(destination, *files)
    assert repeated(destination) == 0


def test_a_connection_that_breaks_in_the_middle_is_taken_up_where_it_broke(
    make_origin: Callable[..., OrthancServer], destination: DestinationArchive
) -> None:
    files = study("N1", 12)
    with make_origin() as origin:
        broken = threading.Event()

        def cut_off_once() -> None:
            if len(destination.arrivals) == 6 and not broken.is_set():
                broken.set()
                # Not from within the association's own thread, which shutting down waits for.
                threading.Thread(target=_restart, args=(destination,)).start()
                broken_off.wait(30)

        broken_off = threading.Event()

        def _restart(archive: DestinationArchive) -> None:
            archive.stop()
            broken_off.set()
            archive.start()

        destination.on_store = cut_off_once
        store(origin, *files)
        wait_for_deliveries(origin, 12)
        assert broken.is_set()
    assert_all_there(destination, *files)
    assert repeated(destination) <= 1


@pytest.mark.parametrize("hangs", ["on_store", "on_find"])
def test_the_server_stops_in_time_while_its_destination_hangs(
    make_origin: Callable[..., OrthancServer], destination: DestinationArchive, hangs: str
) -> None:
    files = study("H1", 4)
    asked, go_on = threading.Event(), threading.Event()

    def hang() -> None:
        asked.set()
        go_on.wait(RECOVERY_S)

    setattr(destination, hangs, hang)
    origin = make_origin(TimeoutSeconds=60).create().wait_until_ready()
    try:
        store(origin, *files)
        assert asked.wait(RECOVERY_S)
        code, seconds = origin.stop()
    finally:
        go_on.set()
    assert code == 0, origin.log()[-3000:]
    assert seconds < 10
    origin.start_again()
    wait_for_deliveries(origin, 4)
    assert_all_there(destination, *files)


def test_two_servers_on_one_database_send_each_study_once(
    make_orthanc: MakeOrthanc, postgres: Postgres, destination: DestinationArchive, tmp_path: Path
) -> None:
    config, database = forwarding_to(tmp_path, destination), postgres.create_database()
    first = make_orthanc(config, postgres, database, PACS_STABLE_AGE="1").create().wait_until_ready()
    second = make_orthanc(config, postgres, database, PACS_STABLE_AGE="1").share_storage(first)
    second.create().wait_until_ready()
    files = [study(f"T{number}", 3) for number in range(10)]
    for number, each in enumerate(files):
        store((first, second)[number % 2], *each)
    wait_for_deliveries(first, 30)
    # One of them ends in the middle; the other one finishes what it has begun.
    late = study("T10", 3)
    reached = threading.Event()

    def kill() -> None:
        if not reached.is_set():
            reached.set()
            second.container.kill()

    destination.on_store = kill
    store(first, *late)
    wait_for_deliveries(first, 33)
    assert_all_there(destination, *late, *(file for each in files for file in each))
    assert repeated(destination) <= 1


def test_a_database_that_restarts_in_the_middle_loses_nothing(
    make_orthanc: MakeOrthanc, destination: DestinationArchive, tmp_path: Path
) -> None:
    files = study("R1", 4)
    with Postgres("postgres-that-restarts") as own:
        config = forwarding_to(tmp_path, destination)
        with make_orthanc(config, own, own.create_database(), PACS_STABLE_AGE="1") as origin:
            restarted = threading.Event()

            def restart() -> None:
                if not restarted.is_set():
                    restarted.set()
                    own.restart()

            destination.on_store = restart
            store(origin, *files)
            assert restarted.wait(RECOVERY_S)
            wait_for_deliveries(origin, 4)
    assert_all_there(destination, *files)


def test_deleted_studies_are_not_sent_and_their_history_stays(
    make_origin: Callable[..., OrthancServer], destination: DestinationArchive
) -> None:
    destination.stop()
    with make_origin() as origin:
        store(origin, *study("X1", 1))
        (waiting,) = eventually(lambda: deliveries(origin, "state=waiting"), RECOVERY_S, "it waits")
        with origin.http() as client:
            assert client.delete(f"/studies/{waiting['study_orthanc_id']}").status_code == 200
        (cancelled,) = eventually(lambda: deliveries(origin, "state=cancelled"), RECOVERY_S, "it is cancelled")
        assert cancelled["reason"].startswith("the study was deleted")
        assert cancelled["patient_id"] == "X1"


def test_a_mistake_in_the_section_stops_the_start_and_is_named(
    make_orthanc: MakeOrthanc, destination: DestinationArchive, tmp_path: Path
) -> None:
    server = make_orthanc(forwarding_to(tmp_path, destination, Concurency=3)).create()
    assert server.container.wait(timeout=120)["StatusCode"] != 0
    assert "Forwarding.Destinations.archive.Concurency is not a key that is known; did you mean Concurrency?" in (
        server.log()
    )
