"""What an RT Structure Set says, as values: StructureSet, Structure, Contour, Finding (PS3.3 A.19)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

#: How contours on one plane are taken together. ``auto``: even-odd, with a contour that is there twice counted once;
#: ``xor``: even-odd, as CLOSEDPLANAR_XOR says, so that twice is nought; ``union``: what lies within any contour.
Combine = Literal["auto", "xor", "union"]


@dataclass(frozen=True)
class Finding:
    """Something a reader of the numbers should know.

    Attributes
    ----------
    code
        For programs: snake_case, stable.
    message
        For people: one sentence that says where.

    """

    code: str
    message: str


@dataclass(frozen=True, eq=False)
class Contour:
    """One item of the Contour Sequence (PS3.3 C.8.8.6).

    Attributes
    ----------
    geometric_type
        POINT, OPEN_PLANAR, OPEN_NONPLANAR, CLOSED_PLANAR, CLOSEDPLANAR_XOR or whatever the file says; empty
        when it says nothing.
    points_mm
        Shape (N, 3), read-only: x, y, z in mm in the patient coordinate system (LPS) of the structure's frame
        of reference. A closed contour does not repeat its first point, unless the file does.
    number
        Contour Number.
    slab_thickness_mm
        Contour Slab Thickness.
    image_sop_instance_uids
        The images that the contour says it was drawn on; a hint only, often wrong in practice.

    """

    geometric_type: str
    points_mm: Points
    number: int | None = None
    slab_thickness_mm: float | None = None
    image_sop_instance_uids: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Structure:
    """One ROI: its entries in the three sequences of the structure set, brought together by ROI Number.

    Attributes
    ----------
    number
        ROI Number, unique within the set. Entries that carry no number of their own, or one already taken,
        get -1, -2, … and a warning.
    color
        ROI Display Color: red, green, blue, 0…255.
    interpreted_type
        RT ROI Interpreted Type, such as PTV or ORGAN (PS3.3 C.8.8.8.1).
    source_spacing_mm
        Spacing Between Slices of the Source Pixel Planes Characteristics (PS3.3 C.8.8.6.4): the planes that the
        structure was drawn on. Where given, a plane without contours is empty on purpose.

    """

    number: int
    name: str = ""
    description: str = ""
    color: tuple[int, int, int] | None = None
    frame_of_reference_uid: str | None = None
    interpreted_type: str | None = None
    generation_algorithm: str | None = None
    source_spacing_mm: float | None = None
    contours: tuple[Contour, ...] = ()
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True, eq=False)
class StructureSet:
    """One RT Structure Set instance.

    UIDs that every instance must have are empty strings where the file leaves them out (with a warning); all
    else that is left out is None, or an empty string for free text. Dates are YYYYMMDD, times HHMMSS[.ffffff]
    as written.
    """

    sop_instance_uid: str
    sop_class_uid: str
    study_instance_uid: str
    series_instance_uid: str
    frame_of_reference_uid: str | None = None
    referenced_frame_of_reference_uids: tuple[str, ...] = ()
    referenced_series_uids: tuple[str, ...] = ()
    label: str = ""
    name: str = ""
    description: str = ""
    date: str | None = None
    time: str | None = None
    approval_status: str | None = None
    structures: tuple[Structure, ...] = field(default=(), repr=False)
    warnings: tuple[Finding, ...] = ()

    @property
    def referenced_series_uid(self) -> str | None:
        """The first series the structures were drawn on, None when the file names none."""
        return self.referenced_series_uids[0] if self.referenced_series_uids else None
