"""Structures, put together by ROI Number from three sequences (PS3.3 C.8.8.5, C.8.8.6, C.8.8.8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .decimal_strings import float_of
from .elements import (
    DAMAGE,
    REFERENCED_FRAME_OF_REFERENCE_UID,
    REFERENCED_ROI_NUMBER,
    ROI_CONTOUR_SEQUENCE,
    ROI_DESCRIPTION,
    ROI_DISPLAY_COLOR,
    ROI_GENERATION_ALGORITHM,
    ROI_NAME,
    ROI_NUMBER,
    RT_ROI_INTERPRETED_TYPE,
    RT_ROI_OBSERVATIONS_SEQUENCE,
    SOURCE_PIXEL_PLANES_CHARACTERISTICS_SEQUENCE,
    SPACING_BETWEEN_SLICES,
    SPECIFIC_CHARACTER_SET,
    STRUCTURE_SET_ROI_SEQUENCE,
    Item,
    items,
    value,
)
from .model import Contour, Finding, Structure
from .text import integer, integers, known_encodings, plain, readable

Contours = tuple[tuple[Contour, ...], tuple[Finding, ...]]


@dataclass
class _Draft:
    """One structure while its parts are gathered."""

    number: int
    roi: Item | None = None
    observation: Item | None = None
    color: tuple[int, int, int] | None = None
    source_spacing_mm: float | None = None
    contours: list[Contour] = field(default_factory=list)
    contour_items: int = 0
    warnings: list[Finding] = field(default_factory=list)

    def warn(self, code: str, message: str) -> None:
        self.warnings.append(Finding(code, message))


class _Drafts:
    """All structures by number, in the order of the file; entries without a usable number get a stand-in."""

    def __init__(self) -> None:
        self.by_number: dict[int, _Draft] = {}
        self._next_stand_in = -1

    def get(self, number: int) -> _Draft:
        return self.by_number.setdefault(number, _Draft(number))

    def find(self, number: int | None) -> _Draft | None:
        return None if number is None else self.by_number.get(number)

    def stand_in(self) -> _Draft:
        while self._next_stand_in in self.by_number:
            self._next_stand_in -= 1
        return self.get(self._next_stand_in)


def structures_of(
    root: Item, encodings: list[str], contours: Sequence[Contours], frames: Sequence[str]
) -> tuple[Structure, ...]:
    """All structures that any of the three sequences mentions, in the order in which they first come up.

    Parameters
    ----------
    root
        The dataset.
    encodings
        Those of the dataset; an item of the Structure Set ROI Sequence may have its own.
    contours
        For each item of the ROI Contour Sequence its contours and findings.
    frames
        The frames of reference that the structure set declares.

    """
    drafts = _Drafts()
    for index, item in enumerate(items(root, STRUCTURE_SET_ROI_SEQUENCE), start=1):
        _add_roi(drafts, item, f"StructureSetROISequence item {index}")
    pairs = zip(items(root, ROI_CONTOUR_SEQUENCE), contours, strict=True)
    for index, (item, found) in enumerate(pairs, start=1):
        _add_contours(drafts, item, found, f"ROIContourSequence item {index}")
    for item in items(root, RT_ROI_OBSERVATIONS_SEQUENCE):
        draft = drafts.find(_number(item, REFERENCED_ROI_NUMBER))
        # One ROI may have several observations; the first is what planning systems show.
        if draft and draft.observation is None:
            draft.observation = item
    return tuple(_finished(draft, encodings, frames) for draft in drafts.by_number.values())


def _number(item: Item, tag: int) -> int | None:
    return integer(value(item, tag))


def _add_roi(drafts: _Drafts, item: Item, place: str) -> None:
    number = _number(item, ROI_NUMBER)
    if number is None or number in drafts.by_number:
        draft = drafts.stand_in()
        if DAMAGE in item:
            draft.warn("damaged", _lost(item, place))
        elif number is None:
            draft.warn("no_roi_number", f"{place} has no ROI Number.")
        else:
            draft.warn("duplicate_roi_number", f"{place} has ROI Number {number}, which is already taken.")
    else:
        draft = drafts.get(number)
    draft.roi = item


def _add_contours(drafts: _Drafts, item: Item, found: Contours, place: str) -> None:
    number = _number(item, REFERENCED_ROI_NUMBER)
    if number is None:
        draft = drafts.stand_in()
        if DAMAGE in item:
            draft.warn("damaged", _lost(item, place))
        else:
            draft.warn("no_roi_number", f"{place} has no Referenced ROI Number.")
    else:
        draft = drafts.get(number)
    if draft.roi is None and not draft.contour_items and number is not None:
        draft.warn("no_name", f"{place} refers to ROI Number {number}, which Structure Set ROI Sequence lacks.")
    if draft.contour_items == 1:
        draft.warn("contours_in_several_items", f"{place} is not the only one for ROI Number {number}; all count.")
    draft.contour_items += 1
    contours, findings = found
    draft.contours += contours
    draft.warnings += findings
    for planes in items(item, SOURCE_PIXEL_PLANES_CHARACTERISTICS_SEQUENCE):
        spacing_mm = float_of(value(planes, SPACING_BETWEEN_SLICES))
        if draft.source_spacing_mm is None and spacing_mm is not None and spacing_mm > 0:
            draft.source_spacing_mm = spacing_mm
    text = value(item, ROI_DISPLAY_COLOR)
    if text.strip(b" \0"):
        color = _color(text)
        draft.color = draft.color or color
        if color is None:
            draft.warn("bad_color", f"{place} has a ROI Display Color that is not three numbers from 0 to 255.")


def _lost(item: Item, place: str) -> str:
    return f"{place} is damaged and could not be read: {plain(value(item, DAMAGE))}."


def _color(text: bytes) -> tuple[int, int, int] | None:
    match integers(text):
        case (int(red), int(green), int(blue)) if all(0 <= each <= 255 for each in (red, green, blue)):
            return red, green, blue
    return None


def _finished(draft: _Draft, encodings: list[str], frames: Sequence[str]) -> Structure:
    roi = draft.roi or {}
    own_encoding = value(roi, SPECIFIC_CHARACTER_SET)
    encodings = known_encodings(own_encoding)[0] if own_encoding else encodings
    frame = plain(value(roi, REFERENCED_FRAME_OF_REFERENCE_UID)) or None
    name = readable(value(roi, ROI_NAME), encodings)
    return Structure(
        number=draft.number,
        name=name,
        description=readable(value(roi, ROI_DESCRIPTION), encodings),
        color=draft.color,
        frame_of_reference_uid=frame,
        interpreted_type=plain(value(draft.observation or {}, RT_ROI_INTERPRETED_TYPE)) or None,
        generation_algorithm=plain(value(roi, ROI_GENERATION_ALGORITHM)) or None,
        source_spacing_mm=draft.source_spacing_mm,
        contours=tuple(draft.contours),
        warnings=(*draft.warnings, *_final_findings(draft, name, frame, frames)),
    )


def _final_findings(draft: _Draft, name: str, frame: str | None, frames: Sequence[str]) -> Iterator[Finding]:
    if not draft.contours:
        yield Finding("no_contours", f"ROI Number {draft.number} has no contours.")
    if draft.roi is not None and not name:
        yield Finding("no_name", f"ROI Number {draft.number} has no ROI Name.")
    if "\ufffd" in name:
        yield Finding("unreadable_name", f"The name of ROI Number {draft.number} does not fit its character set.")
    if draft.observation is None:
        yield Finding("no_observation", f"ROI Number {draft.number} has no observation, so its type is unknown.")
    if frame and frames and frame not in frames:
        yield Finding(
            "other_frame_of_reference",
            f"ROI Number {draft.number} lies in a frame of reference that the set does not declare.",
        )
