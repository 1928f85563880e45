"""C-STORE of a CT: our image against the same image without our plugins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks import synthetic
from benchmarks.rows import Row, Runs, ratio_of
from benchmarks.servers import folder_of, orthanc


def rows(runs: Runs) -> Iterator[Row]:
    """The ratio over pairs of sends, one to each server."""
    slices = synthetic.ct_series(300)
    with orthanc() as ours, orthanc(plugins=False) as bare, folder_of(slices) as folder:
        for server in (ours, bare):
            server.store(Path(folder))
        times: list[tuple[float, float]] = []
        pairs = runs.of(15)
        for pair in range(pairs):
            seconds = {}
            for server in (ours, bare) if pair % 2 else (bare, ours):
                server.empty()
                seconds[server.http_port] = server.store(Path(folder))
            times.append((seconds[ours.http_port], seconds[bare.http_port]))
    what = "C-STORE of a 300-slice CT, our image : bare Orthanc of the same image"
    yield Row(what, ratio_of(times), "≤ 1.05", f"median (quartiles) of {pairs} pairs in turn")
