"""The same 100 slices, one request each, by our route and by Orthanc's own."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import synthetic
from benchmarks.rows import Row, Runs, in_turn, ratio_of, timed
from benchmarks.servers import Orthanc, orthanc


def rows(runs: Runs) -> Iterator[Row]:
    """The ratio over rounds."""
    slices = synthetic.ct_series(100)
    rounds = runs.of(5)
    with orthanc() as server:
        times = in_turn(
            rounds, lambda: _upload(server, "/api/upload", slices), lambda: _upload(server, "/instances", slices)
        )
    what = "upload of 100 CT slices through `/api/upload` : through Orthanc's `/instances`"
    yield Row(what, ratio_of(times), "≤ 1.3", f"median (quartiles) of {rounds} rounds of two runs each")


def _upload(server: Orthanc, path: str, slices: list[bytes]) -> float:
    server.empty()
    return timed(lambda: [server.post(path, dicom) for dicom in slices])
