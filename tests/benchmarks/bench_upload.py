"""The same 100 slices, one request each, by our route and by Orthanc's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks import synthetic
from benchmarks.rows import Row, Runs, ratio_of, timed
from benchmarks.servers import Orthanc, orthanc

PATHS = ("/api/upload", "/instances")


def rows(runs: Runs) -> Iterator[Row]:
    """The ratio over pairs."""
    slices = synthetic.ct_series(100)
    times: list[tuple[float, float]] = []
    with orthanc() as server:
        pairs = runs.of(9)
        for pair in range(pairs):
            seconds = {}
            for path in PATHS if pair % 2 else reversed(PATHS):
                server.empty()
                seconds[path] = timed(_upload(server, path, slices))
            times.append((seconds[PATHS[0]], seconds[PATHS[1]]))
    what = "upload of 100 CT slices through `/api/upload` : through Orthanc's `/instances`"
    yield Row(what, ratio_of(times), "≤ 1.3", f"median (quartiles) of {pairs} pairs in turn")


def _upload(server: Orthanc, path: str, slices: list[bytes]) -> Callable[[], None]:
    def upload() -> None:
        for dicom in slices:
            server.post(path, dicom)

    return upload
