"""Statistics of image values: the IBSI's own phantom, scipy's definitions, real images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

import rtstruct
from rtstruct.images import Image, read_image
from rtstruct.intensities import TooManyBins, intensities_of
from rtstruct.masks import Mask, mask_of
from unit.rtstruct.image_files import image_file

#: The digital phantom of the IBSI (reference manual, section 5.1): 4 slices of 4 × 5; nought is outside the region.
PHANTOM = np.array(
    [
        [[1, 4, 4, 1, 1], [1, 4, 6, 1, 1], [4, 1, 6, 4, 1], [4, 4, 6, 4, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 6, 1, 1], [0, 1, 3, 1, 1], [4, 4, 6, 1, 1]],
        [[1, 4, 4, 0, 0], [1, 1, 1, 1, 1], [1, 1, 0, 1, 1], [1, 1, 6, 1, 1]],
        [[1, 4, 4, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 6, 1, 1]],
    ],
    dtype="<i2",
)
#: Its published values, to the digits that are published.
PUBLISHED = {
    "mean": "2.15",
    "variance": "3.05",
    "skewness": "1.08",
    "kurtosis": "-0.355",
    "median": "1",
    "minimum": "1",
    "percentile_10": "1",
    "percentile_90": "4",
    "maximum": "6",
    "interquartile_range": "3",
    "range": "5",
    "mean_absolute_deviation": "1.55",
    "robust_mean_absolute_deviation": "1.11",
    "median_absolute_deviation": "1.15",
    "coefficient_of_variation": "0.812",
    "quartile_coefficient_of_dispersion": "0.6",
    "energy": "567",
    "root_mean_square": "2.77",
}


def image_of(volume: npt.NDArray[np.generic], **tags: object) -> Image:
    return read_image(image_file(2 * k, plane, **tags) for k, plane in enumerate(volume))


def whole(image: Image, inside: npt.NDArray[np.bool_] | None = None) -> Mask:
    slices, rows, columns = image.grid.shape
    box = (slice(0, slices), slice(0, rows), slice(0, columns))
    return Mask(image.grid, box, np.ones(image.grid.shape, dtype=bool) if inside is None else inside)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_digital_phantom_has_the_values_that_the_ibsi_published(name: str) -> None:
    image = image_of(PHANTOM)
    found = intensities_of(image, whole(image, PHANTOM > 0))
    digits = len(PUBLISHED[name].lstrip("-").replace(".", "").lstrip("0"))
    assert f"{getattr(found.statistics, name):.{digits}g}" == f"{float(PUBLISHED[name]):.{digits}g}"
    assert found.voxels == 74


def assert_as_scipy_says(values: npt.NDArray[np.float64], image: Image, mask: Mask) -> None:
    found = intensities_of(image, mask)
    statistics = found.statistics
    assert statistics is not None
    p10, p25, p50, p75, p90 = np.percentile(values, [10, 25, 50, 75, 90])
    central = values[(values >= p10) & (values <= p90)]
    expected = {
        "mean": values.mean(),
        "variance": values.var(),
        "skewness": stats.skew(values),
        "kurtosis": stats.kurtosis(values),
        "median": p50,
        "percentile_10": p10,
        "percentile_90": p90,
        "interquartile_range": stats.iqr(values),
        "robust_mean_absolute_deviation": np.abs(central - central.mean()).mean(),
        "median_absolute_deviation": np.abs(values - p50).mean(),
        "coefficient_of_variation": stats.variation(values),
        "quartile_coefficient_of_dispersion": (p75 - p25) / (p75 + p25),
        "energy": (values**2).sum(),
    }
    for name, value in expected.items():
        assert getattr(statistics, name) == pytest.approx(value, rel=1e-9, abs=1e-9), name
    histogram = found.histogram
    assert histogram is not None
    edges = histogram.start + histogram.bin_width * np.arange(len(histogram.counts) + 1)
    assert int(histogram.counts.sum()) == found.voxels == len(values)
    assert edges[0] <= values.min() and values.max() < edges[-1] + 1e-9 * abs(edges[-1])


def test_counting_levels_gives_what_scipy_computes() -> None:
    rng = np.random.default_rng(3)
    volume = rng.normal(40, 300, (6, 9, 7)).astype("<i2")
    inside = rng.random(volume.shape) < 0.6
    image = image_of(volume, RescaleSlope=2, RescaleIntercept=-1024)
    assert_as_scipy_says(volume[inside] * 2.0 - 1024, image, whole(image, inside))
    turned = image_of(volume, RescaleSlope=-1.5)
    assert_as_scipy_says(volume[inside] * -1.5, turned, whole(turned, inside))


@pytest.mark.parametrize("modality", ["CT", "PET"])
def test_real_images_give_what_scipy_computes(data_folder: Path, modality: str) -> None:
    folder = data_folder / "sts" / "STS_001" / modality
    image = read_image(path.read_bytes() for path in (folder / "image").glob("*.dcm"))
    structure = rtstruct.read((folder / "mask" / "RS.dcm").read_bytes()).structures[0]
    mask = mask_of(structure, image.grid)
    values = (image.stored * image.slope[:, None, None] + image.intercept[:, None, None])[mask.values]
    assert_as_scipy_says(values, image, mask)


def test_one_value_has_no_spread_and_no_ratio_of_nought() -> None:
    image = image_of(np.zeros((2, 4, 5), "<i2"))
    statistics = intensities_of(image, whole(image)).statistics
    assert statistics is not None
    assert (statistics.variance, statistics.skewness, statistics.kurtosis) == (0, 0, 0)
    assert (statistics.coefficient_of_variation, statistics.quartile_coefficient_of_dispersion) == (None, None)


def test_two_values_far_apart_leave_nothing_between_the_percentiles() -> None:
    image = image_of(np.array([[[0, 100]]], "<i2"))
    statistics = intensities_of(image, whole(image)).statistics
    assert statistics is not None
    assert (statistics.robust_mean_absolute_deviation, statistics.median) == (0, 50)


def test_no_voxels_no_numbers() -> None:
    image = image_of(PHANTOM)
    nothing = intensities_of(image, whole(image, np.zeros(PHANTOM.shape, dtype=bool)))
    assert (nothing.voxels, nothing.statistics, nothing.histogram) == (0, None, None)


def test_missing_slices_do_not_count() -> None:
    image = read_image(image_file(z, np.full((4, 5), 7, "<i2")) for z in (0, 3, 9))
    found = intensities_of(image, whole(image))
    assert found.statistics is not None
    assert (found.voxels, found.statistics.minimum) == (60, 7)


def test_bins_are_round_numbers_and_bounded() -> None:
    image = image_of(PHANTOM * 11)
    histogram = intensities_of(image, whole(image, PHANTOM > 0)).histogram
    assert histogram is not None
    assert (histogram.start, histogram.bin_width) == (10, 10)
    assert histogram.counts.tolist() == [50, 0, 1, 16, 0, 7]
    with pytest.raises(TooManyBins, match="too narrow"):
        intensities_of(image, whole(image), 1e-4)
    magnetic = replace(image, units="")
    unitless = intensities_of(magnetic, whole(magnetic)).histogram
    assert unitless is not None and unitless.bin_width == 1
