"""Which studies a selection takes."""

from __future__ import annotations

import pytest

from forwarding.configuration import Selection
from forwarding.rules import StudyFacts, selects

STUDY = StudyFacts(
    modalities=frozenset({"CT", "RTSTRUCT"}),
    calling_aets=frozenset({"CT_SCANNER_1"}),
    stations=frozenset({"SOMATOM"}),
    institution="Hôpital de Genève",
    description="Thorax RT, 4D",
    labels=frozenset({"research"}),
)


@pytest.mark.parametrize(
    ("selection", "taken"),
    [
        (Selection(), True),
        (Selection(modalities=("CT",)), True),
        (Selection(modalities=("MR", "CT")), True),
        (Selection(modalities=("MR",)), False),
        (Selection(with_structures=True), True),
        (Selection(calling_aets=("ct_scanner_*",)), True),
        (Selection(calling_aets=("CT_SCANNER",)), False),
        (Selection(stations=("SOMATO?",)), True),
        (Selection(institutions=("hopital*",)), True),
        (Selection(descriptions=("*4d",)), True),
        (Selection(descriptions=("4d",)), False),
        (Selection(descriptions=("Thorax.*",)), False),
        (Selection(labels=("research",)), True),
        (Selection(labels=("teaching",)), False),
        (Selection(modalities=("CT",), labels=("teaching",)), False),
        (Selection(modalities=("CT",), labels=("research",), with_structures=True), True),
    ],
)
def test_every_condition_has_to_hold_and_one_of_its_values_is_enough(selection: Selection, taken: bool) -> None:
    assert selects(selection, STUDY) is taken


def test_a_study_without_structures_is_not_taken_when_they_are_asked_for() -> None:
    plain = StudyFacts(frozenset({"CT"}), frozenset(), frozenset(), "", "", frozenset())
    assert not selects(Selection(with_structures=True), plain)
    assert not selects(Selection(institutions=("?*",)), plain)
