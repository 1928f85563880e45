"""The route that people wait for, of a result that is stored."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks import synthetic
from benchmarks.rows import Row, Runs, ms, repeat
from benchmarks.servers import orthanc


def rows(runs: Runs) -> Iterator[Row]:
    """A structure set of 30 ROIs, without its contours and with them."""
    with orthanc() as server:
        instance = server.post("/instances", synthetic.structure_set("moderate")).json()["ID"]
        server.wait_until_extracted()
        summary = repeat(lambda: server.get(f"/api/extract-rt/{instance}?contours=false"), runs.of(500, 100))
        points = repeat(lambda: server.get(f"/api/extract-rt/{instance}"), runs.of(5))
    what = "`/api/extract-rt` of a stored result, 30 ROIs"
    for wanted, seconds, target in (("without contours", summary, "p50 ≤ 5 ms"), ("with 0.64 M points", points, "–")):
        yield Row(f"{what} {wanted}", f"p50 {ms(statistics.median(seconds))}", target, f"{len(seconds)} requests")
