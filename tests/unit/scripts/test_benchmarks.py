"""./pacs bench: each benchmark is a module that is found by its name; ratios come from pairs."""

from __future__ import annotations

import argparse
import importlib

import pytest

from benchmarks import run
from benchmarks.rows import Runs, quartiles, ratio_of

ROWS_OF_THE_FOUNDATION = {"store", "ready", "meanwhile", "stored", "status", "upload", "parse"}


def test_the_rows_of_the_table_are_there() -> None:
    assert set(run.names()) >= ROWS_OF_THE_FOUNDATION
    assert run.names()[0] == "store"


@pytest.mark.parametrize("name", run.names())
def test_each_benchmark_has_rows_and_says_what_it_measures(name: str) -> None:
    module = importlib.import_module(f"benchmarks.bench_{name}")

    assert callable(module.rows)
    assert module.__doc__


def test_benchmarks_are_chosen_by_name() -> None:
    assert run.chosen("status, store") == ["status", "store"]
    for text in ("nonsense", "", "store,nonsense"):
        with pytest.raises(argparse.ArgumentTypeError, match="choose among"):
            run.chosen(text)


def test_a_ratio_is_the_median_of_the_pairs_with_its_quartiles() -> None:
    # One slow moment of the machine, in one pair: the median does not mind.
    assert ratio_of([(1.0, 1.0), (2.2, 2.0), (9.0, 1.0)]) == "1.10 (1.05–5.05; 2.20 s : 1.00 s)"
    assert quartiles([3.0]) == (3.0, 3.0, 3.0)


def test_quick_takes_fewer_runs() -> None:
    assert (Runs().of(15), Runs(quick=True).of(15), Runs(quick=True).of(2)) == (15, 3, 2)
