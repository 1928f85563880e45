"""What an extraction sends to our tables. Light on purpose: workers make it, and need no SQLAlchemy for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is remembered of an extracted structure set."""

    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str
    label: str | None
    structure_count: int
    contour_count: int
    point_count: int


@dataclass(frozen=True, slots=True)
class StructureRow:
    """One structure, as the table ``structure`` holds it; lengths in mm, patient coordinates."""

    position: int
    number: int
    name: str
    interpreted_type: str | None
    generation_algorithm: str | None
    contour_count: int
    point_count: int
    plane_count: int
    volume_cm3: float | None
    centroid_x_mm: float | None
    centroid_y_mm: float | None
    centroid_z_mm: float | None
    warning_count: int
    folded_name: str | None = None
    tg263: str | None = None
    tg263_confidence: float | None = None
