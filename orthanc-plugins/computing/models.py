"""What the routes of computations say."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class ComputationModel(BaseModel):
    """One computation that runs, or has ended lately."""

    id: str
    name: str = Field(description="Of the kind of answer, such as `labelmap.nii.gz`.")
    instance: str | None = Field(description="Orthanc identifier of the instance that it is about, if there is one.")
    state: Literal["running", "done", "failed"]
    progress: float = Field(ge=0, le=1)
    started: datetime
    message: str = Field(description="What it does at this moment, or why it failed.")
    remedy: str | None = Field(description="What to do about a failure.")
    result: str = Field(description="Where the answer is, once it is done.")
