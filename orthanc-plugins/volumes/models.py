"""What ``/volumes`` says."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

Point = tuple[float, float, float]


class FindingModel(BaseModel):
    """Something a reader of the numbers should know."""

    code: str
    message: str


class VolumeMethodsModel(BaseModel):
    """One volume by each method, in cm³; docs/rtstruct/geometry.md defines them."""

    full_slabs: float | None = Field(description="Area times thickness, whole slabs at both ends. Has no bias.")
    half_end_slabs: float | None = Field(description="The same less half a slab at each end.")
    voxels: float | None = Field(description="Voxels of the images whose centre lies inside; None without images.")


class MeasuredPlaneModel(BaseModel):
    """One plane of contours."""

    position_mm: float
    area_mm2: float
    contour_count: int
    perimeter_mm: float
    centroid_mm: Point | None


class MeasuredStructureModel(BaseModel):
    """One structure."""

    number: int
    name: str
    volumes_cm3: VolumeMethodsModel
    centroid_mm: Point | None
    plane_count: int
    plane_spacing_mm: float | None
    areas: list[MeasuredPlaneModel]
    warnings: list[FindingModel]


class VolumesModel(BaseModel):
    """All structures asked for."""

    model_config = ConfigDict(title="Volumes")

    combine: str
    interpolate: bool
    series_instance_uid: str | None = Field(description="The images whose voxels were counted.")
    no_images: str | None = Field(description="Why there are none.")
    structures: list[MeasuredStructureModel]
