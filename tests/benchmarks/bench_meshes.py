"""How fast surfaces of 60 structures are made, and two structures compared: ``./pacs bench --only meshes``.

Alone: ``PYTHONPATH=tests:orthanc-plugins python tests/benchmarks/bench_meshes.py``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "orthanc-plugins"), str(ROOT / "tests")]

from benchmarks.rows import Row, Runs, repeat  # noqa: E402
from benchmarks.synthetic import structure_set  # noqa: E402

SARCOMA = ROOT / "tests" / "data" / "sts" / "STS_001"


def rows(runs: Runs) -> Iterator[Row]:
    """From the file's bytes to the file that leaves, in one process."""
    from meshes.engine import Asked, scene, single_mesh
    from rtstruct import read
    from rtstruct.comparison import compare

    large = structure_set("large")
    numbers = tuple(range(1, 61))
    # The first call imports scikit-image and scipy.
    single_mesh(large, Asked((1,)), "stl")
    times = runs.of(5)
    for what, asked, target in (
        ("Meshes of 60 structures × 150 planes, GLB for a browser", Asked(numbers), "≤ 5 s"),
        ("The same, all triangles", Asked(numbers, triangles=0), ""),
    ):
        answer = scene(large, asked)
        note = f"{int(answer.headers['X-Triangles']):,} triangles, {len(answer.body) / 1e6:.0f} MB; median of {times}"
        seconds = median(repeat(lambda asked=asked: scene(large, asked), times))  # type: ignore[misc]
        yield Row(what, f"{seconds:.2f} s", target, f"reading 76 MB included; {note}")
    ct, mr = (read((SARCOMA / kind / "mask" / "RS.dcm").read_bytes()).structures[0] for kind in ("CT", "MR_T1"))
    seconds = median(repeat(lambda: compare(ct, mr), times))
    yield Row("Compare two structures, STS_001, CT and MR", f"{seconds:.2f} s", "", f"median of {times}")


def main() -> None:
    """Print a Markdown table."""
    print("| what | result | target | note |\n|---|---|---|---|")
    for row in rows(Runs()):
        print(f"| {row.what} | {row.result} | {row.target} | {row.note} |")


if __name__ == "__main__":
    main()
