"""GET /api/status while every peer hangs: it answers from memory."""

from __future__ import annotations

import socket
import statistics
from collections.abc import Iterator

from benchmarks.rows import Row, Runs, ms, repeat
from benchmarks.servers import TESTS_HOST, orthanc

PEERS = ("DASHBOARD", "OHIF", "DCM4CHEE", "XNAT", "PROMETHEUS", "GRAFANA")


def rows(runs: Runs) -> Iterator[Row]:
    """Six web services that take connections and never answer."""
    with socket.socket() as silent:
        silent.bind(("0.0.0.0", 0))
        silent.listen(128)
        address = f"http://{TESTS_HOST}:{silent.getsockname()[1]}/"
        peers = {f"PACS_{name}_URL": address for name in PEERS} | {"PACS_PROBE_INTERVAL_S": "1"}
        # XNAT as a destination would ask for its secrets.
        nowhere = {"forwarding.json": {"Forwarding": {"Destinations": {}}}}
        with orthanc(sections=nowhere, **peers) as server:
            seconds = repeat(lambda: server.get("/api/status"), runs.of(1000, 200))
    p50, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]
    what = f"`/api/status` while {len(PEERS)} peers hang"
    yield Row(what, f"p50 {ms(p50)}", "p50 ≤ 5 ms", f"p99 {ms(p99)}, {len(seconds)} requests")
