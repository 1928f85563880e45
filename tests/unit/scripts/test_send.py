"""What ./pacs send chooses to send and how it groups it."""

import importlib.util
import socket
import sys
from argparse import Namespace
from pathlib import Path
from types import ModuleType

import pytest
from pynetdicom import AE
from pynetdicom.sop_class import CTImageStorage

from unit.scripts.shell import ROOT


@pytest.fixture(scope="module")
def send() -> ModuleType:
    spec = importlib.util.spec_from_file_location("send", ROOT / "scripts/send.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name.
    sys.modules["send"] = module
    spec.loader.exec_module(module)
    return module


def test_dicom_files_are_found_in_all_folders_and_others_counted(send: ModuleType, tmp_path: Path) -> None:
    dicom = (ROOT / "tests/data/dicompyler/rtplan.dcm").read_bytes()
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/no-suffix").write_bytes(dicom)
    (tmp_path / "plan.dcm").write_bytes(dicom)
    (tmp_path / "empty.dcm").touch()
    (tmp_path / "letter.txt").write_text("Dear colleague")
    (tmp_path / "cut.dcm").write_bytes(dicom[:140])

    files, others = send.dicom_files(tmp_path)

    assert {file.path.name for file in files} == {"no-suffix", "plan.dcm"}
    assert {path.name for path in others} == {"empty.dcm", "letter.txt", "cut.dcm"}


def test_each_pair_of_class_and_syntax_is_offered_by_itself(send: ModuleType) -> None:
    files = [send.DicomFile(Path(f"{n}"), f"1.2.{n % 2}", f"1.3.{n % 3}") for n in range(12)]

    ((pairs, group),) = send.associations(files)

    assert len(pairs) == 6
    assert group == files


def test_more_pairs_than_an_association_holds_take_a_second_one(send: ModuleType) -> None:
    files = [send.DicomFile(Path(f"{n}"), f"1.2.{n}", "1.2.840.10008.1.2") for n in range(200)]

    groups = list(send.associations(files))

    assert [len(pairs) for pairs, _ in groups] == [128, 72]
    assert sorted(file.path for _, group in groups for file in group) == sorted(file.path for file in files)


def test_nothing_that_is_sent_waits_for_an_acknowledgement(send: ModuleType) -> None:
    modality = AE(ae_title="ORTHANC")
    modality.add_supported_context(CTImageStorage, "1.2.840.10008.1.2.1")
    server = modality.start_server(("127.0.0.1", 0), block=False)
    try:
        to = Namespace(host="127.0.0.1", port=server.server_address[1], called_aet="ORTHANC", calling_aet="PACS_SEND")
        association = send.associate([(CTImageStorage, "1.2.840.10008.1.2.1")], to)
        connection = association.dul.socket.socket
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        association.release()
    finally:
        server.shutdown()
