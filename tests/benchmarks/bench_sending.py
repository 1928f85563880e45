"""Sending by HTTP: how fast a CT leaves by STOW-RS, and de-identified to the double of XNAT, both until proven."""

from __future__ import annotations

import statistics
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import synthetic
from benchmarks.rows import Row, Runs, timed
from benchmarks.servers import orthanc
from deidentification import RESEARCH, Deidentifier
from doubles.xnat import create_server
from doubles.xnat_requests import XnatServer
from forwarding.configuration import Destination, Dicomweb, Xnat
from forwarding.model import Consignment, Sender
from forwarding.reading import read_whole
from forwarding.sending.dicomweb import DicomwebSender
from forwarding.sending.files import Files
from forwarding.sending.xnat import XnatSender
from host.workers import WorkerPool
from unit.archive_double import ArchiveDouble

_SLICES = 300
_WORKERS = 2


def rows(runs: Runs) -> Iterator[Row]:
    """Each from an archive in memory, so that reading costs nothing."""
    archive = ArchiveDouble()
    stored = [archive.store_instance(slice_).orthanc_id for slice_ in synthetic.ct_series(_SLICES)]
    study = read_whole(archive, archive.instances[stored[0]].ids["study"])
    workers = WorkerPool(_WORKERS, timeout_s=60)
    try:
        yield _by_stow(archive, workers, study, runs.of(5))
        yield _to_xnat(archive, workers, study, runs.of(5))
    finally:
        workers.stop()


def _by_stow(archive: ArchiveDouble, workers: WorkerPool, study: Consignment, times: int) -> Row:
    with tempfile.TemporaryDirectory() as folder, orthanc(plugins=False) as peer:
        endpoint = Dicomweb(peer.url("/dicom-web"), *peer.session.auth)
        sender = DicomwebSender(Files(archive, workers, Path(folder)), Destination("peer", endpoint), endpoint)
        seconds = []
        for _ in range(times):
            peer.empty()
            seconds.append(timed(lambda: _deliver(sender, study)))
    return _row("by STOW-RS to an Orthanc", study, seconds, "the peer stores")


def _to_xnat(archive: ArchiveDouble, workers: WorkerPool, study: Consignment, times: int) -> Row:
    deidentifier = Deidentifier(bytes(range(32)), RESEARCH)
    with tempfile.TemporaryDirectory() as folder, _xnat(Path(folder)) as server:
        endpoint = Xnat(server.url, "forwarder", "secret", "RESEARCH")
        files = Files(archive, workers, Path(folder), deidentifier)
        sender = XnatSender(archive, files, Destination("xnat", endpoint), endpoint)
        seconds = [timed(lambda: _deliver(sender, study)) for _ in range(times)]
    return _row("de-identified to the double of XNAT", study, seconds, f"{_WORKERS} workers de-identify")


def _deliver(sender: Sender, study: Consignment) -> None:
    sender.send(study, lambda _instances, _bytes: None, threading.Event())
    assert not sender.prove(study, threading.Event()).missing


def _row(how: str, study: Consignment, seconds: list[float], limit: str) -> Row:
    middle = statistics.median(seconds)
    result = f"{study.size_bytes / middle / 1e6:.0f} MB/s ({middle:.2f} s)"
    return Row(f"A {_SLICES}-slice CT {how}, proven", result, "—", f"median of {len(seconds)}; the limit: {limit}")


@contextmanager
def _xnat(folder: Path) -> Iterator[XnatServer]:
    server = create_server(folder)
    server.set_up("RESEARCH", "forwarder", "secret")
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
