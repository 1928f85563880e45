"""What ``/compare-rt`` and ``/consensus-rt`` are asked, and what they say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from host.spreadsheets import Separator
from rtstruct.comparison import MOST_RATERS, TOLERANCE_MM, By, Method
from rtstruct.sections import Combine

IDENTIFIER = r"^[0-9a-f-]{44}$|^[0-9.]{1,64}$"
Identifier = Annotated[str, Field(pattern=IDENTIFIER, description="Orthanc identifier or SOP Instance UID.")]
StructureKey = Annotated[int | str, Field(description="ROI Number or ROI Name.")]
Tolerance = Annotated[float, Field(ge=0, le=1000)]
Pixel = Annotated[
    float | None,
    Field(
        ge=0.05, le=20, description="Of the rows and columns of the common grid; chosen from the structures by default."
    ),
]


class PairAsked(BaseModel):
    """Two structures to be compared: `a` of the reference, `b` of the other set."""

    model_config = ConfigDict(extra="forbid")

    a: StructureKey
    b: StructureKey


class CompareRequest(BaseModel):
    """Two structure sets to be compared; `a` is the reference."""

    model_config = ConfigDict(extra="forbid")

    a: Identifier
    b: Identifier
    match: By = "auto"
    pairs: Annotated[list[PairAsked], Field(max_length=1000)] = []
    tolerance_mm: Tolerance = TOLERANCE_MM
    pixel_mm: Pixel = None
    combine: Combine = "auto"
    format: Literal["json", "csv"] = "json"
    separator: Separator = "comma"


class MemberAsked(BaseModel):
    """One structure of the consensus."""

    model_config = ConfigDict(extra="forbid")

    instance: Identifier
    structure: StructureKey


class ConsensusRequest(BaseModel):
    """Structures that draw the same thing."""

    model_config = ConfigDict(extra="forbid")

    structures: Annotated[list[MemberAsked], Field(min_length=2, max_length=MOST_RATERS)]
    method: Method = "staple"
    pixel_mm: Pixel = None
    combine: Combine = "auto"
    format: Literal["json", "nii.gz"] = "json"


class FindingModel(BaseModel):
    """Something a reader of the numbers should know."""

    code: str
    message: str


class StructureModel(BaseModel):
    """A structure as its set names it."""

    number: int
    name: str


class StructureSetModel(BaseModel):
    """One of the two sets."""

    orthanc_id: str
    sop_instance_uid: str
    label: str


class MetricsModel(BaseModel):
    """See docs/rtstruct/comparison.md for each definition. None where something has no meaning."""

    volume_a_cm3: float
    volume_b_cm3: float
    intersection_cm3: float
    volume_ratio: float | None = Field(description="b / a")
    dice: float | None
    jaccard: float | None
    hausdorff_mm: float | None
    hausdorff_95_mm: float | None
    mean_surface_distance_mm: float | None
    mean_distance_a_to_b_mm: float | None
    mean_distance_b_to_a_mm: float | None
    surface_dice: float | None = Field(description="At tolerance_mm.")
    added_path_length_mm: float | None
    added_path_length_at_tolerance_mm: float | None
    path_length_mm: float
    centre_distance_mm: float | None
    tolerance_mm: float


class PairModel(BaseModel):
    """Two structures compared."""

    a: StructureModel
    b: StructureModel
    matched_by: str = Field(description="explicit, number, name or tg263")
    metrics: MetricsModel | None
    spacing_mm: tuple[float, float, float] | None = Field(description="Slices, rows and columns of the common grid.")
    warnings: list[FindingModel]


class UnmatchedModel(BaseModel):
    """What has no counterpart."""

    a: list[StructureModel]
    b: list[StructureModel]


class ComparisonModel(BaseModel):
    """Two structure sets compared."""

    a: StructureSetModel
    b: StructureSetModel
    match: str
    tolerance_mm: float
    combine: str
    pairs: list[PairModel]
    unmatched: UnmatchedModel


class RaterModel(BaseModel):
    """One structure held against the consensus."""

    instance: str
    sop_instance_uid: str
    number: int
    name: str
    volume_cm3: float
    sensitivity: float | None
    specificity: float | None
    dice: float | None


class GridModel(BaseModel):
    """The grid of the consensus, in mm and LPS."""

    shape: tuple[int, int, int] = Field(description="Slices, rows, columns.")
    spacing_mm: tuple[float, float, float] = Field(description="From column, row and slice to the next.")
    origin_mm: tuple[float, float, float]
    directions: list[tuple[float, float, float]]


class ConsensusModel(BaseModel):
    """What several structures agree on."""

    method: Method
    volume_cm3: float
    iterations: int = Field(description="Of STAPLE, else 0.")
    converged: bool
    raters: list[RaterModel]
    grid: GridModel
    warnings: list[FindingModel]
