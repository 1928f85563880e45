"""How fast RT Structure Sets are read, beside pydicom: ``python tests/benchmarks/bench_parse.py [--skip-slow]``.

Every run has a process of its own, so that memory peaks are those of one reader, imports taken off.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "orthanc-plugins"), str(ROOT / "tests")]

from benchmarks.rows import Row, Runs  # noqa: E402

RUNS = 5


@dataclass(frozen=True)
class Measured:
    """Seconds, and MB above what the process held before: the input and the imports."""

    seconds: float
    peak_mb: float


def _read(data: bytes) -> object:
    from rtstruct import read

    return read(data)


def _read_analyse_pack(data: bytes) -> object:
    from rtstruct import analyse, pack_contours, read

    found = read(data)
    return pack_contours(found, [analyse(structure) for structure in found.structures])


def _pydicom(data: bytes) -> object:
    from io import BytesIO

    from pydicom import dcmread

    return [contour.ContourData for roi in dcmread(BytesIO(data)).ROIContourSequence for contour in roi.ContourSequence]


def _pydicom_numpy(data: bytes) -> object:
    from pydicom import config

    config.use_DS_numpy = True
    return _pydicom(data)


WAYS: dict[str, Callable[[bytes], object]] = {
    "read": _read,
    "read_analyse_pack": _read_analyse_pack,
    "pydicom": _pydicom,
    "pydicom_numpy": _pydicom_numpy,
}


def _peak_mb() -> float:
    # Not getrusage: its ru_maxrss starts at the peak of the process that started this one.
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def _run_here(way: str, path: Path) -> Measured:
    """What the process of its own does."""
    import pydicom

    import rtstruct
    from host.workers import keep_freed_memory

    assert pydicom and rtstruct
    # As every worker of the product does.
    keep_freed_memory()
    data = path.read_bytes()
    before = _peak_mb()
    start = time.perf_counter()
    kept = WAYS[way](data)
    seconds = time.perf_counter() - start
    assert kept
    return Measured(seconds, _peak_mb() - before)


def _measure(way: str, path: Path, runs: int = RUNS) -> Measured:
    command = [sys.executable, __file__, "--one", way, str(path)]
    found = []
    for _ in range(runs):
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found.append(Measured(**json.loads(output)))
    return Measured(median(each.seconds for each in found), max(each.peak_mb for each in found))


def rows(runs: Runs) -> list[Row]:
    """Measure everything; ``skip_slow`` leaves out pydicom's DS objects, which take most of a minute and 5 GB."""
    from benchmarks.synthetic import structure_set

    with TemporaryDirectory() as folder:
        moderate, large = Path(folder) / "moderate.dcm", Path(folder) / "large.dcm"
        moderate.write_bytes(structure_set("moderate"))
        large.write_bytes(structure_set("large"))
        size = f"{large.stat().st_size / 1e6:.1f} MB, 60 ROIs, 9,000 contours, 3.7 million points"
        found = [
            _row("Read RTSTRUCT, large", _measure("read", large), "≤ 0.35 s, ≤ 250 MB", size),
            _row(
                "Read RTSTRUCT, large: pydicom, use_DS_numpy",
                _measure("pydicom_numpy", large, runs=1),
                "",
                "peer, n = 1",
            ),
        ]
        if not runs.skip_slow:
            slow = _measure("pydicom", large, runs=1)
            found.append(_row("Read RTSTRUCT, large: pydicom, DS", slow, "", "peer, n = 1"))
        whole = {"moderate": (moderate, "≤ 0.5 s"), "large": (large, "≤ 1.5 s")}
        for name, (path, target) in whole.items():
            measured = _measure("read_analyse_pack", path)
            found.append(_row(f"Read, analyse and pack, {name}", measured, target, f"median of {RUNS}"))
    return found


def _row(what: str, measured: Measured, target: str, note: str) -> Row:
    return Row(what, f"{measured.seconds:.2f} s, {measured.peak_mb:.0f} MB above the input", target, note)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skip-slow", action="store_true", help="leave out pydicom's DS objects (40 s, 5 GB)")
    parser.add_argument("--one", nargs=2, metavar=("WAY", "FILE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        measured = _run_here(arguments.one[0], Path(arguments.one[1]))
        print(json.dumps(vars(measured)))
        return
    print("| what | result | target | note |\n|---|---|---|---|")
    for row in rows(Runs(skip_slow=arguments.skip_slow)):
        print(f"| {row.what} | {row.result} | {row.target} | {row.note} |")


if __name__ == "__main__":
    main()
