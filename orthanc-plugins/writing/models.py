"""What ``/create-rt`` is asked and what it says."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Channel = Annotated[int, Field(ge=0, le=255)]


class NamingModel(BaseModel):
    """What a label or segment is called; what is left out stays as the file says."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, min_length=1, max_length=64)
    color: tuple[Channel, Channel, Channel] | None = Field(default=None, description="Red, green, blue.")
    interpreted_type: str | None = Field(
        default=None, pattern=r"^[A-Z0-9_ ]{1,16}$", description="RT ROI Interpreted Type: GTV, ORGAN, …"
    )


class CreateRequest(BaseModel):
    """What the structure set is to be."""

    model_config = ConfigDict(extra="forbid")

    series: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f-]{44}$|^[0-9.]{1,64}$",
        description="The image series (UID or Orthanc identifier). A DICOM Segmentation names its own.",
    )
    instance: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f-]{44}$|^[0-9.]{1,64}$",
        description="A DICOM Segmentation in this archive, in place of a file.",
    )
    label: str = Field(default="", max_length=16, description="Structure Set Label.")
    structures: dict[Annotated[int, Field(ge=1, le=65535)], NamingModel] = Field(
        default_factory=dict, description="By label, or segment number."
    )


class WrittenStructureModel(BaseModel):
    """One structure, as it was written and read back."""

    number: int = Field(description="ROI Number: the label or segment number.")
    name: str
    voxel_count: int
    volume_cm3: float
    contour_count: int
    voxels_different: int = Field(description="Between the segmentation and the mask read back from the contours.")


class CreateAnswer(BaseModel):
    """The structure set that was stored."""

    result: Literal["stored", "already_stored"]
    orthanc_id: str
    sop_instance_uid: str
    series_instance_uid: str
    image_series_uid: str
    structures: list[WrittenStructureModel]
    empty: list[str] = Field(description="Names of segments without a voxel; they are left out.")
