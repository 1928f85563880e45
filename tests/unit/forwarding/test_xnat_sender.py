"""Sending to XNAT, against the double that follows its ways to fail."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread

from deidentification import RESEARCH, Deidentifier
from doubles.xnat_requests import XnatServer
from forwarding.configuration import Destination, Xnat
from forwarding.model import Consignment, HeldBack, Refused, Sender, Unreachable
from forwarding.sending import create_sender
from forwarding.sending.files import Files
from host.plugin import Host
from unit.archive_double import ArchiveDouble
from unit.forwarding.consignments import consign, nothing

SECRET = bytes(range(32))
Destined = Callable[..., Sender]


@pytest.fixture
def study(archive: ArchiveDouble, data_folder: Path) -> Consignment:
    """Three slices of a CT and the structures drawn on it."""
    folder = data_folder / "sts" / "STS_001" / "CT"
    return consign(archive, *sorted((folder / "image").glob("*.dcm"))[:3], folder / "mask" / "RS.dcm")


@pytest.fixture
def sender(xnat: XnatServer, host: Host) -> Destined:
    def make(deidentifier: Deidentifier | None = None, bandwidth: float | None = None, **changes: str) -> Sender:
        endpoint = replace(Xnat(xnat.url, "forwarder", "secret", "RESEARCH"), **changes)
        destination = Destination("xnat", endpoint, timeout_s=20, bandwidth_bytes_per_s=bandwidth)
        return create_sender(destination, host, deidentifier)

    return make


def test_a_study_arrives_whole_under_the_labels_of_the_templates(
    xnat: XnatServer, sender: Destined, study: Consignment, archive: ArchiveDouble
) -> None:
    destined = sender(subject="{patient}", session="{patient}_{date}_{modality}")
    destined.send(study, nothing, threading.Event())
    (session,) = xnat.archive.sessions.values()
    assert (session.subject, session.label, session.kind) == ("STS_001", "STS_001_20000907_CT", "xnat:ctSessionData")
    arrived = [place.read_bytes() for scan in session.scans.values() for place in scan.files.values()]
    assert sorted(arrived) == sorted(archive.instances[each.orthanc_id].dicom for each in study.instances)
    assert destined.prove(study, threading.Event()).missing == frozenset()
    assert destined.prove(study, threading.Event()).method == "file_listing"


def test_nothing_is_proven_before_it_is_sent(sender: Destined, study: Consignment) -> None:
    assert len(sender().prove(study, threading.Event()).missing) == 4


def test_sending_twice_does_no_harm(xnat: XnatServer, sender: Destined, study: Consignment) -> None:
    for _ in range(2):
        sender().send(study, nothing, threading.Event())
    (session,) = xnat.archive.sessions.values()
    assert sum(len(scan.files) for scan in session.scans.values()) == 4


def test_structures_that_come_late_join_the_session_of_their_images(
    xnat: XnatServer, sender: Destined, archive: ArchiveDouble, data_folder: Path
) -> None:
    folder = data_folder / "sts" / "STS_001" / "CT"
    images = consign(archive, *sorted((folder / "image").glob("*.dcm"))[:2])
    sender().send(images, nothing, threading.Event())
    late = consign(archive, folder / "mask" / "RS.dcm")
    sender().send(late, nothing, threading.Event())
    assert sender().prove(late, threading.Event()).missing == frozenset()
    assert sender().prove(images, threading.Event()).missing == frozenset()
    (session,) = xnat.archive.sessions.values()
    assert sum(len(scan.files) for scan in session.scans.values()) == 3


@pytest.mark.parametrize(("fault", "lost"), [("loses", 4), ("loses_one", 1)])
def test_an_xnat_that_accepts_and_loses_is_found_out(
    xnat: XnatServer, sender: Destined, study: Consignment, fault: str, lost: int
) -> None:
    xnat.archive.faults.append(fault)
    sender().send(study, nothing, threading.Event())
    assert len(sender().prove(study, threading.Event()).missing) == lost


def test_files_that_were_there_already_prove_nothing_of_others(
    sender: Destined, archive: ArchiveDouble, data_folder: Path, xnat: XnatServer
) -> None:
    images = sorted((data_folder / "sts" / "STS_001" / "CT" / "image").glob("*.dcm"))
    sender().send(consign(archive, *images[:3]), nothing, threading.Event())
    late = consign(archive, *images[3:5])
    assert sender().prove(late, threading.Event()).missing == {each.sop_instance_uid for each in late.instances}


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("busy", "is busy with session"),
        ("locked", "is busy with session"),
        ("filtered", "filtered out every object: see the series import filter"),
        ("prearchive", "left the study in its prearchive: review /data/prearchive/projects/RESEARCH/"),
    ],
)
def test_a_success_that_is_none_is_refused(
    xnat: XnatServer, sender: Destined, study: Consignment, fault: str, sentence: str
) -> None:
    xnat.archive.faults.append(fault)
    with pytest.raises(Refused, match=sentence):
        sender().send(study, nothing, threading.Event())


def test_a_project_in_which_the_account_may_not_write_is_named(
    xnat: XnatServer, sender: Destined, study: Consignment
) -> None:
    xnat.archive.projects["RESEARCH"].users["forwarder"] = "Collaborators"
    with pytest.raises(
        Refused, match="did not let the study into project 'RESEARCH': make the user 'forwarder' a member"
    ):
        sender().send(study, nothing, threading.Event())


def test_a_missing_project_sends_nothing(xnat: XnatServer, sender: Destined, study: Consignment) -> None:
    with pytest.raises(Unreachable, match="has no project 'OTHER': create it"):
        sender(project="OTHER").send(study, nothing, threading.Event())
    assert xnat.imports == 0


def test_a_conflict_is_refused_with_the_reason_that_xnat_gives(
    xnat: XnatServer, sender: Destined, study: Consignment
) -> None:
    sender(session="one").send(study, nothing, threading.Event())
    with pytest.raises(Refused, match="Already Exists for another Subject"):
        sender(session="one", subject="another").send(study, nothing, threading.Event())


def test_a_probe_tells_what_an_operator_has_to_mend(xnat: XnatServer, sender: Destined) -> None:
    sender().probe()
    with pytest.raises(
        Unreachable, match="does not accept the user 'forwarder' \\(401\\): check User and PasswordFrom"
    ):
        sender(password="wrong").probe()
    with pytest.raises(Unreachable, match=r"cannot be reached .*: check that it runs"):
        sender(url="http://127.0.0.1:9").probe()
    xnat.site["initialized"] = False
    with pytest.raises(Unreachable, match="403 Site has not yet been configured"):
        sender().probe()


def test_the_project_may_depend_on_the_study(xnat: XnatServer, sender: Destined, study: Consignment) -> None:
    xnat.set_up("ALL_CT", "forwarder", "secret")
    destined = sender(project="ALL_{modality}")
    destined.probe()
    destined.send(study, nothing, threading.Event())
    assert destined.prove(study, threading.Event()).missing == frozenset()
    assert [session.project for session in xnat.archive.sessions.values()] == ["ALL_CT"]


def test_a_full_disk_is_said_as_what_it_is(host: Host, tmp_path: Path) -> None:
    files = Files(host.archive, host.workers, tmp_path)
    with pytest.raises(Refused, match=r"does not fit once more .*: make room"), files.temporary_file():
        raise OSError(errno.ENOSPC, "No space left on device")


def test_labels_have_no_other_characters_than_xnat_takes(
    xnat: XnatServer, sender: Destined, study: Consignment
) -> None:
    sender(subject="a/b c", session="é").send(study, nothing, threading.Event())
    (session,) = xnat.archive.sessions.values()
    assert (session.subject, session.label) == ("a_b_c", "_")


def test_a_study_leaves_without_its_patient_and_is_proven_by_its_pseudonyms(
    xnat: XnatServer, sender: Destined, study: Consignment
) -> None:
    deidentifier = Deidentifier(SECRET, RESEARCH)
    destined = sender(deidentifier, subject="{patient}", session="{patient}_{study}")
    destined.send(study, nothing, threading.Event())
    (session,) = xnat.archive.sessions.values()
    assert session.subject == deidentifier.patient_pseudonym("STS_001")
    assert session.study_instance_uid == deidentifier.uid(study.study_instance_uid)
    for place in (place for scan in session.scans.values() for place in scan.files.values()):
        assert b"STS_001" not in place.read_bytes()
        assert str(dcmread(place, stop_before_pixels=True).PatientID) == session.subject
    assert destined.prove(study, threading.Event()).missing == frozenset()
    assert sender(subject=session.subject, session=session.label).prove(study, threading.Event()).missing != frozenset()


def test_of_a_study_that_is_held_back_nothing_leaves(
    xnat: XnatServer, sender: Destined, archive: ArchiveDouble, data_folder: Path
) -> None:
    images = sorted((data_folder / "sts" / "STS_001" / "CT" / "image").glob("*.dcm"))[:2]
    last = dcmread(images[1])
    last.BurnedInAnnotation = "YES"
    buffer = BytesIO()
    last.save_as(buffer)
    study = consign(archive, images[0], buffer.getvalue())
    with pytest.raises(HeldBack, match=f"Instance {study.instances[1].orthanc_id} is held back"):
        sender(Deidentifier(SECRET, RESEARCH)).send(study, nothing, threading.Event())
    assert xnat.imports == 0


def test_bytes_leave_no_faster_than_allowed_and_progress_is_told(sender: Destined, study: Consignment) -> None:
    told: list[tuple[int, int]] = []
    begin = time.monotonic()
    sender(bandwidth=study.size_bytes / 0.5).send(study, lambda *each: told.append(each), threading.Event())
    assert time.monotonic() - begin >= 0.5
    assert told == sorted(told)
    assert told[-1] == (4, study.size_bytes)


def test_sending_ends_soon_after_it_is_told_to(xnat: XnatServer, sender: Destined, study: Consignment) -> None:
    stopping = threading.Event()
    threading.Timer(0.2, stopping.set).start()
    begin = time.monotonic()
    with pytest.raises(Unreachable, match="given up"):
        sender(bandwidth=1000.0).send(study, nothing, stopping)
    assert time.monotonic() - begin < 60
    assert not xnat.archive.sessions


def test_no_file_stays_behind(sender: Destined, study: Consignment, tmp_path: Path, xnat: XnatServer) -> None:
    before = set(tmp_path.iterdir())
    with pytest.raises(Refused):
        xnat.archive.faults.append("busy")
        sender(Deidentifier(SECRET, RESEARCH)).send(study, nothing, threading.Event())
    assert set(tmp_path.iterdir()) == before
