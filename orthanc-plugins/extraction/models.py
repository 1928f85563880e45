"""What the extraction routes say. Lengths in mm in the patient coordinate system of DICOM (LPS), volumes in cm³."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

Point = tuple[float, float, float]


class Warning(BaseModel):
    """Something that a physicist would want to know before trusting the numbers."""

    code: str
    message: str


class PlaneAreaModel(BaseModel):
    """The area of a structure on one plane, holes taken out."""

    position_mm: float = Field(description="Along the normal of the structure's planes.")
    area_mm2: float
    contour_count: int = Field(description="Closed contours on the plane, holes included.")
    perimeter_mm: float = Field(description="Of all borders, those of holes too.")
    centroid_mm: Point | None


class ContourModel(BaseModel):
    """One contour as drawn."""

    geometric_type: str = Field(description="Contour Geometric Type (3006,0042).")
    position_mm: float = Field(description="Of its plane, along the normal of the structure's planes.")
    hole: bool = Field(description="Whether it cuts a hole into the contour around it.")
    area_mm2: float = Field(description="Of the contour by itself, even-odd; nought for points and open contours.")
    perimeter_mm: float
    points_mm: list[Point]


class OutlineModel(BaseModel):
    """The contours of one structure."""

    number: int
    name: str
    color: tuple[int, int, int] | None
    interpreted_type: str | None
    plane_normal: Point | None
    contours: list[ContourModel]


class StructureModel(BaseModel):
    """One structure (ROI)."""

    number: int = Field(description="ROI Number (3006,0022); negative where the file gives none of its own.")
    name: str
    color: tuple[int, int, int] | None = Field(description="ROI Display Color (3006,002A): red, green, blue, 0 to 255.")
    interpreted_type: str | None = Field(description="RT ROI Interpreted Type (3006,00A4).")
    generation_algorithm: str | None = Field(description="ROI Generation Algorithm (3006,0036).")
    contour_count: int
    point_count: int
    plane_count: int
    volume_cm3: float | None = Field(description="Sum of area times thickness, full slabs at both ends.")
    volume_half_end_slabs_cm3: float | None = Field(description="The same with half slabs at both ends.")
    centroid_mm: Point | None
    bounding_box_mm: tuple[Point, Point] | None
    z_range_mm: tuple[float, float] | None
    plane_normal: Point | None
    plane_spacing_mm: float | None
    areas: list[PlaneAreaModel]
    contours: list[ContourModel] | None = Field(default=None, description="Left out with `contours=false`.")
    warnings: list[Warning]


class StructureSetModel(BaseModel):
    """One RT Structure Set."""

    orthanc_id: str
    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str
    frame_of_reference_uid: str | None
    referenced_series_uid: str | None
    referenced_series_uids: list[str]
    label: str
    name: str
    date: str | None = Field(description="Structure Set Date (3006,0008), YYYYMMDD.")
    time: str | None
    approval_status: str | None
    warnings: list[Warning]
    structures: list[StructureModel]


class ExtractionModel(BaseModel):
    """One row of the queue."""

    orthanc_id: str
    state: Literal["pending", "running", "done", "failed"]
    attempts: int
    error: str | None
    enqueued_at: datetime
    next_try_at: datetime | None = Field(description="When a pending one is tried next.")
    started_at: datetime | None
    finished_at: datetime | None
    duration_s: float | None
    sop_instance_uid: str | None
    series_instance_uid: str | None
    study_instance_uid: str | None
    label: str | None
    structure_count: int | None
    contour_count: int | None
    point_count: int | None


class ExtractionPage(BaseModel):
    """A page of the queue."""

    items: list[ExtractionModel]
    total: int
    limit: int
    offset: int
