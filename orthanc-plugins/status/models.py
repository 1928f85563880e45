"""What the status routes say."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

State = Literal["up", "degraded", "down", "not_configured"]


class ServiceStatus(BaseModel):
    """The state of one service, as last probed."""

    name: str
    state: State
    latency_ms: float | None = Field(description="How long the last successful probe took.")
    version: str | None
    since: datetime = Field(description="When this state began.")
    checked_at: datetime | None = Field(description="When the last probe ended; null before the first.")
    reason: str | None = Field(description="Why it is not up.")


class Status(BaseModel):
    """The state of the whole stack."""

    status: State = Field(description="down when Orthanc or its database is; degraded when another service is not up.")
    services: list[ServiceStatus]
