"""From the end of a C-STORE to the contours."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import synthetic
from benchmarks.rows import Row, Runs
from benchmarks.servers import folder_of, orthanc


def rows(runs: Runs) -> Iterator[Row]:
    """The wait for a structure set of usual size."""
    dicom = synthetic.structure_set("moderate")
    waits: list[float] = []
    with orthanc() as server, folder_of([dicom]) as folder:
        for _ in range(runs.of(5)):
            server.empty()
            server.store(Path(folder))
            returned = time.perf_counter()
            server.wait_until_extracted()
            waits.append(time.perf_counter() - returned)
    what = f"{len(dicom) / 1e6:.0f} MB RTSTRUCT: contours ready after the store returns"
    yield Row(what, f"{statistics.median(waits):.2f} s", "≤ 1 s", f"median of {len(waits)}, worst {max(waits):.2f} s")
