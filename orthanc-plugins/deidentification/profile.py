"""What a profile of de-identification is made of: options of PS3.15, Annex E, and what is let through besides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from pydicom.sr.coding import Code


class Option(StrEnum):
    """What a profile may add to the Basic Application Level Confidentiality Profile, by the name it has in a file."""

    CLEAN_DESCRIPTORS = "clean_descriptors"
    CLEAN_STRUCTURE_NAMES = "clean_structure_names"
    RETAIN_MODIFIED_DATES = "retain_longitudinal_dates_shifted"
    RETAIN_FULL_DATES = "retain_longitudinal_dates_full"
    RETAIN_UIDS = "retain_uids"
    RETAIN_PATIENT_CHARACTERISTICS = "retain_patient_characteristics"
    RETAIN_DEVICE_IDENTITY = "retain_device_identity"
    RETAIN_INSTITUTION_IDENTITY = "retain_institution_identity"
    KEEP_BURNED_IN = "keep_burned_in"
    KEEP_RECOGNIZABLE = "keep_recognizable_features"
    KEEP_SECONDARY_CAPTURES = "keep_secondary_captures"
    KEEP_ULTRASOUND = "keep_ultrasound"
    KEEP_VISIBLE_LIGHT = "keep_visible_light"


#: The codes of CID 7050 (PS3.16). Structure names alone are no option of the standard: they have no code.
BASIC_PROFILE = Code("113100", "DCM", "Basic Application Confidentiality Profile")
CODES: dict[Option, Code] = {
    Option.CLEAN_DESCRIPTORS: Code("113105", "DCM", "Clean Descriptors Option"),
    Option.RETAIN_FULL_DATES: Code(
        "113106", "DCM", "Retain Longitudinal Temporal Information Full Dates Option"
    ),
    Option.RETAIN_MODIFIED_DATES: Code(
        "113107", "DCM", "Retain Longitudinal Temporal Information Modified Dates Option"
    ),
    Option.RETAIN_PATIENT_CHARACTERISTICS: Code("113108", "DCM", "Retain Patient Characteristics Option"),
    Option.RETAIN_DEVICE_IDENTITY: Code("113109", "DCM", "Retain Device Identity Option"),
    Option.RETAIN_UIDS: Code("113110", "DCM", "Retain UIDs Option"),
    Option.RETAIN_INSTITUTION_IDENTITY: Code("113112", "DCM", "Retain Institution Identity Option"),
}  # fmt: skip


class UnknownOption(ValueError):
    """A profile names an option that there is not, or two that exclude each other; the message names the remedy."""


@dataclass(frozen=True)
class Profile:
    """The Basic Application Level Confidentiality Profile with options.

    Attributes
    ----------
    options
        What is retained, cleaned or let through.
    structure_names
        Names of structures that survive whatever words they hold, besides those of TG-263.
    """

    options: frozenset[Option] = frozenset()
    structure_names: frozenset[str] = field(default=frozenset())

    def __post_init__(self) -> None:
        if {Option.RETAIN_FULL_DATES, Option.RETAIN_MODIFIED_DATES} <= self.options:
            raise UnknownOption(
                f"{Option.RETAIN_FULL_DATES} and {Option.RETAIN_MODIFIED_DATES} exclude each other: name one of them."
            )

    @staticmethod
    def named(options: Iterable[str], structure_names: Iterable[str] = ()) -> Profile:
        """A profile from the names of its options.

        Raises
        ------
        UnknownOption
            If there is no option of that name, or two exclude each other.
        """
        known = {option.value: option for option in Option}
        chosen = set()
        for name in options:
            if name not in known:
                raise UnknownOption(f"There is no option {name!r} of de-identification; there are {', '.join(known)}.")
            chosen.add(known[name])
        return Profile(frozenset(chosen), frozenset(structure_names))


#: What the stack sends to research: useful for radiotherapy, and the patient is not in it.
RESEARCH = Profile(
    frozenset({
        Option.RETAIN_MODIFIED_DATES, Option.CLEAN_STRUCTURE_NAMES, Option.CLEAN_DESCRIPTORS,
        Option.RETAIN_PATIENT_CHARACTERISTICS,
    })
)  # fmt: skip
