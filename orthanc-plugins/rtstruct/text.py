"""The short values of a dataset: codes, whole numbers, names in any character set (PS3.5 6.1, 6.2)."""

from __future__ import annotations

from pydicom.charset import convert_encodings, decode_bytes, python_encoding

from .silence import pydicom_silent

_PADDING = " \0"
# PS3.5 6.1.2.5.3: where a text in several encodings falls back to the first.
_DELIMITERS = set(b"\\\n\f\r")
# PS3.5 6.2: IS is a signed integer of 32 bits.
_IS_RANGE = range(-(2**31), 2**31)


def plain(value: bytes) -> str:
    """A value in the default repertoire (UI, CS, DA, TM), without its padding."""
    return value.decode("ascii", errors="replace").strip(_PADDING)


def integer(value: bytes) -> int | None:
    """An IS, None when empty or not one."""
    try:
        number = int(value.strip(b" \0"))
    except ValueError:
        return None
    return number if number in _IS_RANGE and b"_" not in value else None


def integers(value: bytes) -> tuple[int | None, ...]:
    """All values of an IS."""
    return tuple(integer(part) for part in value.split(b"\\"))


def known_encodings(specific_character_set: bytes) -> tuple[list[str], bool]:
    """Python's names for a Specific Character Set, and whether all of its terms are known."""
    terms = [term.strip(_PADDING) for term in plain(specific_character_set).split("\\")]
    known = [term for term in terms if term in python_encoding]
    return convert_encodings(known or [""]), len(known) == len(terms)


def readable(value: bytes, encodings: list[str]) -> str:
    """A name or text (LO, SH, ST) in the given encodings; what cannot be decoded comes as U+FFFD."""
    if len(encodings) == 1:
        try:
            return value.decode(encodings[0], errors="replace").strip(_PADDING)
        except LookupError:
            return value.decode("ascii", errors="replace").strip(_PADDING)
    with pydicom_silent():
        return decode_bytes(value, encodings, _DELIMITERS).strip(_PADDING)
