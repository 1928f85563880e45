"""What a file says of who the patient is, and how text loses it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from rtstruct.names import nomenclature

from .dictionary import decoded, tags_of, vr_of

#: Values that identify as they stand, wherever they are repeated.
_IDENTIFIERS = (
    "PatientID", "OtherPatientIDs", "AccessionNumber", "AdmissionID", "StudyID", "MedicalRecordLocator",
    "PatientTelephoneNumbers", "PatientAddress", "ServiceEpisodeID", "IssuerOfPatientID",
    "PlacerOrderNumberImagingServiceRequest", "FillerOrderNumberImagingServiceRequest",
)  # fmt: skip
IDENTIFIER_TAGS = tags_of(*_IDENTIFIERS)
INSTITUTION_TAGS = tags_of("InstitutionName", "InstitutionAddress")
PATIENT_NAME_TAGS = tags_of("PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName")
BIRTH_DATE_TAGS = tags_of("PatientBirthDate")

#: Dates as people write them, and runs of digits as long as a date or a number of a record.
_DATES = re.compile(
    r"(?<!\d)(?:[12]\d{3}([-./ ])[0-3]?\d\1[0-3]?\d|[0-3]?\d([-./ ])[0-3]?\d\2[12]\d{3}"
    r"|[0-3]?\d([-./])[0-3]?\d\3\d{2})(?!\d)"
    r"|(?<!\d)\d{1,2}[-. ]?(jan|feb|f[eé]v|mar|m[äa]r|apr|avr|ma[iy]|ju[nil]|aug|ao[uû]|sep|o[ck]t|nov|de[cz]|d[ée]c)"
    r"[a-zéûä]*[-. ]?\d{2,4}(?!\d)",
    re.IGNORECASE,
)
_LONG_NUMBERS = re.compile(r"\d{6,}")
_ADDRESSES = re.compile(r"\S+@\S+|\bhttps?://\S+", re.IGNORECASE)
#: The characters of CS (PS3.5, 6.2).
_CODE_STRING = re.compile(r"[A-Z0-9 _]{0,16}")
_WORD = re.compile(r"[^\W\d_]+")
_LEFTOVER = re.compile(r"^[\s_^,;:/=-]+|[\s_^,;:/=-]+$")
#: From this length on, a name is also looked for within longer words ("PTVDupont"), and an identifier in texts.
_FOUND_WITHIN = 4


def fold(text: str) -> str:
    """Text without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def _spellings(word: str) -> Iterator[str]:
    """A name as it is, and as it is spelt where there are no umlauts."""
    yield fold(word)
    with_two, with_one = word.casefold(), fold(word)
    for letter, two in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ø", "oe"), ("å", "aa"), ("æ", "ae")):
        with_two, with_one = with_two.replace(letter, two), with_one.replace(two, fold(letter))
    yield fold(with_two)
    yield with_one


@dataclass
class Identity:
    """The words and values that tell who the patient is, and who treated them."""

    patient_words: set[str] = field(default_factory=set)
    other_words: set[str] = field(default_factory=set)
    identifiers: set[str] = field(default_factory=set)

    @staticmethod
    def of(dataset: Dataset, institution_stays: bool) -> Identity:
        """What this data set says in any of its sequences."""
        identity = Identity()
        identity._read(dataset, institution_stays)
        return identity

    def _read(self, dataset: Dataset, institution_stays: bool) -> None:
        for tag in list(dataset.keys()):
            vr = vr_of(tag, dataset.get_item(tag).VR)
            add = self._adding(tag, vr, institution_stays)
            if vr is None or (vr != "SQ" and add is None):
                continue
            try:
                value = decoded(dataset, tag, vr).value
            except Exception:
                # pydicom raises whatever a malformed value leads it to. It is not kept either.
                continue
            if add is None:
                for item in value or ():
                    self._read(item, institution_stays)
            else:
                for each in value if isinstance(value, MultiValue) else [value]:
                    add(str(each or ""))

    def _adding(self, tag: int, vr: str | None, institution_stays: bool) -> Callable[[str], None] | None:
        """Where the value of this attribute belongs; None if it does not tell who somebody is."""
        if vr == "PN":
            return self.add_patient_name if tag in PATIENT_NAME_TAGS else self.add_other_name
        if tag in IDENTIFIER_TAGS or (tag in INSTITUTION_TAGS and not institution_stays):
            return self.add_identifier
        return self.add_birth_date if tag in BIRTH_DATE_TAGS else None

    def add_patient_name(self, name: str) -> None:
        """Every part of the patient's name, in each of its groups."""
        self.patient_words |= {s for word in _WORD.findall(name) for s in _spellings(word) if len(s) > 1 or s > "\x7f"}

    def add_other_name(self, name: str) -> None:
        """The name of somebody else: physicians, operators."""
        self.other_words |= {s for word in _WORD.findall(name) for s in _spellings(word) if len(s) > 2 or s > "\x7f"}

    def add_identifier(self, value: str) -> None:
        """A value that identifies as it stands; a shorter one is the number of a study, or a dose in other texts."""
        if len(value := value.strip()) >= _FOUND_WITHIN:
            self.identifiers.add(value)

    def add_birth_date(self, date: str) -> None:
        """A date (DA), in the orders of figures that people use; `clean` finds the others."""
        if len(date := date.strip()) == 8:
            self.identifiers |= {date, date[6:] + date[4:6] + date[:4], date[4:] + date[:4], date[2:]}

    @cached_property
    def _identifiers(self) -> re.Pattern[str]:
        longest_first = sorted(self.identifiers, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)", re.IGNORECASE)

    @cached_property
    def _within(self) -> tuple[str, ...]:
        return tuple(w for w in self.patient_words if len(w) >= _FOUND_WITHIN or (len(w) > 1 and not w.isascii()))

    def clean(self, text: str) -> str:
        """Text without names, identifiers, dates, long numbers, and addresses of the web."""
        if not text:
            return text
        kept = text
        for pattern in (self._identifiers, _ADDRESSES, _DATES, _LONG_NUMBERS):
            kept = pattern.sub("", kept)
        kept = _WORD.sub(lambda word: "" if self._is_name(fold(word[0])) else word[0], kept)
        return text if kept == text else _LEFTOVER.sub("", kept)

    def clean_code(self, value: str) -> str:
        """A code string (CS) without the patient; short words are terms of the standard that a name may equal."""
        if not _CODE_STRING.fullmatch(value):
            return self.clean(value)
        words = {fold(word) for word in _WORD.findall(value)}
        return "" if self._identifiers.search(value) or not words.isdisjoint(self._within) else value

    def clean_structure_name(self, name: str, allowed: frozenset[str]) -> str:
        """The name of a structure without identity; those of TG-263 and allowed ones survive as they are."""
        if name.strip() in allowed or name.strip() in nomenclature().names:
            return name
        kept = self.clean(name)
        return kept if _WORD.search(kept) or any(c.isdigit() for c in kept) else "REMOVED"

    def _is_name(self, word: str) -> bool:
        return word in self.patient_words or word in self.other_words or any(name in word for name in self._within)
