"""What every benchmark is: a module ``bench_NAME.py`` of this folder with ``rows(runs: Runs) -> Iterable[Row]``.

``./pacs bench`` finds it by its name and prints its rows; nothing is to be registered.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    result: str
    target: str
    note: str


@dataclass(frozen=True)
class Runs:
    """How much to measure: ``quick`` gives a first look, no figure to publish; ``skip_slow`` leaves out slow peers."""

    quick: bool = False
    skip_slow: bool = False

    def of(self, full: int, quick: int = 3) -> int:
        """How often to repeat what a full table repeats ``full`` times."""
        return min(full, quick) if self.quick else full


def timed(action: Callable[[], object]) -> float:
    """The seconds that it takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def repeat(action: Callable[[], object], times: int) -> list[float]:
    """The seconds that each of so many calls takes."""
    return [timed(action) for _ in range(times)]


def in_turn(rounds: int, ours: Callable[[], float], theirs: Callable[[], float]) -> list[tuple[float, float]]:
    """The mean seconds of both in so many rounds of two runs each: ours, theirs, theirs, ours.

    So what comes second, while the machine still writes what the first one stored, is each of them once.
    """
    times = []
    for _ in range(rounds):
        first, theirs_s, last = ours(), theirs() + theirs(), ours()
        times.append(((first + last) / 2, theirs_s / 2))
    return times


def ratio_of(times: Sequence[tuple[float, float]]) -> str:
    """``1.03 (1.01–1.06; 2.31 s : 2.25 s)``."""
    ratios = [ours / theirs for ours, theirs in times]
    low, middle, high = quartiles(ratios)
    ours_s, theirs_s = (statistics.median(side) for side in zip(*times, strict=True))
    return f"{middle:.2f} ({low:.2f}–{high:.2f}; {ours_s:.2f} s : {theirs_s:.2f} s)"


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """The first quartile, the median and the third quartile."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def ms(seconds: float) -> str:
    """``3.7 ms``."""
    return f"{1000 * seconds:.1f} ms"
