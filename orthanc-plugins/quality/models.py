"""What the routes of quality and repair say. Lengths in mm in the patient coordinate system of DICOM (LPS)."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class PlaceModel(BaseModel):
    """Where in the structure set; what does not apply is null."""

    structure_number: int | None
    structure_name: str | None
    position_mm: float | None = Field(description="Of a plane, along the normal of the structure's planes.")
    contour: int | None = Field(description="Index among the structure's readable contours, from nought.")
    point_mm: tuple[float, float, float] | None


class FindingModel(BaseModel):
    """One thing that a physicist would want to know; docs/rtstruct/quality.md explains each code."""

    code: str
    severity: Literal["error", "warning", "info"]
    message: str
    remedy: str
    place: PlaceModel
    in_ohif: Literal["hidden", "wrong"] | None = Field(description="What OHIF makes of it, without a word.")


class TotalsModel(BaseModel):
    """How many findings of each severity."""

    error: int
    warning: int
    info: int


class OhifReasonModel(BaseModel):
    """Why OHIF does not show the set as it is."""

    code: str
    effect: Literal["hidden", "wrong"]
    message: str


class QualityModel(BaseModel):
    """The quality report of a structure set."""

    orthanc_id: str
    compared_series_uid: str | None = Field(description="The image series that contours were compared with.")
    totals: TotalsModel
    viewable_in_ohif: bool
    ohif_reasons: list[OhifReasonModel]
    findings: list[FindingModel]


class NameModel(BaseModel):
    """What a structure is called, and what TG-263 would call it."""

    number: int
    name: str
    is_tg263: bool
    tg263: str | None = Field(description="The suggestion; null when nothing is near enough.")
    confidence: float | None = Field(description="docs/rtstruct/names.md tells what stands for which.")
    reason: str | None


class RepairRequest(BaseModel):
    """What a repair may be told; the body may be left out."""

    series: str | None = Field(
        default=None,
        pattern=r"^[0-9.]{1,64}$",
        description="Series Instance UID of the images to refer to, whatever the set says.",
    )


class ChangeModel(BaseModel):
    """One difference between the original and its copy."""

    code: str
    message: str
    count: int


class RepairModel(BaseModel):
    """A repaired copy, stored."""

    result: Literal["stored", "already_stored"]
    orthanc_id: str
    sop_instance_uid: str
    series_instance_uid: str
    original_sop_instance_uid: str
    image_series_uid: str
    changes: list[ChangeModel]
