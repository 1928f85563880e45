"""What ``/surfaces`` says."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class FindingModel(BaseModel):
    """Something a reader of the numbers should know."""

    code: str
    message: str


class IbsiMeshModel(BaseModel):
    """Marching cubes at 0.5 on the mask: the IBSI's definition, steps of voxels included."""

    volume_mesh_cm3: float = Field(description="Volume (mesh), RNU0.")
    volume_voxel_cm3: float = Field(description="Volume (voxel counting), YEKZ.")
    surface_area_cm2: float = Field(description="Surface area (mesh), C0JK.")


class SmoothMeshModel(BaseModel):
    """The smooth mesh of the contours, as /mesh.stl gives it."""

    volume_cm3: float
    surface_area_cm2: float


class SurfaceModel(BaseModel):
    """One structure."""

    number: int
    name: str
    ibsi_mesh: IbsiMeshModel | None = Field(description="None without images, or where it has no voxel on them.")
    smooth_mesh: SmoothMeshModel | None = Field(description="None where no surface can be drawn.")
    warnings: list[FindingModel]


class SurfacesModel(BaseModel):
    """All structures asked for."""

    model_config = ConfigDict(title="Surfaces")

    series_instance_uid: str | None = Field(description="The images that ibsi_mesh is measured on.")
    no_images: str | None = Field(description="Why there are none.")
    structures: list[SurfaceModel]
