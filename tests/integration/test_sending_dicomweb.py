"""Sending by STOW-RS to a real Orthanc behind DCM4CHEE's paths, with a network that may be cut."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydicom import dcmread
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEGLosslessSV1

from deidentification import RESEARCH, Deidentifier
from doubles.dcm4chee import Dcm4chee
from doubles.proxy import proxy_to
from forwarding.configuration import Destination, Dicomweb
from forwarding.model import Unreachable
from forwarding.sending import dicomweb
from forwarding.sending.dicomweb import DicomwebSender
from forwarding.sending.files import Files
from host.workers import WorkerPool
from integration.containers import HOST, PASSWORDS, OrthancServer
from integration.datasets import STS_STRUCTURES, copy_of
from integration.remote_archive import RemoteArchive
from integration.sending import consign, held, stored

MakeSender = Callable[..., DicomwebSender]


def nothing(_instances: int, _bytes: int) -> None:
    """A progress that nobody follows."""


@pytest.fixture(scope="module")
def ours(orthanc_on_sqlite: OrthancServer) -> OrthancServer:
    return orthanc_on_sqlite


@pytest.fixture(scope="module")
def theirs() -> Iterator[OrthancServer]:
    with OrthancServer(PACS_DICOM_AET="DCM4CHEE") as server:
        yield server


@pytest.fixture(scope="module")
def dcm4chee(theirs: OrthancServer) -> Iterator[Dcm4chee]:
    with Dcm4chee(f"http://{HOST}:{theirs.http_port}", ("admin", PASSWORDS["admin"])) as door:
        threading.Thread(target=door.serve_forever, args=(0.02,), daemon=True).start()
        yield door
        door.shutdown()


@pytest.fixture(scope="module")
def workers() -> Iterator[WorkerPool]:
    pool = WorkerPool(1, timeout_s=60)
    yield pool
    pool.stop()


@pytest.fixture
def sender(ours: OrthancServer, dcm4chee: Dcm4chee, workers: WorkerPool, tmp_path: Path) -> MakeSender:
    def make(
        deidentifier: Deidentifier | None = None, url: str = dcm4chee.url, user: str = "", compress: bool = False
    ) -> DicomwebSender:
        endpoint = Dicomweb(url, user, "secret" if user else "")
        files = Files(RemoteArchive(ours), workers, tmp_path, deidentifier, compress)
        return DicomwebSender(files, Destination("dcm4chee", endpoint, timeout_s=30), endpoint)

    return make


def test_a_study_arrives_whole_and_is_proven(
    ours: OrthancServer, theirs: OrthancServer, sender: MakeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = consign(ours)
    monkeypatch.setattr(dicomweb, "BATCH_BYTES", 2 * study.instances[0].size_bytes)
    sender().probe()
    assert len(sender().prove(study, threading.Event()).missing) == 5
    for _ in range(2):
        sender().send(study, nothing, threading.Event())
    assert sender().prove(study, threading.Event()).missing == frozenset()
    assert held(theirs, study) == held(ours, study)


def test_images_leave_compressed_when_asked_for_and_the_same_pixel_for_pixel(
    ours: OrthancServer, theirs: OrthancServer, sender: MakeSender
) -> None:
    images = consign(ours)
    structures = copy_of(STS_STRUCTURES, images.patient_id, StudyInstanceUID=images.study_instance_uid)
    study = images.part((*images.instances, stored(RemoteArchive(ours), structures)))
    compressed = sender(compress=True)
    compressed.send(study, nothing, threading.Event())
    assert compressed.prove(study, threading.Event()).missing == frozenset()

    there = RemoteArchive(theirs)
    for instance in study.instances:
        found = there.find_instance(instance.sop_instance_uid)
        assert found is not None
        syntax = there.get(f"/instances/{found}/metadata?expand")["TransferSyntax"]
        if instance.sop_class_uid == CTImageStorage:
            assert syntax == JPEGLosslessSV1
            decoded = dcmread(BytesIO(there.read_transcoded(found, ExplicitVRLittleEndian)))
            original = dcmread(BytesIO(RemoteArchive(ours).read_instance(instance.orthanc_id)))
            assert decoded.PixelData == original.PixelData
        else:
            assert syntax == structures.file_meta.TransferSyntaxUID


def test_an_archive_without_a_log_in_wants_no_account(ours: OrthancServer, sender: MakeSender) -> None:
    with pytest.raises(Unreachable, match=r"forbids it \(403 .*\): a DCM4CHEE without log-in wants no User"):
        sender(user="forwarder").probe()


def test_a_network_that_is_cut_half_way_is_unreachable_and_the_next_try_completes(
    ours: OrthancServer, theirs: OrthancServer, dcm4chee: Dcm4chee, sender: MakeSender
) -> None:
    study = consign(ours)
    url = urlsplit(dcm4chee.url)
    with proxy_to(HOST, url.port or 0) as network:
        cut = sender(url=f"http://{HOST}:{network.port}{url.path}")
        network.cut_after = study.size_bytes // 2
        with pytest.raises(Unreachable, match="cannot be reached"):
            cut.send(study, nothing, threading.Event())
        with pytest.raises(Unreachable, match="cannot be reached"):
            cut.prove(study, threading.Event())
        network.cut_after = None
        cut.send(study, nothing, threading.Event())
        assert cut.prove(study, threading.Event()).missing == frozenset()
    assert held(theirs, study) == held(ours, study)


def test_a_study_leaves_without_its_patient_and_is_proven_by_its_pseudonyms(
    ours: OrthancServer, theirs: OrthancServer, sender: MakeSender
) -> None:
    study = consign(ours)
    deidentifier = Deidentifier(bytes(range(32)), RESEARCH)
    anonymous = sender(deidentifier)
    anonymous.send(study, nothing, threading.Event())
    assert anonymous.prove(study, threading.Event()).missing == frozenset()
    assert held(theirs, study) == []
    archive = RemoteArchive(theirs)
    pseudonym = deidentifier.patient_pseudonym(study.patient_id)
    (found,) = archive.post("/tools/find", {"Level": "Study", "Query": {"PatientID": pseudonym}, "Expand": True})
    assert found["MainDicomTags"]["StudyInstanceUID"] == deidentifier.uid(study.study_instance_uid)
    assert found["PatientMainDicomTags"]["PatientName"] == pseudonym
