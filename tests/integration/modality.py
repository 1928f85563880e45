"""Modalities, as hospitals have them: dcmtk's command-line tools, and pynetdicom."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import AE, AllStoragePresentationContexts, build_context, evt
from pynetdicom.association import Association
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

from integration.containers import HOST

QUERIES = (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)


def dcmtk(tool: str, port: int, *arguments: str, aet: str = "STRANGER", called: str = "ORTHANC") -> tuple[int, str]:
    """Run one of dcmtk's SCUs against the server: exit code and what it printed."""
    done = subprocess.run(
        # By its path: pynetdicom brings scripts of the same names, which take a minute for 76 MB.
        [f"/usr/bin/{tool}", "-v", "-aet", aet, "-aec", called, *_address(tool, port, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
    )
    return done.returncode, done.stdout.decode("utf-8", "replace")


def _address(tool: str, port: int, arguments: tuple[str, ...]) -> list[str]:
    # storescu names its files after the peer, the others their options before it.
    peer = [HOST, str(port)]
    return [*peer, *arguments] if tool == "storescu" else [*arguments, *peer]


def storescu(port: int, *files: Path, aet: str = "STRANGER", called: str = "ORTHANC") -> None:
    """C-STORE files with dcmtk, or fail with what it said."""
    code, output = dcmtk("storescu", port, *(str(file) for file in files), aet=aet, called=called)
    assert code == 0, output


@contextmanager
def association(
    port: int, *sop_classes: UID, aet: str = "STRANGER", called: str = "ORTHANC", syntax: UID | None = None
) -> Iterator[Association]:
    """A pynetdicom association, established or not."""
    ae = AE(ae_title=aet)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 60
    for sop_class in sop_classes or (Verification,):
        ae.add_requested_context(sop_class, *([syntax] if syntax else []))
    assoc = ae.associate(HOST, port, ae_title=called)
    try:
        yield assoc
    finally:
        if assoc.is_established:
            assoc.release()


def c_store(port: int, *files: bytes, aet: str = "STRANGER", called: str = "ORTHANC") -> list[int | None]:
    """C-STORE with pynetdicom: the status of each, None where the peer did not take it."""
    statuses: list[int | None] = []
    for content in files:
        dataset = dcmread(BytesIO(content))
        syntax = dataset.file_meta.TransferSyntaxUID
        with association(port, dataset.SOPClassUID, aet=aet, called=called, syntax=syntax) as assoc:
            status = assoc.send_c_store(dataset) if assoc.is_established else Dataset()
            statuses.append(status.get("Status"))
    return statuses


class StorageScp:
    """A modality that answers C-ECHO and takes what is sent to it."""

    def __init__(self, aet: str) -> None:
        self.received: list[str] = []
        ae = AE(ae_title=aet)
        ae.supported_contexts = [build_context(Verification), *AllStoragePresentationContexts]
        self._server = ae.start_server(("0.0.0.0", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, self._store)])
        self.port: int = self._server.socket.getsockname()[1]

    def stop(self) -> None:
        self._server.shutdown()

    def _store(self, event: evt.Event) -> int:
        self.received.append(str(event.request.AffectedSOPInstanceUID))
        return 0x0000
