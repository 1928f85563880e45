"""What the upload route says."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class UploadedFile(BaseModel):
    """What became of one file."""

    name: str = Field(description="As sent; within a ZIP, `archive.zip/path/in/it.dcm`.")
    result: Literal["stored", "already_stored", "rejected"]
    reason: str | None = Field(default=None, description="Why it was rejected.")
    orthanc_id: str | None = None
    sop_instance_uid: str | None = None
    study_instance_uid: str | None = None


class UploadAnswer(BaseModel):
    """What became of a whole request."""

    files: list[UploadedFile]
    stored: int
    already_stored: int
    rejected: int
