"""What a structure set refers to: frames of reference, series, images, and other structure sets.

Viewers decide by these whether they draw anything; the geometry in `model` does not need them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .dataset import elements_of
from .elements import (
    CONTOUR_DATA,
    CONTOUR_IMAGE_SEQUENCE,
    CONTOUR_SEQUENCE,
    FRAME_OF_REFERENCE_UID,
    MODALITY,
    REFERENCED_FRAME_OF_REFERENCE_SEQUENCE,
    REFERENCED_ROI_NUMBER,
    REFERENCED_SOP_INSTANCE_UID,
    ROI_CONTOUR_SEQUENCE,
    ROI_NUMBER,
    RT_REFERENCED_SERIES_SEQUENCE,
    RT_REFERENCED_STUDY_SEQUENCE,
    SERIES_INSTANCE_UID,
    SOP_CLASS_UID,
    STRUCTURE_SET_ROI_SEQUENCE,
    Item,
    Schema,
    items,
    value,
)
from .text import integer, plain

REFERENCED_SERIES_SEQUENCE = 0x00081115
PREDECESSOR_STRUCTURE_SET_SEQUENCE = 0x30060018

CONTRIBUTING_EQUIPMENT_SEQUENCE = 0x0018A001
MANUFACTURER_MODEL_NAME = 0x00081090

#: Manufacturer's Model Name by which repaired copies are known.
REPAIRED_BY = "rtstruct.repair"

_IMAGES: Schema = {REFERENCED_SOP_INSTANCE_UID: None}
REFERENCES: Schema = {
    SOP_CLASS_UID: None,
    MODALITY: None,
    REFERENCED_SERIES_SEQUENCE: {SERIES_INSTANCE_UID: None},
    REFERENCED_FRAME_OF_REFERENCE_SEQUENCE: {
        FRAME_OF_REFERENCE_UID: None,
        RT_REFERENCED_STUDY_SEQUENCE: {
            REFERENCED_SOP_INSTANCE_UID: None,
            RT_REFERENCED_SERIES_SEQUENCE: {SERIES_INSTANCE_UID: None, CONTOUR_IMAGE_SEQUENCE: _IMAGES},
        },
    },
    PREDECESSOR_STRUCTURE_SET_SEQUENCE: _IMAGES,
    CONTRIBUTING_EQUIPMENT_SEQUENCE: {MANUFACTURER_MODEL_NAME: None},
    STRUCTURE_SET_ROI_SEQUENCE: {ROI_NUMBER: None},
    ROI_CONTOUR_SEQUENCE: {REFERENCED_ROI_NUMBER: None, CONTOUR_SEQUENCE: {CONTOUR_DATA: None}},
}


@dataclass(frozen=True)
class ReferencedSeries:
    """An item of RT Referenced Series Sequence.

    Attributes
    ----------
    sop_instance_uids
        Of its Contour Image Sequence; None when it has no such sequence, or an empty one.

    """

    series_instance_uid: str
    sop_instance_uids: tuple[str, ...] | None


@dataclass(frozen=True)
class References:
    """The references of one structure set.

    Attributes
    ----------
    series
        Those of all Referenced Frame of Reference items.
    top_level_series_uids
        Of Referenced Series Sequence (0008,1115), which some viewers believe before all else.
    predecessor_uids
        SOP Instance UIDs of the structure sets that this one was made from.
    is_repaired_copy
        `repair` wrote it.
    has_roi_sequence
        Structure Set ROI Sequence is there and not empty.
    contours_without_data
        ROI Number and index of the contour in its Contour Sequence, from nought.

    """

    series: tuple[ReferencedSeries, ...] = ()
    top_level_series_uids: tuple[str, ...] = ()
    predecessor_uids: tuple[str, ...] = ()
    is_repaired_copy: bool = False
    has_roi_sequence: bool = True
    contours_without_data: tuple[tuple[int | None, int], ...] = ()


def read_references(data: bytes) -> References:
    """Read the references of a structure set.

    Raises
    ------
    StructureSetError
        As `reader.read` does.

    """
    root = elements_of(data, REFERENCES)
    return References(
        series=tuple(
            _series(series)
            for frame in items(root, REFERENCED_FRAME_OF_REFERENCE_SEQUENCE)
            for study in items(frame, RT_REFERENCED_STUDY_SEQUENCE)
            for series in items(study, RT_REFERENCED_SERIES_SEQUENCE)
        ),
        top_level_series_uids=_uids(items(root, REFERENCED_SERIES_SEQUENCE), SERIES_INSTANCE_UID),
        predecessor_uids=_uids(items(root, PREDECESSOR_STRUCTURE_SET_SEQUENCE), REFERENCED_SOP_INSTANCE_UID),
        is_repaired_copy=any(
            plain(value(item, MANUFACTURER_MODEL_NAME)) == REPAIRED_BY
            for item in items(root, CONTRIBUTING_EQUIPMENT_SEQUENCE)
        ),
        has_roi_sequence=bool(items(root, STRUCTURE_SET_ROI_SEQUENCE)),
        contours_without_data=tuple(
            (integer(value(roi, REFERENCED_ROI_NUMBER)), index)
            for roi in items(root, ROI_CONTOUR_SEQUENCE)
            for index, contour in enumerate(items(roi, CONTOUR_SEQUENCE))
            # The first bytes tell: the text of a contour can be long, and is not wanted here.
            if not _starts(contour)
        ),
    )


def _starts(contour: Item) -> bool:
    data = contour.get(CONTOUR_DATA, b"")
    return not isinstance(data, list) and bool(bytes(data[:64]).strip(b" \0"))


def _series(item: Item) -> ReferencedSeries:
    images = items(item, CONTOUR_IMAGE_SEQUENCE)
    uids = _uids(images, REFERENCED_SOP_INSTANCE_UID) if images else None
    return ReferencedSeries(plain(value(item, SERIES_INSTANCE_UID)), uids)


def _uids(found: Iterable[Item], tag: int) -> tuple[str, ...]:
    return tuple(uid for each in found if (uid := plain(value(each, tag))))
