"""Sending by C-STORE through a real Orthanc: to another one, to dcmtk, and to archives with bad habits."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread

from doubles.archives import Archive, Habit
from doubles.proxy import Proxy, proxy_to
from forwarding.model import Consignment, Refused, Unreachable
from integration.containers import HOST, TESTS_HOST, OrthancServer, configuration
from integration.datasets import renumber
from integration.polling import eventually
from integration.remote_archive import RemoteArchive
from integration.sending import consign, dicom_sender, held, stored


def nothing(_instances: int, _bytes: int) -> None:
    """A progress that nobody follows."""


@pytest.fixture(scope="module")
def ours(orthanc_on_sqlite: OrthancServer) -> OrthancServer:
    return orthanc_on_sqlite


@pytest.fixture(scope="module")
def study(ours: OrthancServer) -> Consignment:
    return consign(ours)


@pytest.fixture(scope="module")
def way_back(ours: OrthancServer) -> Iterator[Proxy]:
    """How others reach our DICOM server."""
    with proxy_to(HOST, ours.dicom_port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def dcm4chee(way_back: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[OrthancServer, Proxy]]:
    """Another Orthanc in the place of DCM4CHEE, and the way to its DICOM server."""
    modalities = {"pacs": ["ORTHANC", TESTS_HOST, way_back.port]}
    folder = configuration(tmp_path_factory.mktemp("dcm4chee"), modalities)
    with ExitStack() as stack:
        server = stack.enter_context(OrthancServer(folder, PACS_DICOM_AET="DCM4CHEE"))
        yield server, stack.enter_context(proxy_to(HOST, server.dicom_port))


@pytest.mark.parametrize(("commitment", "method"), [(False, "c_find"), (True, "storage_commitment")])
def test_a_study_arrives_whole_and_is_proven(
    ours: OrthancServer, dcm4chee: tuple[OrthancServer, Proxy], commitment: bool, method: str
) -> None:
    server, proxy = dcm4chee
    study = consign(ours)
    sender = dicom_sender(ours, "DCM4CHEE", proxy.port, commitment)
    sender.probe()
    assert len(sender.prove(study, threading.Event()).missing) == 5
    told: list[tuple[int, int]] = []
    sender.send(study, lambda *each: told.append(each), threading.Event())
    assert sender.prove(study, threading.Event()).missing == frozenset()
    assert sender.prove(study, threading.Event()).method == method
    assert held(server, study) == held(ours, study)
    assert told == sorted(told)
    assert told[-1] == (5, study.size_bytes)


def test_a_network_that_is_cut_half_way_is_unreachable_and_the_next_try_completes(
    ours: OrthancServer, dcm4chee: tuple[OrthancServer, Proxy]
) -> None:
    server, _ = dcm4chee
    study = consign(ours)
    with proxy_to(HOST, server.dicom_port) as network:
        sender = dicom_sender(ours, "DCM4CHEE", network.port)
        network.cut_after = study.size_bytes // 2
        with pytest.raises(Unreachable, match="check that it runs"):
            sender.send(study, nothing, threading.Event())
        with pytest.raises(Unreachable, match="does not answer C-ECHO"):
            sender.probe()
        network.cut_after = None
        assert sender.prove(study, threading.Event()).missing
        sender.send(study, nothing, threading.Event())
        assert sender.prove(study, threading.Event()).missing == frozenset()
    assert held(server, study) == held(ours, study)


def test_dcmtk_takes_a_study_and_cannot_prove_it(ours: OrthancServer, study: Consignment, tmp_path: Path) -> None:
    with proxy_to(HOST, 9) as free:
        port = free.port
    peer = subprocess.Popen(["/usr/bin/storescp", "--output-directory", tmp_path, "--aetitle", "STORESCP", str(port)])
    try:
        sender = dicom_sender(ours, "STORESCP", port)
        eventually(lambda: _answers(sender.probe), 30, "storescp answers")
        sender.send(study, nothing, threading.Event())
        assert len(list(tmp_path.iterdir())) == len(study.instances)
        with pytest.raises(Refused, match="offers no C-FIND"):
            sender.prove(study, threading.Event())
    finally:
        peer.kill()
        peer.wait()


def _answers(probe: object) -> bool:
    try:
        probe()  # type: ignore[operator]
    except Unreachable:
        return False
    return True


@pytest.mark.parametrize(
    ("habit", "kind", "sentence"),
    [
        (Habit.REFUSES, Unreachable, "takes no association .*Rejected.*: check that it runs, and its AE title"),
        (Habit.ABORTS, Unreachable, "broke the association off half way .*aborted"),
        (Habit.FULL, Unreachable, "is out of resources .*0xA700.*: make room"),
        (Habit.CANNOT_READ, Refused, "did not take the study .*0xC001"),
        (Habit.TAKES_NOTHING, Refused, "does not take this kind of object"),
    ],
)
def test_what_a_peer_does_not_take_is_said_with_its_remedy(
    ours: OrthancServer, study: Consignment, habit: Habit, kind: type[Exception], sentence: str
) -> None:
    with Archive("PEER", habit) as peer, pytest.raises(kind, match=sentence):
        dicom_sender(ours, "PEER", peer.port).send(study, nothing, threading.Event())


@pytest.mark.parametrize(("habit", "lost"), [(Habit.LOSES, 5), (Habit.LOSES_ONE, 1), (Habit.HONEST, 0)])
@pytest.mark.parametrize("commitment", [False, True])
def test_an_archive_that_accepts_and_loses_is_found_out(
    ours: OrthancServer, study: Consignment, way_back: Proxy, habit: Habit, lost: int, commitment: bool
) -> None:
    with Archive("PEER", habit, reports_to=(HOST, way_back.port)) as peer:
        sender = dicom_sender(ours, "PEER", peer.port, commitment)
        sender.send(study, nothing, threading.Event())
        assert len(sender.prove(study, threading.Event()).missing) == lost


def test_numbers_prove_what_the_peer_did_not_hold_before(ours: OrthancServer) -> None:
    study = consign(ours)
    with Archive("PEER") as peer:
        sender = dicom_sender(ours, "PEER", peer.port)
        for levels in (["SERIES", "SERIES"], ["SERIES", "SERIES", "IMAGE", "IMAGE"]):
            peer.asked.clear()
            sender.send(study, nothing, threading.Event())
            assert sender.prove(study, threading.Event()).missing == frozenset()
            assert peer.asked == levels


def test_a_number_that_others_make_up_proves_nothing(ours: OrthancServer) -> None:
    study = consign(ours)
    with Archive("PEER", Habit.LOSES_ONE) as peer:
        peer.kept["1.2.3"] = study.instances[0].series_instance_uid
        sender = dicom_sender(ours, "PEER", peer.port)
        sender.send(study, nothing, threading.Event())
        assert len(sender.prove(study, threading.Event()).missing) == 1


def test_a_number_that_our_own_next_delivery_makes_up_proves_nothing(ours: OrthancServer) -> None:
    study = consign(ours, images=1)
    (image,) = study.instances
    with Archive("PEER", Habit.LOSES) as peer:
        sender = dicom_sender(ours, "PEER", peer.port)
        sender.send(study, nothing, threading.Event())
        dataset = dcmread(BytesIO(RemoteArchive(ours).read_instance(image.orthanc_id)))
        late = stored(RemoteArchive(ours), renumber(dataset))
        peer.kept[late.sop_instance_uid] = image.series_instance_uid
        assert sender.prove(study, threading.Event()).missing == {image.sop_instance_uid}


def test_a_false_commitment_is_found_out_by_c_find(ours: OrthancServer, study: Consignment, way_back: Proxy) -> None:
    with Archive("PEER", Habit.COMMITS_FALSELY, reports_to=(HOST, way_back.port)) as peer:
        sender = dicom_sender(ours, "PEER", peer.port, commitment=True)
        sender.send(study, nothing, threading.Event())
        assert len(sender.prove(study, threading.Event()).missing) == 5


def test_a_commitment_stands_alone_where_there_is_no_c_find(
    ours: OrthancServer, study: Consignment, way_back: Proxy
) -> None:
    with Archive("PEER", Habit.ANSWERS_NO_FIND, reports_to=(HOST, way_back.port)) as peer:
        sender = dicom_sender(ours, "PEER", peer.port, commitment=True)
        sender.send(study, nothing, threading.Event())
        assert sender.prove(study, threading.Event()).missing == frozenset()


def test_an_archive_that_never_reports_is_told_from_one_that_failed(ours: OrthancServer, study: Consignment) -> None:
    with Archive("PEER", Habit.HONEST, reports_to=(HOST, 9)) as peer:
        sender = dicom_sender(ours, "PEER", peer.port, commitment=True, timeout_s=5)
        with pytest.raises(
            Refused, match="sent no storage commitment report within 5 s: tell it this server's AE title"
        ):
            sender.prove(study, threading.Event())


def test_an_archive_that_knows_series_only_is_asked_for_their_numbers(ours: OrthancServer, study: Consignment) -> None:
    with Archive("PEER", Habit.KNOWS_SERIES_ONLY) as peer:
        sender = dicom_sender(ours, "PEER", peer.port)
        assert len(sender.prove(study, threading.Event()).missing) == 5
        sender.send(study, nothing, threading.Event())
        assert sender.prove(study, threading.Event()).missing == frozenset()


def test_waiting_for_a_storage_commitment_report_is_given_up_when_the_server_stops(
    ours: OrthancServer, study: Consignment
) -> None:
    stopping = threading.Event()
    with Archive("PEER", Habit.HONEST, reports_to=(HOST, 9)) as peer:
        sender = dicom_sender(ours, "PEER", peer.port, commitment=True)
        threading.Timer(0.5, stopping.set).start()
        begun = time.monotonic()
        with pytest.raises(Unreachable, match="given up"):
            sender.prove(study, stopping)
    # The report is waited for twenty seconds.
    assert time.monotonic() - begun < 10


def test_a_sending_that_is_given_up_leaves_no_job_behind(ours: OrthancServer, study: Consignment) -> None:
    stopping = threading.Event()
    with Archive("PEER", Habit.SLOW) as peer:
        sender = dicom_sender(ours, "PEER", peer.port)
        threading.Timer(0.5, stopping.set).start()
        with pytest.raises(Unreachable, match="given up"):
            sender.send(study, nothing, stopping)
        eventually(lambda: not _unfinished_jobs(ours, "PEER"), 30, "the job ends")
        assert peer.arrived < 5


def _unfinished_jobs(server: OrthancServer, aet: str) -> list[str]:
    jobs = RemoteArchive(server).get("/jobs?expand")
    return [
        job["ID"]
        for job in jobs
        if job["Content"].get("RemoteAet") == aet and job["State"] not in ("Success", "Failure")
    ]


def test_a_job_that_a_killed_server_resumes_is_followed_and_not_doubled(make_orthanc: object) -> None:
    ours: OrthancServer = make_orthanc()  # type: ignore[operator]
    ours.create().wait_until_ready()
    study = consign(ours, images=24)
    with Archive("PEER", Habit.SLOW) as peer:
        sender = dicom_sender(ours, "PEER", peer.port)
        sending = threading.Thread(target=_until_killed, args=(sender, study))
        sending.start()
        # Orthanc writes down its jobs every ten seconds.
        eventually(lambda: peer.arrived >= 13, 60, "thirteen images arrive")
        ours.container.kill()
        sending.join()
        ours.start_again()
        before = peer.arrived
        sender = dicom_sender(ours, "PEER", peer.port)
        sender.send(study, nothing, threading.Event())
        assert sender.prove(study, threading.Event()).missing == frozenset()
    assert peer.arrived < before + len(study.instances)


def _until_killed(sender: object, study: Consignment) -> None:
    with pytest.raises(Exception):  # noqa: B017 - whatever a client sees when its server is killed
        sender.send(study, nothing, threading.Event())  # type: ignore[attr-defined]
