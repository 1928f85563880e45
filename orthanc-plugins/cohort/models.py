"""What the cohort query says."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field


class CohortStructureModel(BaseModel):
    """One structure of one structure set."""

    orthanc_id: str = Field(description="Of the structure set: `/api/extract-rt/{orthanc_id}` tells the rest.")
    sop_instance_uid: str | None
    study_instance_uid: str | None
    patient_id: str | None
    study_date: str | None = Field(description="YYYYMMDD.")
    arrived_at: datetime = Field(description="When the structure set arrived.")
    label: str | None = Field(description="Structure Set Label.")
    number: int | None = Field(description="ROI Number.")
    name: str = Field(description="As the file has it.")
    tg263: str | None = Field(description="The suggested TG-263 name.")
    tg263_confidence: float | None
    interpreted_type: str | None
    volume_cm3: float | None
    contour_count: int
    plane_count: int
    centroid_x_mm: float | None
    centroid_y_mm: float | None
    centroid_z_mm: float | None
    warning_count: int


class CohortPage(BaseModel):
    """A page of the structures found."""

    items: list[CohortStructureModel]
    total: int
    limit: int
    offset: int
