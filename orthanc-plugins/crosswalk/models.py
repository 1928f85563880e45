"""What the crosswalk says."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field


class CrosswalkEntryModel(BaseModel):
    """One study as one destination knows it, and who it is."""

    pseudonym: str = Field(description="Patient ID and Patient's Name at the destination.")
    study_instance_uid: str = Field(description="At the destination.")
    destination: str
    recorded_at: datetime = Field(description="When it was first sent.")
    sent_at: datetime = Field(description="When it was last sent.")
    readable: bool = Field(description="False: sealed with a key that PACS_CROSSWALK_KEY does not list.")
    patient_id: str | None = None
    patient_name: str | None = None
    patient_birth_date: str | None = Field(default=None, description="YYYYMMDD.")
    original_study_instance_uid: str | None = Field(default=None, description="Here.")
    date_shift_days: int | None = Field(
        default=None, description="A date at the destination minus this is the real one; 0: dates were not shifted."
    )


class CrosswalkPage(BaseModel):
    """A page of the entries found, the newest first."""

    items: list[CrosswalkEntryModel]
    total: int
    limit: int
    offset: int
