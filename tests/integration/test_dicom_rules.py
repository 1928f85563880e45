"""Who may do what by DICOM: everyone may send, only registered modalities may ask; strict mode knows no strangers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom.sop_class import CTImageStorage, Verification

from integration import datasets
from integration.containers import OrthancServer
from integration.modality import QUERIES, StorageScp, association, c_store, dcmtk, storescu
from integration.polling import eventually

STUDY = f"StudyInstanceUID={datasets.DICOMPYLER_STUDY}"


@pytest.fixture
def with_study(orthanc: OrthancServer) -> OrthancServer:
    storescu(orthanc.dicom_port, datasets.DICOMPYLER_CT)
    return orthanc


@pytest.fixture(scope="module")
def strict(config: Path) -> Iterator[OrthancServer]:
    with OrthancServer(config, PACS_DICOM_STRICT="true") as server:
        yield server


def test_a_modality_that_calls_another_title_is_refused(orthanc: OrthancServer) -> None:
    with association(orthanc.dicom_port, called="SOMEBODY") as assoc:
        assert assoc.is_rejected
    code, output = dcmtk("echoscu", orthanc.dicom_port, called="SOMEBODY")
    assert code != 0
    assert re.search("called ae title not recogni", output, re.IGNORECASE)


def test_a_stranger_may_echo_and_store(orthanc: OrthancServer) -> None:
    assert dcmtk("echoscu", orthanc.dicom_port, aet="STRANGER")[0] == 0
    storescu(orthanc.dicom_port, datasets.DICOMPYLER_CT, aet="STRANGER")


@pytest.mark.parametrize("operation", ["C-FIND", "C-GET", "C-MOVE"])
def test_a_stranger_may_not_ask(with_study: OrthancServer, reader: StorageScp, operation: str) -> None:
    query = Dataset()
    query.QueryRetrieveLevel, query.StudyInstanceUID = "STUDY", datasets.DICOMPYLER_STUDY
    received = len(reader.received)
    with association(with_study.dicom_port, *QUERIES, CTImageStorage, aet="STRANGER") as assoc:
        find, get, move = QUERIES
        accepted = [context.abstract_syntax for context in assoc.accepted_contexts]
        responses: list[tuple[Dataset, Dataset | None]] = []
        if operation == "C-FIND" and find in accepted:
            responses = list(assoc.send_c_find(query, find))
        elif operation == "C-GET" and get in accepted:
            responses = list(assoc.send_c_get(query, get))
        elif operation == "C-MOVE" and move in accepted:
            responses = list(assoc.send_c_move(query, "READER", move))
    for status, identifier in responses:
        assert status.get("Status") not in (0x0000, 0xFF00), "nothing was refused"
        assert identifier is None or "StudyInstanceUID" not in identifier
    assert len(reader.received) == received


def test_a_registered_modality_may_find(with_study: OrthancServer) -> None:
    arguments = ["-S", "-k", "QueryRetrieveLevel=STUDY", "-k", STUDY, "-k", "ModalitiesInStudy"]
    code, output = dcmtk("findscu", with_study.dicom_port, *arguments, aet="READER")

    assert code == 0, output
    assert output.count(datasets.DICOMPYLER_STUDY) == 2, "once in the question, once in the answer"


def test_a_registered_modality_may_get(with_study: OrthancServer, tmp_path: Path) -> None:
    arguments = ["-S", "-od", str(tmp_path), "-k", "QueryRetrieveLevel=STUDY", "-k", STUDY]
    code, output = dcmtk("getscu", with_study.dicom_port, *arguments, aet="READER")

    assert code == 0, output
    got = {dcmread(path).SOPInstanceUID for path in tmp_path.iterdir()}
    assert dcmread(datasets.DICOMPYLER_CT).SOPInstanceUID in got


def test_a_registered_modality_may_have_a_study_moved_to_itself(with_study: OrthancServer, reader: StorageScp) -> None:
    received = len(reader.received)
    arguments = ["-S", "-aem", "READER", "-k", "QueryRetrieveLevel=STUDY", "-k", STUDY]
    code, output = dcmtk("movescu", with_study.dicom_port, *arguments, aet="READER")

    assert code == 0, output
    uid = dcmread(datasets.DICOMPYLER_CT).SOPInstanceUID
    eventually(lambda: uid in reader.received[received:], 60, "the image has arrived")


def test_strict_mode_refuses_strangers_everything(strict: OrthancServer) -> None:
    assert dcmtk("echoscu", strict.dicom_port, aet="STRANGER")[0] != 0
    assert c_store(strict.dicom_port, datasets.DICOMPYLER_CT.read_bytes(), aet="STRANGER") != [0x0000]
    with strict.http() as client:
        assert client.get("/statistics").json()["CountInstances"] == 0


def test_strict_mode_serves_registered_modalities(strict: OrthancServer) -> None:
    code, output = dcmtk("echoscu", strict.dicom_port, aet="READER")
    assert code == 0, output
    storescu(strict.dicom_port, datasets.DICOMPYLER_CT, aet="READER")
    with strict.http() as client:
        assert client.get("/statistics").json()["CountInstances"] == 1


def test_one_association_carries_many_echoes_and_stores_whose_answers_are_sent_at_once(orthanc: OrthancServer) -> None:
    slices = [datasets.copy_of(datasets.DICOMPYLER_CT, "MANY") for _ in range(5)]
    syntax = slices[0].file_meta.TransferSyntaxUID
    ae_classes = (Verification, CTImageStorage)
    with association(orthanc.dicom_port, *ae_classes, syntax=syntax) as assoc:
        statuses = []
        for dataset in slices:
            statuses += [assoc.send_c_echo().Status, assoc.send_c_store(dataset).Status]
    assert statuses == [0x0000] * 10

    # DCMTK switches Nagle's algorithm off by its environment: else each of these answers takes 40 ms longer.
    script = r"tr '\0' '\n' < $(dirname $(grep -l -x Orthanc /proc/[0-9]*/comm))/environ"
    assert "TCP_NODELAY=1" in orthanc.run("sh", "-c", script).splitlines()
