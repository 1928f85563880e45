"""Damaged structure sets, each from its number alone: the same number always gives the same bytes."""

from __future__ import annotations

import random
import struct
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from unit.rtstruct.shapes import SQUARE, made_file, reencoded, roi_contour

REAL = Path(__file__).parents[1] / "data" / "sts" / "STS_002" / "MR_T1" / "mask" / "RS.dcm"

_PREAMBLE = 132
_UNDEFINED = 0xFFFFFFFF
#: Lengths and counts that a reader might believe; among them 12 × 10⁹ bytes, cut to 32 bits, of 10⁹ points.
_ABSURD = (0, 1, 7, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, _UNDEFINED, 12_000_000_000 & 0xFFFFFFFF)
_NUMBERS = (
    b"1e308", b"-1e308", b"1e-320", b"1e999", b"-0", b"nan", b"inf", b"1" * 30, b"0x10", b"", b"\\", b"1e5",
    b"1e154", b"1000000000", b"99999999",
)  # fmt: skip
_KINDS = (b"POINT", b"OPEN_PLANAR", b"CLOSED_PLANAR", b"CLOSEDPLANAR_XOR", b"", b"\xff\xfe")

_CONTOUR_DATA = b"\x06\x30\x50\x00"
_CONTOUR_TYPE = b"\x06\x30\x42\x00"
_CONTOUR_SEQUENCE = b"\x06\x30\x40\x00"
_POINT_COUNT = b"\x06\x30\x46\x00"

RING = r"0\0\0\30\0\0\30\30\0\0\30\0"
HOLE = r"10\10\0\20\10\0\20\20\0\10\20\0"
KEYHOLE = rf"{RING}\0\0\0\{HOLE}\10\10\0"
OVERLAP = r"6\6\0\16\6\0\16\16\0\6\16\0"
OBLIQUE = r"0\0\0\7.5\2.5\3.1\5.1\9.9\7.7\-2.4\7.4\4.6"
POINTS = r"1\2\3"


def _drawn() -> bytes:
    item = roi_contour(1, SQUARE, SQUARE.replace("\\0", "\\3"))
    for contour in item.ContourSequence:
        contour.NumberOfContourPoints = 4
    return made_file(
        [
            item,
            roi_contour(2, RING, HOLE, KEYHOLE, OVERLAP),
            roi_contour(3, OBLIQUE, OBLIQUE, geometric_type="CLOSEDPLANAR_XOR"),
            roi_contour(4, POINTS, geometric_type="POINT"),
        ]
    )


@cache
def originals() -> tuple[bytes, ...]:
    """Sound structure sets in every encoding, and a real one."""
    drawn = _drawn()
    syntaxes = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian)
    with warnings.catch_warnings(action="ignore"):
        made = [reencoded(drawn, syntax, undefined) for syntax in syntaxes for undefined in (False, True)]
    # Most often those that our own walk reads.
    return (*made, *made[:4], *made[:4], REAL.read_bytes())


def mutation(number: int) -> bytes:
    """A structure set with one to four kinds of damage."""
    rng = random.Random(number)
    sound = originals()
    # The real one is a hundred times larger, and takes as much longer.
    data = bytearray(sound[-1] if number % 50 == 49 else rng.choice(sound[:-1]))
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if len(data) > _PREAMBLE + 8:
            data = rng.choice(_DAMAGES)(rng, data)
    return bytes(data)


def _flip_bits(rng: random.Random, data: bytearray) -> bytearray:
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        data[rng.randrange(_PREAMBLE, len(data))] ^= 1 << rng.randrange(8)
    return data


def _set_bytes(rng: random.Random, data: bytearray) -> bytearray:
    for _ in range(rng.choice((1, 2, 8))):
        data[rng.randrange(_PREAMBLE, len(data))] = rng.choice((0, 1, 0x7F, 0xFE, 0xFF, 0x5C, rng.randrange(256)))
    return data


def _cut(rng: random.Random, data: bytearray) -> bytearray:
    return data[: rng.randrange(len(data))]


def _remove(rng: random.Random, data: bytearray) -> bytearray:
    start = rng.randrange(_PREAMBLE, len(data))
    del data[start : start + rng.choice((1, 2, 3, 8, 60))]
    return data


def _repeat(rng: random.Random, data: bytearray) -> bytearray:
    start = rng.randrange(_PREAMBLE, len(data))
    piece = data[start : start + rng.choice((1, 8, 60, 400))]
    data[start:start] = piece * rng.choice((1, 1, 2, 300))
    return data


def _absurd_length(rng: random.Random, data: bytearray) -> bytearray:
    """Lengths of sequences, items and values, where they are and where they are not."""
    start = _somewhere(
        rng, data, (_CONTOUR_DATA, _CONTOUR_SEQUENCE, b"\xfe\xff\x00\xe0", b"\x06\x30\x39\x00", b"\x06\x30")
    )
    claimed = rng.choice((*_ABSURD, len(data), rng.randrange(1 << 32), rng.randrange(4096)))
    at = start + rng.choice((4, 4, 8))
    if at + 4 <= len(data):
        data[at : at + 4] = struct.pack("<I", claimed)
    return data


def _absurd_number(rng: random.Random, data: bytearray) -> bytearray:
    """Another number in Contour Data or in another decimal string, padded so that all lengths hold."""
    start = data.find(b"\\", _somewhere(rng, data, (_CONTOUR_DATA,)))
    end = data.find(b"\\", start + 1)
    if 0 <= start < end:
        data[start + 1 : end] = rng.choice(_NUMBERS)[: end - start - 1].ljust(end - start - 1, rng.choice((b" ", b"0")))
    return data


def _absurd_count(rng: random.Random, data: bytearray) -> bytearray:
    """A Number of Contour Points of 10⁹ and the like, or another Contour Geometric Type."""
    tag, values = rng.choice(((_POINT_COUNT, _NUMBERS), (_CONTOUR_TYPE, _KINDS)))
    start = data.find(tag, rng.randrange(len(data)))
    if start >= 0:
        value = rng.choice(values)
        data[start + 8 : start + 8 + len(value)] = value
    return data


def _claim_points(rng: random.Random, data: bytearray) -> bytearray:
    """Much longer Contour Data, whose length may or may not be told."""
    start = _somewhere(rng, data, (_CONTOUR_DATA,))
    text = rng.choice((b"1\\", b"0\\0\\1e9\\", b"5\\7\\")) * rng.choice((100, 3000, 20_000))
    data[start + 8 : start + 8] = text
    if rng.random() < 0.7 and start + 8 <= len(data):
        data[start + 4 : start + 8] = struct.pack("<I", len(text))
    return data


def _somewhere(rng: random.Random, data: bytearray, tags: Sequence[bytes]) -> int:
    """Where one of the tags begins, or anywhere."""
    found = data.find(rng.choice(tags), rng.randrange(len(data)))
    return found if found >= 0 else rng.randrange(_PREAMBLE, len(data))


_DAMAGES: tuple[Callable[[random.Random, bytearray], bytearray], ...] = (
    _flip_bits,
    _flip_bits,
    _set_bytes,
    _cut,
    _remove,
    _repeat,
    _absurd_length,
    _absurd_length,
    _absurd_number,
    _absurd_number,
    _absurd_count,
    _claim_points,
)
