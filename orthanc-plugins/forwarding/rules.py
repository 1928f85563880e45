"""Which studies go to a destination by themselves."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from forwarding.configuration import Selection
from store.folding import fold

RTSTRUCT = "RTSTRUCT"


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """What conditions ask about a study."""

    modalities: frozenset[str]
    calling_aets: frozenset[str]
    stations: frozenset[str]
    institution: str
    description: str
    labels: frozenset[str]


def selects(selection: Selection, study: StudyFacts) -> bool:
    """Whether every condition of a selection holds for a study; of several values one is enough."""
    asked = (
        (selection.modalities, study.modalities),
        (selection.calling_aets, study.calling_aets),
        (selection.stations, study.stations),
        (selection.institutions, (study.institution,)),
        (selection.descriptions, (study.description,)),
        (selection.labels, study.labels),
    )
    if selection.with_structures and RTSTRUCT not in study.modalities:
        return False
    return all(_matches(patterns, values) for patterns, values in asked if patterns)


def _matches(patterns: Collection[str], values: Collection[str]) -> bool:
    return any(_expression(pattern).fullmatch(fold(value)) for pattern in patterns for value in values)


def _expression(pattern: str) -> re.Pattern[str]:
    """As in DICOM (PS3.4, C.2.2.2.4): the whole value, ``*`` any characters, ``?`` one; accents and case are alike."""
    return re.compile(re.escape(fold(pattern)).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)
