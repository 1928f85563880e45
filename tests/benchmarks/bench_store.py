"""C-STORE of a CT: our image against the same image without our plugins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks import synthetic
from benchmarks.rows import Row, Runs, in_turn, ratio_of
from benchmarks.servers import folder_of, orthanc


def rows(runs: Runs) -> Iterator[Row]:
    """The ratio over pairs of new servers, of which each is made first as often as the other.

    So a difference between two servers that is not the plugins' (which was made first, where a database lies) counts
    for no more than two rounds.
    """
    pairs = runs.of(8, quick=2)
    times: list[tuple[float, float]] = []
    with folder_of(synthetic.ct_series(300)) as folder:
        for pair in range(pairs):
            times += _rounds(Path(folder), ours_first=pair % 2 == 0)
    what = "C-STORE of a 300-slice CT, our image : bare Orthanc of the same image"
    how = f"median (quartiles) of {len(times)} rounds of two runs each, on {pairs} pairs of new servers"
    yield Row(what, ratio_of(times), "≤ 1.05", how)


def _rounds(folder: Path, ours_first: bool) -> list[tuple[float, float]]:
    """Two rounds on two new servers: the seconds of ours, of bare Orthanc."""
    with orthanc(plugins=ours_first) as first, orthanc(plugins=not ours_first) as second:
        for server in (first, second):
            server.store(folder)
        times = in_turn(2, lambda: first.store_anew(folder), lambda: second.store_anew(folder))
    return times if ours_first else [(ours, bare) for bare, ours in times]
