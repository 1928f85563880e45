"""A few thousand of the damaged files of ``python -m fuzz``: each is read, or refused with a reason."""

from __future__ import annotations

import json
import random

import pytest

from extraction.engine import UnreadableStructureSet, extract
from fuzz.mutations import mutation, originals


@pytest.mark.parametrize("first", range(0, 1500, 500))
def test_damaged_files_are_read_or_refused(first: int) -> None:
    outcomes = {"read": 0, "refused": 0}
    for number in range(first, first + 500):
        # Real files are a hundred times larger, and have tests of their own.
        if number % 50 == 49:
            continue
        try:
            json.loads(extract(mutation(number)).summary)
            outcomes["read"] += 1
        except UnreadableStructureSet as error:
            assert "Secret" not in str(error)
            assert "SECRET" not in str(error)
            outcomes["refused"] += 1
    # Neither does all damage go unnoticed, nor does any damage end the reading.
    assert min(outcomes.values()) > 50


def test_a_mutation_is_the_same_whenever_it_is_made() -> None:
    random.seed(1)
    first = mutation(123)
    random.seed(2)
    assert mutation(123) == first
    assert len({mutation(number) for number in range(50)}) == 50


def test_what_the_mutations_start_from_is_sound() -> None:
    for data in set(originals()):
        assert json.loads(extract(data).summary)["structures"]
