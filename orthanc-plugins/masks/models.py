"""What ``labelmap.json`` says."""

from __future__ import annotations

from pydantic import BaseModel, Field


class LabelModel(BaseModel):
    """One structure of a label map."""

    label: int = Field(description="The value of its voxels: its ROI Number, or its place in the set.")
    number: int
    name: str
    color: tuple[int, int, int] | None
    interpreted_type: str | None
    voxels: int = Field(description="Of its mask.")
    hidden_voxels: int = Field(description="How many of these show another, smaller structure.")
    volume_cm3: float = Field(description="Voxels times the volume of one.")


class FindingModel(BaseModel):
    """Something that a reader of the masks should know."""

    code: str
    message: str


class LabelMapModel(BaseModel):
    """A label map without its voxels."""

    series_instance_uid: str | None = Field(description="Of the images whose grid it has.")
    shape: tuple[int, int, int] = Field(description="Slices, rows, columns.")
    affine_lps: list[list[float]] = Field(description="From (column, row, slice, 1) to (x, y, z, 1) in mm, LPS.")
    combine: str
    coverage: int | None
    labels: list[LabelModel]
    findings: list[FindingModel]
