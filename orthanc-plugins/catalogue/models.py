"""What the catalogue's routes say. Dates and times are DICOM's own; moments are ISO 8601 in UTC."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field


class SeriesModel(BaseModel):
    """One series of a study."""

    orthanc_id: str
    series_instance_uid: str
    modality: str
    number: int | None
    description: str
    series_date: str | None
    station: str
    manufacturer: str
    body_part: str
    instance_count: int
    size_bytes: int


class StudyModel(BaseModel):
    """One study, as a list shows it."""

    orthanc_id: str
    study_instance_uid: str
    patient_id: str
    patient_name: str = Field(description="Patient's Name (0010,0010) as stored, components between carets.")
    patient_birth_date: str | None
    patient_sex: str | None
    accession_number: str
    description: str
    study_date: str | None = Field(description="YYYYMMDD.")
    study_time: str | None
    referring_physician: str
    institution: str
    modalities: list[str]
    series_count: int
    instance_count: int
    size_bytes: int
    arrived_at: datetime = Field(description="When its first instance arrived.")
    updated_at: datetime


class StudyDetail(StudyModel):
    """One study with its series."""

    series: list[SeriesModel]


class StudyPage(BaseModel):
    """A page of studies."""

    items: list[StudyModel]
    total: int
    limit: int
    offset: int


class ModalityCount(BaseModel):
    """What is held of one modality."""

    modality: str
    studies: int
    series: int
    instances: int


class DayCount(BaseModel):
    """What arrived on one day (UTC)."""

    day: str
    studies: int
    instances: int
    size_bytes: int


class ExtractionTotals(BaseModel):
    """Structure sets by state, and the structures extracted from them."""

    pending: int
    running: int
    done: int
    failed: int
    structures: int


class Statistics(BaseModel):
    """What the archive holds."""

    patients: int
    studies: int
    series: int
    instances: int
    disk_bytes: int
    by_modality: list[ModalityCount]
    growth: list[DayCount] = Field(description="Days on which studies arrived, oldest first.")
    extractions: ExtractionTotals


class RebuildAnswer(BaseModel):
    """The rebuilding of the catalogue has been ordered."""

    message: str
