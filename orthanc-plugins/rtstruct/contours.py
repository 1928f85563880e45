"""The Contour Sequences of a structure set, parsed together; bad contours are left out and counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .decimal_strings import Floats, float_of, floats_of
from .elements import (
    CONTOUR_DATA,
    CONTOUR_GEOMETRIC_TYPE,
    CONTOUR_IMAGE_SEQUENCE,
    CONTOUR_NUMBER,
    CONTOUR_SEQUENCE,
    CONTOUR_SLAB_THICKNESS,
    DAMAGE,
    NUMBER_OF_CONTOUR_POINTS,
    REFERENCED_SOP_INSTANCE_UID,
    Item,
    items,
    value,
)
from .model import Contour, Finding
from .text import integer, plain

_MEANING = {
    "contour_damaged": "left out, since their bytes contradict themselves",
    "contour_without_data": "left out, since they have no Contour Data",
    "contour_not_numbers": "left out, since their Contour Data are not finite numbers throughout",
    "contour_not_triples": "left out, since the number of their values is not a multiple of three",
    "contour_without_type": "without a Contour Geometric Type, which count towards no area",
    "point_count_differs": "with another number of points than their Number of Contour Points says",
    "bad_slab_thickness": "with a Contour Slab Thickness that is not a positive number, which is not used",
}


@dataclass
class _Count:
    """Findings of one structure by code: how many contours, and the place of the first."""

    found: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add(self, code: str, roi: int, contour: int) -> None:
        if code in self.found:
            count, first = self.found[code]
        else:
            count, first = 0, f"ROIContourSequence item {roi}, ContourSequence item {contour}"
        self.found[code] = (count + 1, first)

    def findings(self) -> tuple[Finding, ...]:
        # One for all contours of a kind: a broken export has thousands of them.
        return tuple(
            Finding(code, f"Contours {_MEANING[code]}: {count}, the first is {first}.")
            for code, (count, first) in self.found.items()
        )


class _Texts(dict[bytes, str]):
    """Texts by their bytes: thousands of contours name the same few types and slices."""

    def __missing__(self, key: bytes) -> str:
        self[key] = text = plain(key)
        return text


def contours_of(roi_contours: Sequence[Item]) -> list[tuple[tuple[Contour, ...], tuple[Finding, ...]]]:
    """For each item of the ROI Contour Sequence its good contours, and findings about the others."""
    sequences = [items(roi, CONTOUR_SEQUENCE) for roi in roi_contours]
    texts: list[bytes | memoryview] = []
    for sequence in sequences:
        for contour in sequence:
            data = contour.get(CONTOUR_DATA, b"")
            texts.append(b"" if isinstance(data, list) else data)
    parsed = iter(floats_of(texts))
    known = _Texts()
    return [_of_structure(roi, sequence, parsed, known) for roi, sequence in enumerate(sequences, start=1)]


def _of_structure(
    roi: int, sequence: Sequence[Item], parsed: Iterator[Floats | None], known: _Texts
) -> tuple[tuple[Contour, ...], tuple[Finding, ...]]:
    count = _Count()
    good: list[Contour] = []
    for index, item in enumerate(sequence, start=1):
        numbers = next(parsed)
        bad = _what_is_wrong(item, numbers)
        if bad:
            count.add(bad, roi, index)
        if numbers is None or len(numbers) % 3:
            continue
        contour = _contour(item, numbers, known)
        if not contour.geometric_type:
            count.add("contour_without_type", roi, index)
        if (
            CONTOUR_SLAB_THICKNESS in item
            and contour.slab_thickness_mm is None
            and value(item, CONTOUR_SLAB_THICKNESS).strip(b" \0")
        ):
            count.add("bad_slab_thickness", roi, index)
        good.append(contour)
    return tuple(good), count.findings()


def _what_is_wrong(item: Item, numbers: Floats | None) -> str | None:
    if DAMAGE in item:
        return "contour_damaged"
    if numbers is None:
        empty = not value(item, CONTOUR_DATA).strip(b" \0")
        return "contour_without_data" if empty else "contour_not_numbers"
    if len(numbers) % 3:
        return "contour_not_triples"
    stated = value(item, NUMBER_OF_CONTOUR_POINTS)
    return "point_count_differs" if stated and integer(stated) != len(numbers) // 3 else None


def _contour(item: Item, numbers: Floats, known: _Texts) -> Contour:
    thickness_mm = float_of(value(item, CONTOUR_SLAB_THICKNESS)) if CONTOUR_SLAB_THICKNESS in item else None
    images = [known[value(image, REFERENCED_SOP_INSTANCE_UID)] for image in items(item, CONTOUR_IMAGE_SEQUENCE)]
    return Contour(
        geometric_type=known[value(item, CONTOUR_GEOMETRIC_TYPE)],
        points_mm=numbers.reshape(-1, 3),
        number=integer(value(item, CONTOUR_NUMBER)) if CONTOUR_NUMBER in item else None,
        slab_thickness_mm=thickness_mm if thickness_mm is not None and thickness_mm > 0 else None,
        image_sop_instance_uids=tuple(filter(None, images)),
    )
