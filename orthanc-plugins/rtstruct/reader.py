"""From the bytes of a DICOM file to a StructureSet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .contours import contours_of
from .dataset import elements_of
from .elements import (
    APPROVAL_STATUS,
    FRAME_OF_REFERENCE_UID,
    REFERENCED_FRAME_OF_REFERENCE_SEQUENCE,
    ROI_CONTOUR_SEQUENCE,
    RT_REFERENCED_SERIES_SEQUENCE,
    RT_REFERENCED_STUDY_SEQUENCE,
    RT_STRUCTURE_SET_STORAGE,
    SERIES_INSTANCE_UID,
    SOP_CLASS_UID,
    SOP_INSTANCE_UID,
    SPECIFIC_CHARACTER_SET,
    STRUCTURE_SET_DATE,
    STRUCTURE_SET_DESCRIPTION,
    STRUCTURE_SET_LABEL,
    STRUCTURE_SET_NAME,
    STRUCTURE_SET_TIME,
    STUDY_INSTANCE_UID,
    Item,
    items,
    value,
)
from .model import Finding, StructureSet
from .structures import structures_of
from .text import known_encodings, plain, readable

_REQUIRED = {
    SOP_CLASS_UID: "SOP Class UID",
    SOP_INSTANCE_UID: "SOP Instance UID",
    STUDY_INSTANCE_UID: "Study Instance UID",
    SERIES_INSTANCE_UID: "Series Instance UID",
}


def read(data: bytes) -> StructureSet:
    """Read an RT Structure Set.

    Parameters
    ----------
    data
        A whole DICOM file (PS3.10), in any transfer syntax that can hold one. It is not kept.

    Returns
    -------
    StructureSet
        Coordinates are bit for bit what Python's ``float`` makes of each decimal string. What is wrong with
        single structures or contours comes as their ``warnings``; those contours are left out, all else is
        there.

    Raises
    ------
    NotAStructureSet
        DICOM, but of another SOP class.
    DamagedStructureSet
        Not DICOM, or broken so that the rest cannot be trusted: cut short, lengths that contradict each
        other.

    """
    root = elements_of(data)
    encodings, all_known = known_encodings(value(root, SPECIFIC_CHARACTER_SET))
    frames = _unique(
        plain(value(frame, FRAME_OF_REFERENCE_UID)) for frame in items(root, REFERENCED_FRAME_OF_REFERENCE_SEQUENCE)
    )
    own_frame = plain(value(root, FRAME_OF_REFERENCE_UID))
    warnings = [
        Finding(f"no_{name.lower().replace(' ', '_')}", f"The structure set has no {name}.")
        for tag, name in _REQUIRED.items()
        if not plain(value(root, tag))
    ]
    if not all_known:
        warnings.append(
            Finding(
                "unknown_character_set",
                "Specific Character Set has terms that are not in the standard; names may be unreadable.",
            )
        )
    if not items(root, ROI_CONTOUR_SEQUENCE):
        warnings.append(Finding("no_contours", "The structure set has no ROI Contour Sequence."))
    return StructureSet(
        sop_instance_uid=plain(value(root, SOP_INSTANCE_UID)),
        sop_class_uid=plain(value(root, SOP_CLASS_UID)) or RT_STRUCTURE_SET_STORAGE,
        study_instance_uid=plain(value(root, STUDY_INSTANCE_UID)),
        series_instance_uid=plain(value(root, SERIES_INSTANCE_UID)),
        frame_of_reference_uid=own_frame or (frames[0] if frames else None),
        referenced_frame_of_reference_uids=frames,
        referenced_series_uids=_unique(_series(root)),
        label=readable(value(root, STRUCTURE_SET_LABEL), encodings),
        name=readable(value(root, STRUCTURE_SET_NAME), encodings),
        description=readable(value(root, STRUCTURE_SET_DESCRIPTION), encodings),
        date=plain(value(root, STRUCTURE_SET_DATE)) or None,
        time=plain(value(root, STRUCTURE_SET_TIME)) or None,
        approval_status=plain(value(root, APPROVAL_STATUS)) or None,
        structures=structures_of(root, encodings, contours_of(items(root, ROI_CONTOUR_SEQUENCE)), frames),
        warnings=tuple(warnings),
    )


def _series(root: Item) -> Iterator[str]:
    for frame in items(root, REFERENCED_FRAME_OF_REFERENCE_SEQUENCE):
        for study in items(frame, RT_REFERENCED_STUDY_SEQUENCE):
            for series in items(study, RT_REFERENCED_SERIES_SEQUENCE):
                yield plain(value(series, SERIES_INSTANCE_UID))


def _unique(uids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(uid for uid in uids if uid))
