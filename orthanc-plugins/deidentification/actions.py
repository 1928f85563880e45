"""Which attribute is treated how: Table E.1-1 of PS3.15 (edition 2026c), held in actions.csv."""

from __future__ import annotations

import csv
from enum import Enum
from functools import cache
from pathlib import Path
from types import MappingProxyType

from pydicom.datadict import dictionary_has_tag, dictionary_VR

from .dictionary import tags_of
from .profile import Option, Profile

_TABLE = Path(__file__).parent / "actions.csv"


class Action(Enum):
    """What happens to an attribute that is there; none is ever added."""

    REMOVE = "X"
    EMPTY = "Z"
    DUMMY = "D"
    UID = "U"
    KEEP = "K"
    CLEAN = "C"
    CLEAN_NAME = "name of a structure"


#: Where the table leaves a choice by the attribute's type in its IOD (1, 2 or 3), the first that suits every type:
#: what was there stays conformant without looking up 150 IODs. A sequence of references keeps its whole (U*).
_BASIC = {
    "X": Action.REMOVE, "Z": Action.EMPTY, "D": Action.DUMMY, "U": Action.UID, "X/Z": Action.EMPTY,
    "X/D": Action.DUMMY, "Z/D": Action.DUMMY, "X/Z/D": Action.DUMMY, "X/Z/U*": Action.UID,
}  # fmt: skip

#: Columns of the table by option.
_COLUMNS = {
    Option.CLEAN_DESCRIPTORS: "clean_descriptors",
    Option.RETAIN_MODIFIED_DATES: "retain_modified_dates",
    Option.RETAIN_FULL_DATES: "retain_full_dates",
    Option.RETAIN_UIDS: "retain_uids",
    Option.RETAIN_PATIENT_CHARACTERISTICS: "retain_patient_characteristics",
    Option.RETAIN_DEVICE_IDENTITY: "retain_device_identity",
    Option.RETAIN_INSTITUTION_IDENTITY: "retain_institution_identity",
}

#: Narrative text: no list of words can tell what a person wrote into it, so that cleaning is removing.
NARRATIVE = frozenset({"LT", "ST", "UT"})

_STRUCTURE_NAMES = tags_of("StructureSetLabel", "StructureSetName", "ROIName", "ROIObservationLabel")


@cache
def actions(profile: Profile) -> MappingProxyType[int, Action]:
    """The action for each tag of the table under a profile."""
    columns = [_COLUMNS[option] for option in profile.options if option in _COLUMNS]
    found: dict[int, Action] = {}
    with _TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            tag = int(row["tag"], 16)
            said = {row[column] for column in columns if not (column == "clean_descriptors" and _is_narrative(tag))}
            found[tag] = Action.KEEP if "K" in said else Action.CLEAN if "C" in said else _BASIC[row["basic"]]
    if Option.CLEAN_STRUCTURE_NAMES in profile.options:
        found |= dict.fromkeys(_STRUCTURE_NAMES, Action.CLEAN_NAME)
    return MappingProxyType(found)


def _is_narrative(tag: int) -> bool:
    return dictionary_has_tag(tag) and dictionary_VR(tag) in NARRATIVE
