"""What the forwarding routes say, and are told. Moments are ISO 8601 in UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from store.deliveries import State


class DestinationModel(BaseModel):
    """Where studies go."""

    name: str
    kind: Literal["dicom", "dicomweb", "xnat"]
    address: str = Field(description="The modality's name, or the URL.")
    deidentified: bool
    profile: str | None = Field(description="The profile of de-identification.")
    state: Literal["up", "down", "paused", "unknown"] = Field(
        description="paused: it answers, and is outside its time window."
    )
    reason: str | None = Field(description="Why it is not up.")
    since: datetime = Field(description="When it began to be up, or down.")
    last_success_at: datetime | None
    waiting: int
    failed: int


class DestinationList(BaseModel):
    """The destinations that are configured and on."""

    items: list[DestinationModel]


class DeliveryModel(BaseModel):
    """One delivery of (a part of) a study."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    destination: str
    study_orthanc_id: str
    study_instance_uid: str
    patient_id: str
    patient_name: str
    study_description: str
    state: State
    by_hand: bool
    attempts: int
    instances_total: int
    instances_sent: int
    bytes_total: int
    reason: str | None = Field(description="Why it waits, failed or was cancelled.")
    proof: str | None = Field(description="By what the other end was asked: c_find, qido, …")
    created_at: datetime
    next_try_at: datetime | None = Field(description="When a waiting one is tried next.")
    started_at: datetime | None
    delivered_at: datetime | None
    duration_s: float | None


class DeliveryPage(BaseModel):
    """A page of deliveries."""

    items: list[DeliveryModel]
    total: int
    limit: int
    offset: int


class SummaryItem(BaseModel):
    """How the deliveries of one destination stand."""

    destination: str
    waiting: int
    sending: int
    verifying: int
    delivered: int
    failed: int
    cancelled: int
    oldest_waiting_s: float | None
    last_success_at: datetime | None


class Summary(BaseModel):
    """How the deliveries stand, by destination."""

    items: list[SummaryItem]


class NewDelivery(BaseModel):
    """A study to be sent now."""

    study: str = Field(
        description="Orthanc identifier or Study Instance UID.", pattern=r"^[0-9a-f-]{44}$|^[0-9.]{1,64}$"
    )
    destination: str = Field(max_length=32)


class Chosen(BaseModel):
    """Deliveries to do something with."""

    ids: Annotated[list[int], Field(min_length=1, max_length=10_000)]


class Changed(BaseModel):
    """How many were changed; others were not in a state that allows it."""

    changed: int
