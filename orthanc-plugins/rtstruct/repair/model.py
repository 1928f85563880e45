"""What a repair says: the copy and its changes, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import Impossible


@dataclass(frozen=True)
class Change:
    """One thing that differs between the original and its copy.

    Attributes
    ----------
    code
        For programs: snake_case, stable.
    message
        For people.
    count
        How many items of the file it concerns.

    """

    code: str
    message: str
    count: int = 1


@dataclass(frozen=True)
class RepairedCopy:
    """A structure set whose references hold.

    Attributes
    ----------
    dicom
        The file.
    image_series_uid
        The series that it refers to now.
    changes
        What differs from the original; the identity of the copy apart.

    """

    dicom: bytes
    sop_instance_uid: str
    series_instance_uid: str
    original_sop_instance_uid: str
    image_series_uid: str
    changes: tuple[Change, ...]


class NothingToRepair(Exception):
    """All references of the set hold."""


class NotRepairable(Impossible):
    """No copy can be written that would be better."""
