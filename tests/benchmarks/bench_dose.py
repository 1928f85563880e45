"""How fast doses are read and dose-volume histograms are computed: a real plan, and a structure of many points.

``python tests/benchmarks/bench_dose.py`` prints its rows alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "orthanc-plugins"), str(ROOT / "tests")]

from benchmarks.rows import Row, Runs, ms, repeat  # noqa: E402

_FOLDER = ROOT / "tests" / "data" / "dicompyler"
_TARGET = "≤ 50 ms"


def rows(runs: Runs) -> Iterator[Row]:
    """Read the dose, then a histogram of each structure of the plan, and of the largest one of a large set."""
    from benchmarks.synthetic import structure_set
    from rtstruct import read
    from rtstruct.doses import read_dose
    from rtstruct.dvh import dvh_of

    times = runs.of(21, 5)
    data = (_FOLDER / "rtdose.dcm").read_bytes()
    how = f"median of {times}, in one process"
    yield Row("Read RTDOSE, 2.5 million voxels", ms(median(repeat(lambda: read_dose(data), times))), "", how)
    dose = read_dose(data)
    plan = [each for each in read((_FOLDER / "rtss.dcm").read_bytes()).structures if each.contours]
    taken = {each.name: median(repeat(lambda each=each: dvh_of(each, dose), times)) for each in plan}  # type: ignore[misc]
    slowest = max(taken, key=lambda name: taken[name])
    lung = next(each for each in plan if each.name == "Lt Lung")
    points = sum(len(contour.points_mm) for contour in lung.contours)
    yield Row(f"DVH of the left lung, {points:,} points", ms(taken["Lt Lung"]), _TARGET, how)
    yield Row(f"DVH, the slowest of nine structures ({slowest})", ms(taken[slowest]), _TARGET, how)
    large = max(read(structure_set("large")).structures, key=lambda each: sum(len(c.points_mm) for c in each.contours))
    points = sum(len(contour.points_mm) for contour in large.contours)
    seconds = median(repeat(lambda: dvh_of(large, dose), times))
    yield Row(f"DVH of a structure of {points:,} points", ms(seconds), _TARGET, how)


if __name__ == "__main__":
    for row in rows(Runs()):
        print(f"| {row.what} | {row.result} | {row.target} | {row.note} |")
