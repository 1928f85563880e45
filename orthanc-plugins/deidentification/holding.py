"""What is not sent because removing attributes does not take the patient out of it."""

from __future__ import annotations

from enum import StrEnum

from pydicom.dataset import Dataset
from pydicom.uid import UID

from .profile import Option, Profile


class Hold(StrEnum):
    """Why a file is held back; the value is what people read."""

    UNREADABLE = "It cannot be read as a DICOM file"
    NO_PATIENT_ID = "It has no Patient ID, so that nothing says whose pseudonym it gets"
    BURNED_IN = "Burned In Annotation says that text is part of its pixels"
    RECOGNIZABLE = "Recognizable Visual Features says that the patient can be recognised"
    SECONDARY_CAPTURE = "It is a secondary capture: a picture of a screen, whose text is part of the pixels"
    ULTRASOUND = "It is ultrasound, where scanners write the patient's name into the pixels"
    VISIBLE_LIGHT = "It is a photograph or video, which may show a face or a label"
    VOICE = "It is a recording of a voice"
    DOCUMENT = "It encapsulates a document"
    STRUCTURED_REPORT = "It is a structured report, which is free text"
    UNKNOWN_KIND = "Its SOP class is private, raw data, or no kind of object that is stored: what it holds is unknown"


class HeldBack(Exception):
    """A file that must not leave de-identified; ``reason`` says why, and the message what to do."""

    def __init__(self, reason: Hold, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason.value}. {self.detail}"


#: The option that lets such a file through; what is missing here is never let through.
RELEASES = {
    Hold.BURNED_IN: Option.KEEP_BURNED_IN,
    Hold.RECOGNIZABLE: Option.KEEP_RECOGNIZABLE,
    Hold.SECONDARY_CAPTURE: Option.KEEP_SECONDARY_CAPTURES,
    Hold.ULTRASOUND: Option.KEEP_ULTRASOUND,
    Hold.VISIBLE_LIGHT: Option.KEEP_VISIBLE_LIGHT,
}

_STORAGE = "1.2.840.10008.5.1.4.1.1."
_RAW_DATA = f"{_STORAGE}66"
#: SOP classes by the part of their UID behind that prefix, those below it included (PS3.4, B.5; PS3.6, A).
_KINDS = {
    "7": Hold.SECONDARY_CAPTURE,
    "3": Hold.ULTRASOUND,
    "6": Hold.ULTRASOUND,
    "77": Hold.VISIBLE_LIGHT,
    "88": Hold.STRUCTURED_REPORT,
    "104": Hold.DOCUMENT,
    "9.4": Hold.VOICE,
}
#: Values of Image Type with which CT scanners mark the pages they draw: doses, screens, patient protocols.
_DRAWN_PAGES = ("SCREEN SAVE", "SCREENSAVE", "DOSE_INFO", "DOSE INFO", "PATIENT PROTOCOL")


def reasons_to_hold(dataset: Dataset) -> list[Hold]:
    """Every reason to hold this data set back, whatever a profile says."""
    found = []
    if not str(dataset.get("PatientID") or "").strip():
        found.append(Hold.NO_PATIENT_ID)
    kind = _kind(UID(str(dataset.get("SOPClassUID") or "")))
    if kind is not None:
        found.append(kind)
    if str(dataset.get("BurnedInAnnotation") or "").strip().upper() == "YES":
        found.append(Hold.BURNED_IN)
    if str(dataset.get("RecognizableVisualFeatures") or "").strip().upper() == "YES":
        found.append(Hold.RECOGNIZABLE)
    image_type = str(dataset.get("ImageType") or "").upper()
    if any(page in image_type for page in _DRAWN_PAGES) and Hold.SECONDARY_CAPTURE not in found:
        found.append(Hold.SECONDARY_CAPTURE)
    return found


def hold_back(dataset: Dataset, profile: Profile) -> None:
    """Raise HeldBack if the profile does not let this data set through."""
    for reason in reasons_to_hold(dataset):
        option = RELEASES.get(reason)
        if option is None:
            raise HeldBack(reason, "It cannot be sent de-identified.")
        if option not in profile.options:
            raise HeldBack(
                reason, f"Look at it; if it may go, add {option.value} to the profile, or leave its series out."
            )


def _kind(sop_class: UID) -> Hold | None:
    if sop_class.type != "SOP Class" or not sop_class.startswith(_STORAGE) or sop_class == _RAW_DATA:
        return Hold.UNKNOWN_KIND
    behind = f"{sop_class.removeprefix(_STORAGE)}."
    return next((hold for number, hold in _KINDS.items() if behind.startswith(f"{number}.")), None)
