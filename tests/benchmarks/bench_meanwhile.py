"""Answers of small routes while the largest structure set is extracted."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator

from benchmarks import synthetic
from benchmarks.rows import Row, Runs, ms, timed
from benchmarks.servers import Orthanc, orthanc

PATHS = ("/api/status", "/api/studies", "/system")


def rows(runs: Runs) -> Iterator[Row]:
    """The latencies of three routes, asked in turn."""
    dicom = synthetic.structure_set("large")
    latencies: list[float] = []
    with orthanc() as server:
        instance = server.post("/instances", dicom).json()["ID"]
        server.wait_until_extracted()
        for _ in range(runs.of(5)):
            over = threading.Event()
            probe = threading.Thread(target=_probe, args=(server.another_client(), over, latencies))
            probe.start()
            server.post(f"/api/extractions/{instance}/retry", b"")
            server.wait_until_extracted(interval_s=0.2)
            over.set()
            probe.join()
    p99 = statistics.quantiles(latencies, n=100)[98]
    note = f"median {ms(statistics.median(latencies))}, worst {ms(max(latencies))}, {len(latencies)} requests"
    what = f"other routes while a {len(dicom) / 1e6:.0f} MB RTSTRUCT is extracted"
    yield Row(what, f"p99 {ms(p99)}", "p99 ≤ 50 ms", note)


def _probe(client: Orthanc, over: threading.Event, latencies: list[float]) -> None:
    while not over.is_set():
        for path in PATHS:
            latencies.append(timed(lambda path=path: client.get(path)))  # type: ignore[misc]
            time.sleep(0.005)
