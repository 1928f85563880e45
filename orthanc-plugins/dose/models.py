"""What ``/dvh`` says."""

from __future__ import annotations

from pydantic import BaseModel, Field


class WarningModel(BaseModel):
    """Something that a reader of the numbers should know."""

    code: str
    message: str


class GridShapeModel(BaseModel):
    """Voxels of the dose grid."""

    planes: int
    rows: int
    columns: int


class DoseModel(BaseModel):
    """The dose that was used (PS3.3 C.8.8.3)."""

    orthanc_id: str
    chosen_because: str = Field(description="Why this dose and not another.")
    others: list[str] = Field(description="SOP Instance UIDs of other doses that would fit.")
    sop_instance_uid: str
    units: str = Field(description="GY or RELATIVE: of all doses in this answer.")
    dose_type: str
    summation_type: str
    frame_of_reference_uid: str | None
    plan_uids: list[str]
    structure_set_uids: list[str]
    maximum: float
    voxel_mm: tuple[float, float, float]
    shape: GridShapeModel
    warnings: list[WarningModel]


class ReferenceDoseModel(BaseModel):
    """What 100 % is for V in percent."""

    value: float
    source: str


class StructureSetModel(BaseModel):
    """The structure set."""

    sop_instance_uid: str
    label: str


class VolumeModel(BaseModel):
    """A volume that gets at least some dose."""

    cm3: float | None
    percent: float


class CurveModel(BaseModel):
    """Cumulative: value n is the volume that gets at least n × bin_width. Differences of neighbours: differential."""

    bin_width: float
    volume_unit: str = Field(description="cm3; share of one where no volume is known.")
    cumulative: list[float]


class PointModel(BaseModel):
    """A point of a POINT structure; no dose outside the grid."""

    position_mm: tuple[float, float, float]
    dose: float | None


class BesideModel(BaseModel):
    """One quantity, read off the stored curve and computed here."""

    name: str
    stored: float | None
    ours: float | None
    difference: float | None
    difference_percent: float | None
    within_bin: bool = Field(description="The difference is no more than one bin of the stored curve.")


class StoredModel(BaseModel):
    """The DVH that the planning system stored in the dose."""

    type: str
    dose_units: str
    volume_units: str
    compared: list[BesideModel]


class StructureModel(BaseModel):
    """One structure. Doses in the units of the dose."""

    number: int
    name: str
    color: tuple[int, int, int] | None
    interpreted_type: str | None
    volume_cm3: float | None
    outside_cm3: float | None = Field(description="Outside the dose grid.")
    outside_percent: float
    minimum: float | None
    maximum: float | None
    mean: float | None
    median: float | None
    d: dict[str, float | None] = Field(description="`D95%`: the least dose to the hottest 95 % of the volume.")
    v: dict[str, VolumeModel | None] = Field(description="`V20Gy`: the volume that gets at least 20 Gy.")
    curve: CurveModel | None
    points: list[PointModel]
    stored: StoredModel | None
    warnings: list[WarningModel]


class DvhModel(BaseModel):
    """Dose-volume histograms of a structure set."""

    structure_set: StructureSetModel
    dose: DoseModel
    reference_dose: ReferenceDoseModel
    outside: str
    end_slabs: str
    combine: str
    structures: list[StructureModel]
