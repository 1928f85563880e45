"""How time grows with points: ``python tests/benchmarks/growth.py docs/images/growth.png`` measures and draws.

From 10⁴ to 10⁷ points, each size in a process of its own; the dashed line is what linear growth would be.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "orthanc-plugins"), str(ROOT / "tests")]

POINTS = (10_000, 31_600, 100_000, 316_000, 1_000_000, 3_160_000, 10_000_000)
#: Points of one contour, and contours of one structure.
_CONTOUR, _PLANES = 400, 100
STEPS = {"read": "read", "analyse": "measure", "pack": "pack for storage"}


def synthetic(points: int) -> bytes:
    """A structure set of about so many points, in circles of 400 on up to 100 planes a structure."""
    from unit.rtstruct.shapes import circle, made_file, roi_contour

    contours = max(points // _CONTOUR, 1)
    texts = [
        "\\".join(f"{value:.2f}" for value in circle(20 + plane / 7, 2.5 * plane, _CONTOUR).ravel())
        for plane in range(min(contours, _PLANES))
    ]
    structures = [texts[: contours - first] for first in range(0, contours, _PLANES)]
    return made_file([roi_contour(number, *each) for number, each in enumerate(structures, start=1)])


def measure(path: Path) -> dict[str, float]:
    """Seconds of each step, in this process."""
    from rtstruct import analyse, pack_contours, read

    data = path.read_bytes()
    # The first of all pays for what is imported late.
    warm = read((path.parent / "small.dcm").read_bytes())
    pack_contours(warm, [analyse(structure) for structure in warm.structures])
    moments = [time.process_time()]

    def step(action: Callable[[], object]) -> object:
        made = action()
        moments.append(time.process_time())
        return made

    found = step(lambda: read(data))
    analyses = step(lambda: [analyse(structure) for structure in found.structures])  # type: ignore[attr-defined]
    step(lambda: pack_contours(found, analyses))  # type: ignore[arg-type]
    return dict(zip(STEPS, np.diff(moments).tolist(), strict=True))


def measured(runs: int) -> dict[int, dict[str, float]]:
    """The median seconds of each step for each number of points."""
    found = {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "small.dcm").write_bytes(synthetic(POINTS[0]))
        for points in POINTS:
            path = folder / f"{points}.dcm"
            path.write_bytes(synthetic(points))
            command = [sys.executable, __file__, "--one", str(path)]
            told = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(runs)]
            found[points] = {step: median(each[step] for each in told) for step in STEPS}
            print(points, {step: round(seconds, 4) for step, seconds in found[points].items()}, flush=True)
            path.unlink()
    return found


def draw(found: dict[int, dict[str, float]], path: Path) -> None:
    """A plot with logarithmic axes."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    points = np.array(list(found))
    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    for step, label in STEPS.items():
        axes.loglog(points, [found[each][step] for each in found], marker="o", label=label)
    total = np.array([sum(each.values()) for each in found.values()])
    axes.loglog(points, total, marker="o", color="black", label="all three")
    axes.loglog(points, total[-1] * points / points[-1], linestyle="--", color="grey", label="linear")
    axes.set_xlabel("points of all contours")
    axes.set_ylabel("processor time, s")
    slope = np.polyfit(np.log(points[2:]), np.log(total[2:]), 1)[0]
    axes.set_title(f"Time grows with points to the power of {slope:.2f} (from 100,000 on)")
    axes.grid(True, which="both", alpha=0.2)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Measure and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("png", nargs="?", type=Path, default=ROOT / "docs" / "images" / "growth.png")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one)))
        return
    draw(measured(options.runs), options.png)


if __name__ == "__main__":
    main()
