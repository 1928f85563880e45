"""The benchmark table: ``./pacs bench``. Ratios and medians of several runs, never a test that passes or fails.

Every module ``bench_NAME.py`` beside this one is a benchmark (see ``rows.py``); ``--only NAME,NAME`` chooses.
``./pacs bench --with-plastimatch`` runs in an image that has this peer too.
"""

from __future__ import annotations

import argparse
import importlib
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.rows import Runs
from benchmarks.servers import machine

#: The order of the table; what is not named here comes after, by name.
ORDER = ("store", "ready", "meanwhile", "stored", "status", "upload", "forwarding", "parse")


def names() -> list[str]:
    """Every benchmark there is, in the order of the table."""
    found = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))
    return sorted(found, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


def chosen(text: str) -> list[str]:
    """The benchmarks of a list with commas."""
    known = names()
    wanted = [name.strip() for name in text.split(",") if name.strip()]
    strange = [name for name in wanted if name not in known]
    if strange or not wanted:
        raise argparse.ArgumentTypeError(f"{', '.join(strange) or text!r}: choose among {', '.join(known)}")
    return wanted


def main() -> None:
    """Run the benchmarks and print their table as Markdown."""
    parser = argparse.ArgumentParser(prog="./pacs bench", description=__doc__)
    parser.add_argument("--skip-slow", action="store_true", help="leave out pydicom's slowest way (40 s)")
    parser.add_argument("--quick", action="store_true", help="fewer runs: a first look, not a figure to publish")
    parser.add_argument("--only", type=chosen, default=names(), metavar="NAME[,NAME]", help=", ".join(names()))
    options = parser.parse_args()
    runs = Runs(quick=options.quick, skip_slow=options.skip_slow or options.quick)
    print(f"{machine()}, {datetime.now(UTC):%Y-%m-%d}\n")
    print("| what | result | target | how |\n|---|---|---|---|")
    for name in options.only:
        for row in importlib.import_module(f"benchmarks.bench_{name}").rows(runs):
            print(f"| {row.what} | {row.result} | {row.target} | {row.note} |", flush=True)


if __name__ == "__main__":
    main()
