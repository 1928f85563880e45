"""Why something cannot be read, or made; no error ever carries a patient's name or identifier."""

from __future__ import annotations


class StructureSetError(Exception):
    """What `read` raises; see the two classes below."""


class NotAStructureSet(StructureSetError):
    """The bytes are DICOM, but not of the SOP class RT Structure Set Storage.

    Attributes
    ----------
    modality, sop_class_uid
        What the dataset says it is, None where it does not say.

    """

    def __init__(self, modality: str | None, sop_class_uid: str | None) -> None:
        self.modality = modality
        self.sop_class_uid = sop_class_uid
        super().__init__(
            f"not an RT Structure Set: modality {modality or 'not given'}, SOP Class UID {sop_class_uid or 'not given'}"
        )

    def __reduce__(self) -> tuple[type[NotAStructureSet], tuple[str | None, str | None]]:
        # Worker processes send errors home by pickle, which would pass the message alone.
        return type(self), (self.modality, self.sop_class_uid)


class DamagedStructureSet(StructureSetError):
    """The bytes are not DICOM, or stop being DICOM somewhere.

    Attributes
    ----------
    message
        What is wrong there.
    place
        Where, such as ``ROIContourSequence item 3, ContourSequence item 12, byte 81234``; items count from
        one, bytes from the start of the file (of the inflated dataset in a deflated file); empty when not
        known.

    """

    def __init__(self, message: str, place: str = "") -> None:
        self.message = message
        self.place = place
        super().__init__(f"{message} ({place})" if place else message)

    def __reduce__(self) -> tuple[type[DamagedStructureSet], tuple[str, str]]:
        return type(self), (self.message, self.place)


class Impossible(Exception):
    """What was asked cannot be made of what was given.

    Attributes
    ----------
    reason, remedy
        For people, one sentence each.

    """

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason, remedy)
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return self.reason
