"""One attribute of a file at a time: emptied, given a dummy value, or kept without what identifies."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from pydicom.charset import python_encoding
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from .actions import Action
from .dictionary import BINARY, TEXT, decoded, tags_of, vr_of
from .identity import Identity
from .profile import Option, Profile
from .pseudonyms import Pseudonyms

_DUMMIES: dict[str, str | int] = {
    "AS": "000Y", "DA": "19000101", "DS": "0", "DT": "19000101000000", "IS": "0", "TM": "000000",
    "UR": "http://anonymous.invalid", **dict.fromkeys(BINARY, 0),
}  # fmt: skip
_DUMMY_TEXT = "ANONYMOUS"

_NUMBER_CHARACTERS = b"0123456789+-.eE\\ \0"
_UID = re.compile(r"[0-9][0-9.]{0,63}")
_AGE = re.compile(r"\d{3}[DWMY]")
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d|60)?)?(\.\d{1,6})?")
_DATE = re.compile(r"\d{8}")
_DATE_TIME = re.compile(r"\d{8}([01]\d|2[0-3])?([0-5]\d)?([0-5]\d|60)?(\.\d{1,6})?([+-]\d{4})?")
#: A patient may be called CT, and phantoms often are: terms of the standard stay.
_MODALITY = re.compile(r"[A-Z]{2,4}|RT[A-Z]{1,10}")

#: UIDs that name a kind or a coding scheme, not an object; private ones among them have to stay, too.
_KINDS = tags_of(
    "SOPClassUID", "ReferencedSOPClassUID", "RelatedGeneralSOPClassUID", "OriginalSpecializedSOPClassUID",
    "SOPClassesInStudy", "SOPClassesSupported", "CodingSchemeUID", "ContextUID", "MappingResourceUID",
    "AvailableTransferSyntaxUID", "EncryptedContentTransferSyntaxUID",
)  # fmt: skip
_CHARACTER_SETS = tags_of("SpecificCharacterSet")
_MODALITIES = tags_of("Modality", "ModalitiesInStudy")


@dataclass(frozen=True)
class Treatment:
    """Everything that treating an attribute of one file needs to know."""

    profile: Profile
    actions: Mapping[int, Action]
    pseudonyms: Pseudonyms
    identity: Identity
    shift: timedelta

    def treat(self, dataset: Dataset) -> None:
        """Take identity out of a data set and of the sequences in it."""
        for tag in list(dataset.keys()):
            element = dataset.get_item(tag)
            action = self.actions.get(tag)
            vr = vr_of(tag, element.VR)
            if vr is None or action is Action.REMOVE:
                del dataset[tag]
            elif action not in (None, Action.KEEP, Action.CLEAN) or not _is_numbers(element, vr):
                try:
                    self._change(dataset, tag, vr, action)
                except Exception:
                    # pydicom raises whatever a malformed value leads it to. What cannot be read cannot be judged.
                    del dataset[tag]

    def _change(self, dataset: Dataset, tag: BaseTag, vr: str, action: Action | None) -> None:
        """Treat one attribute, or raise if its value is none that can be treated."""
        element = decoded(dataset, tag, vr)
        if action is Action.EMPTY:
            element.value = [] if vr == "SQ" else None
        elif action is Action.DUMMY:
            self._put_dummy(element)
        elif vr == "SQ":
            for item in element.value or ():
                self.treat(item)
        elif not element.is_empty:
            clean = self._cleaning(tag, vr, action)
            element.value = [clean(str(v)) for v in element.value] if element.VM > 1 else clean(str(element.value))

    def _cleaning(self, tag: BaseTag, vr: str, action: Action | None) -> Callable[[str], str]:
        """What makes of a value one that may stay; an empty one if none may."""
        if action is Action.CLEAN_NAME:
            return lambda name: self.identity.clean_structure_name(name, self.profile.structure_names)
        if vr in TEXT or (vr == "AE" and action in (Action.KEEP, Action.CLEAN)):
            return self.identity.clean
        match vr:
            case "CS" if tag in _CHARACTER_SETS:
                return lambda name: name if name in python_encoding else ""
            case "CS" if tag in _MODALITIES:
                return lambda term: term if _MODALITY.fullmatch(term) else self.identity.clean_code(term)
            case "CS":
                return self.identity.clean_code
            case "UI":
                stays = action is Action.KEEP or tag in _KINDS or Option.RETAIN_UIDS in self.profile.options
                return lambda uid: uid if stays and _UID.fullmatch(uid) else self.pseudonyms.uid(uid)
            case "DA" | "DT" | "TM":
                return lambda moment: self._moment(vr, moment.strip())
            case "AS":
                return lambda age: age if _AGE.fullmatch(age) else ""
            case "PN":
                return lambda _name: _DUMMY_TEXT
        return lambda _other: ""

    def _moment(self, vr: str, value: str) -> str:
        """A date or time under the profile's options; times stay because dates move by whole days."""
        pattern = {"DA": _DATE, "DT": _DATE_TIME, "TM": _TIME}[vr]
        if not pattern.fullmatch(value):
            return ""
        if Option.RETAIN_FULL_DATES in self.profile.options:
            return value
        if Option.RETAIN_MODIFIED_DATES not in self.profile.options:
            return ""
        if vr == "TM":
            return value
        try:
            moved = date.fromisoformat(value[:8]) + self.shift
        except (ValueError, OverflowError):
            return ""
        return moved.isoformat().replace("-", "") + value[8:]

    def _put_dummy(self, element: DataElement) -> None:
        if element.VR == "SQ":
            for item in element.value or ():
                for tag in list(item.keys()):
                    vr = vr_of(tag, item.get_item(tag).VR)
                    if vr is None:
                        del item[tag]
                    else:
                        self._put_dummy(decoded(item, tag, vr))
        elif element.VR == "UI":
            element.value = self.pseudonyms.uid(str(element.value))
        else:
            element.value = _DUMMIES.get(element.VR, _DUMMY_TEXT)


def _is_numbers(element: RawDataElement | DataElement, vr: str) -> bool:
    """Whether the value cannot hold text: it then stays without being decoded, points of contours and pixels alike."""
    if vr in ("DS", "IS") and isinstance(element.value, bytes):
        return not element.value.translate(None, _NUMBER_CHARACTERS)
    return vr == "OW"
