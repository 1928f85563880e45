"""The benchmark table: ``./pacs bench``. Ratios and medians of several runs, never a test that passes or fails.

Options: ``--skip-slow`` leaves out pydicom's slowest way, ``--quick`` takes fewer runs, ``--only NAME`` one benchmark.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import bench_parse, synthetic
from benchmarks.bench_parse import Row
from benchmarks.servers import Orthanc, machine, orthanc

_RTSTRUCT_READY_S = 120.0


def c_store_of_a_ct(runs: int) -> list[Row]:
    """Our image against the same image without our plugins, in turn, so that the machine's moods hit both."""
    slices = synthetic.ct_series(300)
    with orthanc() as ours, orthanc(plugins=False) as bare, _folder(slices) as folder:
        for server in (ours, bare):
            server.store(Path(folder))
        times: dict[str, list[float]] = {"ours": [], "bare": []}
        for run in range(runs):
            turns = [("ours", ours), ("bare", bare)]
            for name, server in turns if run % 2 else reversed(turns):
                server.empty()
                times[name].append(server.store(Path(folder)))
    ours_s, bare_s = statistics.median(times["ours"]), statistics.median(times["bare"])
    result = f"{ours_s / bare_s:.2f} ({ours_s:.2f} s : {bare_s:.2f} s)"
    what = "C-STORE of a 300-slice CT, our image : bare Orthanc of the same image"
    return [Row(what, result, "≤ 1.05", f"medians of {runs}, in turn")]


def contours_after_store(runs: int) -> list[Row]:
    """From the end of a C-STORE to the extraction that is done."""
    dicom = synthetic.structure_set("moderate")
    waits: list[float] = []
    with orthanc() as server, _folder([dicom]) as folder:
        for _ in range(runs):
            server.empty()
            server.store(Path(folder))
            returned = time.perf_counter()
            _wait_until_extracted(server)
            waits.append(time.perf_counter() - returned)
    what = f"{len(dicom) / 1e6:.0f} MB RTSTRUCT: contours ready after the store returns"
    return [Row(what, f"{statistics.median(waits):.2f} s", "≤ 1 s", f"median of {runs}, worst {max(waits):.2f} s")]


def other_routes_meanwhile(runs: int) -> list[Row]:
    """Answers of small routes while the largest structure set is extracted."""
    dicom = synthetic.structure_set("large")
    latencies: list[float] = []
    with orthanc() as server:
        instance = server.post("/instances", dicom).json()["ID"]
        _wait_until_extracted(server)
        for _ in range(runs):
            over = threading.Event()
            probe = threading.Thread(target=_probe, args=(server, over, latencies))
            probe.start()
            server.post(f"/api/extractions/{instance}/retry", b"")
            _wait_until_extracted(server, interval_s=0.2)
            over.set()
            probe.join()
    p99 = statistics.quantiles(latencies, n=100)[98]
    note = f"median {_ms(statistics.median(latencies))}, worst {_ms(max(latencies))}, {len(latencies)} requests"
    return [
        Row(
            f"other routes while a {len(dicom) / 1e6:.0f} MB RTSTRUCT is extracted",
            f"p99 {_ms(p99)}",
            "p99 ≤ 50 ms",
            note,
        )
    ]


def stored_result(runs: int) -> list[Row]:
    """The route that people wait for, on a structure set of 30 ROIs."""
    with orthanc() as server:
        instance = server.post("/instances", synthetic.structure_set("moderate")).json()["ID"]
        _wait_until_extracted(server)
        summary = _repeat(lambda: server.get(f"/api/extract-rt/{instance}?contours=false"), 100 * runs)
        points = _repeat(lambda: server.get(f"/api/extract-rt/{instance}"), runs)
    what = "`/api/extract-rt` of a stored result, 30 ROIs"
    return [
        Row(
            f"{what} without contours",
            f"p50 {_ms(statistics.median(summary))}",
            "p50 ≤ 5 ms",
            f"{len(summary)} requests",
        ),
        Row(f"{what} with 0.64 M points", f"p50 {_ms(statistics.median(points))}", "–", f"{len(points)} requests"),
    ]


def upload_of_slices(runs: int) -> list[Row]:
    """The same 100 slices, one request each, by our route and by Orthanc's own."""
    slices = synthetic.ct_series(100)
    with orthanc() as server:
        times: dict[str, list[float]] = {"/api/upload": [], "/instances": []}
        for run in range(runs):
            for path in times if run % 2 else reversed(times):
                server.empty()
                started = time.perf_counter()
                for dicom in slices:
                    server.post(path, dicom)
                times[path].append(time.perf_counter() - started)
    ours_s, theirs_s = statistics.median(times["/api/upload"]), statistics.median(times["/instances"])
    what = "upload of 100 CT slices through `/api/upload` : through Orthanc's `/instances`"
    result = f"{ours_s / theirs_s:.2f} ({ours_s:.2f} s : {theirs_s:.2f} s)"
    return [Row(what, result, "≤ 1.3", f"medians of {runs}, in turn")]


def _wait_until_extracted(server: Orthanc, interval_s: float = 0.01) -> None:
    deadline = time.monotonic() + _RTSTRUCT_READY_S
    while time.monotonic() < deadline:
        items = server.get("/api/extractions").json()["items"]
        if items and all(item["state"] == "done" for item in items):
            return
        time.sleep(interval_s)
    raise TimeoutError("the structure set was not extracted in time")


def _probe(server: Orthanc, over: threading.Event, latencies: list[float]) -> None:
    # A session of its own: requests' sessions are not meant for two threads.
    other = Orthanc(server.http_port, server.dicom_port)
    other.session.auth = server.session.auth
    while not over.is_set():
        for path in ("/api/status", "/api/studies", "/system"):
            started = time.perf_counter()
            other.get(path)
            latencies.append(time.perf_counter() - started)
            time.sleep(0.005)


def _repeat(action: Callable[[], object], times: int) -> list[float]:
    measured: list[float] = []
    for _ in range(times):
        started = time.perf_counter()
        action()
        measured.append(time.perf_counter() - started)
    return measured


class _folder(tempfile.TemporaryDirectory[str]):
    """A temporary folder that holds these files."""

    def __init__(self, files: list[bytes]) -> None:
        super().__init__(prefix="pacs-bench-")
        for number, content in enumerate(files):
            (Path(self.name) / f"{number:04}.dcm").write_bytes(content)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms"


BENCHMARKS: dict[str, Callable[[int], list[Row]]] = {
    "store": c_store_of_a_ct,
    "ready": contours_after_store,
    "meanwhile": other_routes_meanwhile,
    "stored": stored_result,
    "upload": upload_of_slices,
}


def main() -> None:
    """Run the benchmarks and print their table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skip-slow", action="store_true", help="leave out pydicom's slowest way (40 s)")
    parser.add_argument("--quick", action="store_true", help="fewer runs: a first look, not a figure to publish")
    parser.add_argument("--only", choices=[*BENCHMARKS, "parse"], help="one benchmark alone")
    options = parser.parse_args()
    print(f"{machine()}, {datetime.now(UTC):%Y-%m-%d}\n")
    print("| what | result | target | how |\n|---|---|---|---|")
    for name, benchmark in BENCHMARKS.items():
        if options.only in (None, name):
            _print(benchmark(3 if options.quick else 5))
    if options.only in (None, "parse"):
        _print(bench_parse.rows(skip_slow=options.skip_slow or options.quick))


def _print(rows: list[Row]) -> None:
    for row in rows:
        print(f"| {row.what} | {row.result} | {row.target} | {row.note} |", flush=True)


if __name__ == "__main__":
    main()
