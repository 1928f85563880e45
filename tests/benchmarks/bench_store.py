"""C-STORE of a CT: our image against the same image without our plugins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks import synthetic
from benchmarks.rows import Row, Runs, in_turn, ratio_of
from benchmarks.servers import folder_of, orthanc


def rows(runs: Runs) -> Iterator[Row]:
    """The ratio over rounds of sends to each server."""
    slices = synthetic.ct_series(300)
    with orthanc() as ours, orthanc(plugins=False) as bare, folder_of(slices) as folder:
        for server in (ours, bare):
            server.store(Path(folder))
        rounds = runs.of(16)
        times = in_turn(rounds, lambda: ours.store_anew(Path(folder)), lambda: bare.store_anew(Path(folder)))
    what = "C-STORE of a 300-slice CT, our image : bare Orthanc of the same image"
    yield Row(what, ratio_of(times), "≤ 1.05", f"median (quartiles) of {rounds} rounds of two runs each")
