"""Statistics of the image values in a structure, by the names and definitions of the IBSI [1]_, section 3.3.

Nothing is resampled, discretised or cut off: every voxel whose centre lies in the structure counts once, with its
rescaled value.

.. [1] Zwanenburg, Leger, Vallières, Löck. Image biomarker standardisation initiative. arXiv:1612.07003.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .images import Image
from .masks import Mask

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

#: Whole numbers that span less than this are counted; that is exact, and ten times as fast as sorting.
_MOST_LEVELS = 1 << 17
#: How many of them are counted together.
_PORTION = 1 << 17
#: Of a histogram; more says that the width is too small.
MOST_BINS = 10_000
#: About how many bins a histogram has whose width nobody gave.
_USUAL_BINS = 100
#: What is customary for CT.
_BIN_WIDTH_HU = 10.0


class TooManyBins(ValueError):
    """The bins asked for are too narrow for the values."""


@dataclass(frozen=True)
class Statistics:
    """Intensity-based statistical features (IBSI 3.3), in the units of the image unless said otherwise.

    ``variance`` (squared units) and all moments are those of the population (divided by N). ``kurtosis`` is the excess
    kurtosis: nought for a normal distribution. Percentiles are interpolated linearly. Ratios are None where their
    divisor is nought.
    """

    mean: float
    variance: float
    skewness: float
    kurtosis: float
    median: float
    minimum: float
    percentile_10: float
    percentile_90: float
    maximum: float
    interquartile_range: float
    range: float
    mean_absolute_deviation: float
    robust_mean_absolute_deviation: float
    median_absolute_deviation: float
    coefficient_of_variation: float | None
    quartile_coefficient_of_dispersion: float | None
    energy: float
    root_mean_square: float


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of values: bin i holds those from ``start + i * bin_width`` up to, not including, the next."""

    start: float
    bin_width: float
    counts: Counts


@dataclass(frozen=True, eq=False)
class Intensities:
    """The values of one structure; both None when it has no voxel on the images."""

    voxels: int
    statistics: Statistics | None
    histogram: Histogram | None


def intensities_of(image: Image, mask: Mask, bin_width: float | None = None) -> Intensities:
    """Measure the values of an image in a structure.

    Parameters
    ----------
    mask
        On the grid of the image. Voxels on missing slices do not count.
    bin_width
        Of the histogram, in units of the image. Else 10 HU for CT, and for others a round number that makes about a
        hundred bins.

    Raises
    ------
    TooManyBins
        If the width makes more than `MOST_BINS`.

    """
    values, counts = _levels(image, mask)
    if not len(values):
        return Intensities(0, None, None)
    return Intensities(int(counts.sum()), statistics_of(values, counts), _histogram(values, counts, image, bin_width))


def statistics_of(values: Floats, counts: Counts) -> Statistics:
    """The features of values in ascending order, each there as often as its count says."""
    n = int(counts.sum())
    mean = float((counts * values).sum() / n)
    deviation = values - mean
    variance, third, fourth = (float((counts * deviation**power).sum() / n) for power in (2, 3, 4))
    p10, p25, median, p75, p90 = _percentiles(values, counts, (0.1, 0.25, 0.5, 0.75, 0.9))
    energy = float((counts * values**2).sum())
    central = (values >= p10) & (values <= p90)
    minimum, maximum = float(values[0]), float(values[-1])
    # A structure of one value has no shape; the IBSI says nought.
    shapeless = variance <= 0
    return Statistics(
        mean=mean,
        variance=variance,
        skewness=0.0 if shapeless else third / variance**1.5,
        kurtosis=0.0 if shapeless else fourth / variance**2 - 3,
        median=median,
        minimum=minimum,
        percentile_10=p10,
        percentile_90=p90,
        maximum=maximum,
        interquartile_range=p75 - p25,
        range=maximum - minimum,
        mean_absolute_deviation=float((counts * np.abs(deviation)).sum() / n),
        robust_mean_absolute_deviation=_mean_deviation(values[central], counts[central]),
        median_absolute_deviation=float((counts * np.abs(values - median)).sum() / n),
        coefficient_of_variation=math.sqrt(variance) / mean if mean else None,
        quartile_coefficient_of_dispersion=(p75 - p25) / (p75 + p25) if p75 + p25 else None,
        energy=energy,
        root_mean_square=math.sqrt(energy / n),
    )


def _mean_deviation(values: Floats, counts: Counts) -> float:
    # Between two values may lie no voxel at all.
    n = int(counts.sum())
    if not n:
        return 0.0
    mean = (counts * values).sum() / n
    return float((counts * np.abs(values - mean)).sum() / n)


def _percentiles(values: Floats, counts: Counts, shares: tuple[float, ...]) -> list[float]:
    last = np.cumsum(counts)
    rank = np.array(shares) * (last[-1] - 1)
    below = np.floor(rank)
    low = values[np.searchsorted(last, below, side="right")]
    high = values[np.searchsorted(last, np.minimum(below + 1, last[-1] - 1), side="right")]
    found: list[float] = (low + (rank - below) * (high - low)).tolist()
    return found


def _levels(image: Image, mask: Mask) -> tuple[Floats, Counts]:
    """The distinct values in ascending order, and how often each is there."""
    slices = mask.box[0]
    slope, intercept = image.slope[slices], image.intercept[slices]
    whole = np.issubdtype(image.stored.dtype, np.integer)
    if whole and len(slope) and (slope == slope[0]).all() and (intercept == intercept[0]).all():
        inside = mask.inside
        if not image.present[slices].all():
            inside = inside & image.present[slices][:, None, None]
        # Flat: of three axes it takes a third longer.
        stored = np.ascontiguousarray(image.stored[mask.box]).reshape(-1)[inside.reshape(-1)]
        if len(stored):
            low, high = int(stored.min()), int(stored.max())
            if high - low < _MOST_LEVELS:
                counts = _counts(stored, low, high)
                level = np.flatnonzero(counts)
                values = (level + low) * slope[0] + intercept[0]
                # A negative slope turns the order round.
                return (values, counts[level]) if slope[0] > 0 else (values[::-1], counts[level][::-1])
    values, counts = np.unique(image.value_at(mask.inside, mask.box), return_counts=True)
    return values, counts.astype(np.int64)


def _counts(stored: npt.NDArray[np.integer[Any]], low: int, high: int) -> Counts:
    """How often each whole number from `low` to `high` is there. In portions that stay in the processor's cache."""
    counts = np.zeros(high - low + 1, dtype=np.int64)
    for start in range(0, len(stored), _PORTION):
        level = np.subtract(stored[start : start + _PORTION], low, dtype=np.int64)
        counts += np.bincount(level, minlength=len(counts))
    return counts


def _histogram(values: Floats, counts: Counts, image: Image, bin_width: float | None) -> Histogram:
    low, high = float(values[0]), float(values[-1])
    if bin_width is None:
        bin_width = _BIN_WIDTH_HU if image.units == "HU" else _round_width((high - low) / _USUAL_BINS)
    first = math.floor(low / bin_width)
    if high / bin_width - first >= MOST_BINS:
        raise TooManyBins(
            f"bins of {bin_width:g} are too narrow for values from {low:g} to {high:g} {image.units}".rstrip()
        )
    index = np.floor(values / bin_width).astype(np.int64) - first
    return Histogram(first * bin_width, bin_width, np.bincount(index, counts).astype(np.int64))


def _round_width(width: float) -> float:
    """The next of 1, 2 and 5 times a power of ten."""
    if width <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(width))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= width * (1 - 1e-9))
