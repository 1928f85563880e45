"""Sending by STOW-RS to services that answer in every way; real ones are asked in the integration tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deidentification import RESEARCH, Deidentifier
from doubles.answers import AnsweringServer, Say, answering
from forwarding.configuration import Destination, Dicomweb
from forwarding.model import Consignment, Refused, Sender, Unreachable
from forwarding.sending import create_sender, dicomweb
from host.plugin import Host
from unit.archive_double import ArchiveDouble
from unit.forwarding.consignments import consign, nothing

Destined = Callable[..., Sender]


@pytest.fixture
def archive_service() -> Iterator[AnsweringServer]:
    """A service that stores whatever it is given."""
    with answering() as server:
        server.answers = {"POST": [Say(200, {"00081199": {"vr": "SQ", "Value": []}})]}
        yield server


@pytest.fixture
def sender(archive_service: AnsweringServer, host: Host) -> Destined:
    def make(deidentifier: Deidentifier | None = None, bandwidth: float | None = None, **changes: str) -> Sender:
        endpoint = replace(Dicomweb(archive_service.url), **changes)
        destination = Destination("pacs-2", endpoint, timeout_s=20, bandwidth_bytes_per_s=bandwidth)
        return create_sender(destination, host, deidentifier)

    return make


@pytest.fixture
def study(archive: ArchiveDouble, data_folder: Path) -> Consignment:
    return consign(archive, *sorted((data_folder / "sts" / "STS_001" / "CT" / "image").glob("*.dcm"))[:3])


def held(*uids: str) -> Say:
    """An answer to QIDO-RS."""
    return Say(200, [{"00080018": {"vr": "UI", "Value": [uid]}} for uid in uids]) if uids else Say(204)


def failed(status: int, *reasons: int) -> Say:
    """An answer to STOW-RS."""
    items = [{"00081197": {"vr": "US", "Value": [reason]}} for reason in reasons]
    return Say(status, {"00081198": {"vr": "SQ", "Value": items}})


def test_the_files_leave_as_they_are_stored(
    archive_service: AnsweringServer, sender: Destined, study: Consignment, archive: ArchiveDouble
) -> None:
    sender().send(study, nothing, threading.Event())
    (asked,) = archive_service.asked
    assert (asked.method, asked.path) == ("POST", "/studies")
    assert "Authorization" not in asked.headers
    boundary = asked.headers["Content-Type"].rpartition("boundary=")[2].encode()
    assert asked.headers["Content-Type"].startswith('multipart/related; type="application/dicom"; boundary=')
    found = [part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in asked.body.split(b"--" + boundary)[1:-1]]
    assert found == [archive.instances[each.orthanc_id].dicom for each in study.instances]
    assert asked.body.endswith(b"--" + boundary + b"--\r\n")


def test_a_large_study_leaves_in_several_requests(
    archive_service: AnsweringServer, sender: Destined, study: Consignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dicomweb, "BATCH_BYTES", 2 * study.instances[0].size_bytes)
    told: list[tuple[int, int]] = []
    sender().send(study, lambda *each: told.append(each), threading.Event())
    assert len(archive_service.asked) == 2
    assert [instances for instances, _ in told] == [2, 3]
    assert told[-1][1] == study.size_bytes


def test_a_proof_lists_what_the_other_end_does_not_hold(
    archive_service: AnsweringServer, sender: Destined, study: Consignment
) -> None:
    first, second, third = (each.sop_instance_uid for each in study.instances)
    archive_service.answers["GET"] = [held(first, third)]
    proof = sender().prove(study, threading.Event())
    assert (proof.method, proof.missing) == ("qido", frozenset([second]))
    path = f"/studies/{study.study_instance_uid}/series/{study.instances[0].series_instance_uid}/instances?"
    assert archive_service.asked[0].path.startswith(path)


def test_an_answer_without_content_means_that_nothing_is_there(
    archive_service: AnsweringServer, sender: Destined, study: Consignment
) -> None:
    archive_service.answers["GET"] = [held()]
    assert len(sender().prove(study, threading.Event()).missing) == 3


def test_pages_are_read_to_the_end_also_where_a_service_does_not_page(
    archive_service: AnsweringServer, sender: Destined, study: Consignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dicomweb, "_PAGE", 2)
    uids = [each.sop_instance_uid for each in study.instances]
    archive_service.answers["GET"] = [held(*uids[:2]), held(uids[2])]
    assert sender().prove(study, threading.Event()).missing == frozenset()
    archive_service.answers["GET"] = [held(*uids[:2])]
    assert sender().prove(study, threading.Event()).missing == {uids[2]}


@pytest.mark.parametrize("status", [202, 409])
def test_a_service_that_says_it_failed_is_asked_what_it_holds(
    archive_service: AnsweringServer, sender: Destined, study: Consignment, status: int
) -> None:
    uids = [each.sop_instance_uid for each in study.instances]
    archive_service.answers = {"POST": [failed(status, 0x0110, 0x0110)], "GET": [held(*uids)]}
    sender().send(study, nothing, threading.Event())
    archive_service.answers["GET"] = [held(uids[0])]
    with pytest.raises(Refused, match=rf"answers {status} and holds 1 of 3 instances \(.*: 0x0110\)"):
        sender().send(study, nothing, threading.Event())


@pytest.mark.parametrize(
    ("answer", "kind", "sentence"),
    [
        (Say(200, "<!DOCTYPE html>", "text/html"), Unreachable, "a page for people, such as a log-in"),
        (Say(302, headers=(("Location", "/log-in"),)), Unreachable, "redirects to /log-in"),
        (Say(401), Unreachable, r"does not accept the user 'forwarder' \(401\): check User and PasswordFrom"),
        (Say(403), Unreachable, "a DCM4CHEE without log-in wants no User"),
        (Say(503), Unreachable, "is not ready"),
        (Say(500), Refused, "answers 500 Internal Server Error to STOW-RS"),
        (Say(413), Refused, "answers 413"),
        (Say(0), Unreachable, "cannot be reached"),
    ],
)
def test_every_other_answer_says_whom_it_concerns_and_what_to_do(
    archive_service: AnsweringServer,
    sender: Destined,
    study: Consignment,
    answer: Say,
    kind: type[Exception],
    sentence: str,
) -> None:
    archive_service.answers = {"POST": [answer], "GET": [held()]}
    with pytest.raises(kind, match=sentence):
        sender(user="forwarder", password="secret").send(study, nothing, threading.Event())


def test_a_service_that_is_gone_is_unreachable(sender: Destined, study: Consignment) -> None:
    gone = sender(url="http://127.0.0.1:9")
    never = threading.Event()
    for attempt in (gone.probe, lambda: gone.send(study, nothing, never), lambda: gone.prove(study, never)):
        with pytest.raises(Unreachable, match=r"pacs-2 at http://127\.0\.0\.1:9 cannot be reached"):
            attempt()


def test_no_bytes_leave_once_the_sending_is_given_up(
    archive_service: AnsweringServer, sender: Destined, study: Consignment
) -> None:
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(Unreachable, match="given up"):
        sender().send(study, nothing, stopping)
    assert not archive_service.asked


def test_bytes_leave_no_faster_than_allowed(sender: Destined, study: Consignment) -> None:
    begin = time.monotonic()
    sender(bandwidth=study.size_bytes / 0.5).send(study, nothing, threading.Event())
    assert time.monotonic() - begin >= 0.5


def test_without_its_patient_a_study_is_looked_for_under_its_pseudonyms(
    archive_service: AnsweringServer, sender: Destined, study: Consignment
) -> None:
    deidentifier = Deidentifier(bytes(32), RESEARCH)
    archive_service.answers["GET"] = [held(*(deidentifier.uid(each.sop_instance_uid) for each in study.instances))]
    destined = sender(deidentifier)
    destined.send(study, nothing, threading.Event())
    assert destined.prove(study, threading.Event()).missing == frozenset()
    stored, searched = archive_service.asked
    assert b"STS_001" not in stored.body
    assert deidentifier.uid(study.study_instance_uid) in searched.path


def test_a_study_that_is_deleted_meanwhile_is_refused(
    sender: Destined, study: Consignment, archive: ArchiveDouble
) -> None:
    archive.delete("instance", study.instances[2].orthanc_id)
    with pytest.raises(Refused, match=f"Instance {study.instances[2].orthanc_id} was deleted"):
        sender().send(study, nothing, threading.Event())
