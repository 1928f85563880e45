"""What ``intensities`` says; definitions and units are those of the IBSI reference manual, section 3.3."""

from __future__ import annotations

from pydantic import BaseModel, Field


class StatisticsModel(BaseModel):
    """Intensity-based statistical features, in the units of the image unless said otherwise."""

    mean: float
    variance: float = Field(description="Squared units; divided by N.")
    skewness: float = Field(description="Without unit.")
    kurtosis: float = Field(description="Excess kurtosis, without unit: 0 for a normal distribution.")
    median: float
    minimum: float
    percentile_10: float
    percentile_90: float
    maximum: float
    interquartile_range: float
    range: float
    mean_absolute_deviation: float
    robust_mean_absolute_deviation: float = Field(description="Of the values from the 10th to the 90th percentile.")
    median_absolute_deviation: float = Field(description="Mean absolute deviation from the median.")
    coefficient_of_variation: float | None = Field(description="Without unit; null when the mean is 0.")
    quartile_coefficient_of_dispersion: float | None = Field(description="Without unit; null when P25 + P75 is 0.")
    energy: float = Field(description="Squared units: the sum of the squares.")
    root_mean_square: float


class HistogramModel(BaseModel):
    """Bin i holds values from start + i · bin_width up to, not including, the next."""

    start: float
    bin_width: float
    counts: list[int]


class FindingModel(BaseModel):
    """Something that a reader of the numbers should know."""

    code: str
    message: str


class StructureIntensitiesModel(BaseModel):
    """One structure."""

    number: int
    name: str
    voxels: int = Field(description="Whose centre lies in the structure, on images that are there.")
    volume_cm3: float
    statistics: StatisticsModel | None = Field(description="Null without voxels.")
    histogram: HistogramModel | None
    findings: list[FindingModel]


class IntensitiesModel(BaseModel):
    """Structures on a series of images."""

    series_instance_uid: str
    modality: str
    units: str | None = Field(description="HU; for PET the Units (0054,1001); else the Rescale Type.")
    note: str = Field(description="What was done to the stored values.")
    combine: str
    structures: list[StructureIntensitiesModel]
    findings: list[FindingModel]
