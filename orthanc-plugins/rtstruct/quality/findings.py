"""What a quality report can say: every code with its severity, its remedy, and whether OHIF fails on it.

The codes are stable, and each is explained in docs/rtstruct/quality.md (a test compares the two).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]
#: hidden: OHIF draws nothing, or not all, and says nothing. wrong: it draws, but not what the set says.
InOhif = Literal["hidden", "wrong"]
Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Place:
    """Where in a structure set; what does not apply is None.

    Attributes
    ----------
    structure_number, structure_name
        ROI Number and ROI Name.
    position_mm
        Of a plane along the normal of the structure's planes.
    contour
        Index among the readable contours of the structure, from nought.
    point_mm
        Patient coordinates (LPS).

    """

    structure_number: int | None = None
    structure_name: str | None = None
    position_mm: float | None = None
    contour: int | None = None
    point_mm: Vector | None = None


WHOLE_SET = Place()


@dataclass(frozen=True)
class QualityFinding:
    """One thing that a physicist would want to know before trusting the set."""

    code: str
    severity: Severity
    message: str
    remedy: str
    place: Place
    in_ohif: InOhif | None = None


@dataclass(frozen=True)
class Kind:
    """What all findings of a code share."""

    severity: Severity
    remedy: str
    in_ohif: InOhif | None = None


_REPAIR = "Let a repaired copy be written (POST …/repair)."
_EXPORT = "Export the set again from the system that drew it."
_LOOK = "Look at the place, and correct the contour where it was drawn."
_RENAME = "Rename it where it was drawn; nothing is renamed here."

KINDS: dict[str, Kind] = {
    # References
    "no_referenced_series": Kind("error", _REPAIR, "hidden"),
    "referenced_series_absent": Kind(
        "error", f"Send the image series to this server. If it went elsewhere: {_REPAIR}", "hidden"
    ),
    "referenced_series_without_images": Kind("error", _REPAIR, "hidden"),
    "referenced_series_is_no_image": Kind("error", _REPAIR, "hidden"),
    "series_images_absent": Kind("warning", _REPAIR),
    "stale_referenced_series": Kind("error", _REPAIR, "hidden"),
    "several_referenced_series": Kind("info", "Check that all of them show the same anatomy."),
    "referenced_images_absent": Kind("error", _REPAIR, "hidden"),
    "references_other_plane": Kind("error", _REPAIR, "wrong"),
    "no_image_references": Kind("info", "Nothing has to be done: images are found by their planes."),
    "foreign_frame_of_reference": Kind("error", "Register the images, or find those that the set was drawn on."),
    "several_frames_of_reference": Kind("warning", "Check which structures lie in which frame before comparing them."),
    "several_instances_in_series": Kind("warning", "Give it a series of its own (a repaired copy has one).", "wrong"),
    "single_slice_series": Kind("warning", "Send the other slices of the series.", "wrong"),
    # What can be read
    "no_structure_set_roi_sequence": Kind("error", _EXPORT, "hidden"),
    "no_structures": Kind("error", _EXPORT, "hidden"),
    "no_contours_at_all": Kind("error", _EXPORT, "hidden"),
    "contour_without_data": Kind("error", f"{_EXPORT} Or: {_REPAIR}", "hidden"),
    "unreadable_contours": Kind("error", _EXPORT),
    "empty_structure": Kind("warning", "Delete it where it was drawn, or draw it."),
    "reading": Kind("warning", _EXPORT),
    "geometry": Kind("warning", _LOOK),
    # Contours and the images
    "contours_off_image_planes": Kind("warning", "Check that the images are those that the set was drawn on."),
    "contours_beyond_image": Kind("warning", "Check that the image series is complete, and the right one."),
    # Contours among themselves
    "missing_slices": Kind("warning", "Draw or interpolate them; nothing is filled in here."),
    "stray_contours": Kind("warning", f"Probably drawn by accident. {_LOOK}"),
    "tiny_islands": Kind("info", f"Probably left by a brush or a threshold. {_LOOK}"),
    "duplicate_contours": Kind("warning", "They count once here; other programs may let them cancel out."),
    "duplicate_points": Kind("info", "Nothing has to be done."),
    "self_intersection": Kind("warning", f"What is inside depends on the program. {_LOOK}"),
    "overlapping_contours": Kind("warning", f"What they share counts as outside here, perhaps not elsewhere. {_LOOK}"),
    # Structures among themselves
    "structures_overlap": Kind("warning", "Correct one of them; dose statistics count what they share twice."),
    "target_not_inside": Kind("warning", "Check the margin: GTV lies in CTV, CTV in PTV."),
    "outside_body": Kind("warning", "Crop it to the body, or correct the outline of the body."),
    "duplicate_names": Kind("warning", _RENAME),
    "no_name": Kind("warning", _RENAME),
    "name_not_tg263": Kind("info", _RENAME),
    "laterality_contradicts_position": Kind("warning", "Check left and right: the name, and the patient's position."),
    "identical_colors": Kind("info", "Give them colours of their own where they were drawn."),
    "unapproved": Kind("info", "Have it approved before it is used for treatment."),
}


def finding(code: str, message: str, place: Place = WHOLE_SET, severity: Severity | None = None) -> QualityFinding:
    """A finding of a known code; `severity` where it depends on the case."""
    kind = KINDS[code]
    return QualityFinding(code, severity or kind.severity, message, kind.remedy, place, kind.in_ohif)
