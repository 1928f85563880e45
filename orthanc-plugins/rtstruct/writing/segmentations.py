"""Regions from a DICOM Segmentation (PS3.3 A.51): one structure for each segment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.utils import iter_pixels

from ..grids import Grid
from ..silence import pydicom_silent
from .label_maps import color_of
from .model import Color, Naming, Region, UnusableSegmentation

SEGMENTATION_STORAGE = "1.2.840.10008.5.1.4.1.1.66.4"
_REMEDY = "Send a binary DICOM Segmentation made on the images of the series."
_TOLERANCE = 0.1
_SAME_DIRECTION = 1e-3


def referenced_series(data: bytes) -> str | None:
    """The image series that a Segmentation was made on; None where it does not say, or cannot be read."""
    wanted = ["ReferencedSeriesSequence"]
    with pydicom_silent():
        try:
            dataset = dcmread(BytesIO(data), stop_before_pixels=True, specific_tags=[*wanted], force=True)
            series = dataset.get("ReferencedSeriesSequence") or []
            return str(series[0].get("SeriesInstanceUID", "")) or None if series else None
        # Whatever pydicom raises on a damaged file: reading it as a Segmentation says what is wrong.
        except Exception:
            return None


def regions_of_segmentation(data: bytes, grid: Grid, naming: Mapping[int, Naming]) -> Iterator[Region]:
    """The regions of a Segmentation, by segment; fractional ones from one half up.

    Parameters
    ----------
    grid
        Of the images; frames have its orientation and pixels, and may cover a part of an image.
    naming
        By segment number.

    Raises
    ------
    UnusableSegmentation
        If it is none, or does not fit the images.

    """
    with pydicom_silent():
        try:
            dataset = dcmread(BytesIO(data))
            if str(dataset.get("SOPClassUID", "")) != SEGMENTATION_STORAGE:
                raise UnusableSegmentation("It is no DICOM Segmentation.", _REMEDY)
            yield from _regions(dataset, grid, naming)
        except UnusableSegmentation:
            raise
        except Exception as error:
            message = f"It is no Segmentation that can be read ({type(error).__name__})."
            raise UnusableSegmentation(message, _REMEDY) from None


def _regions(dataset: Dataset, grid: Grid, naming: Mapping[int, Naming]) -> Iterator[Region]:
    shared = dataset.SharedFunctionalGroupsSequence[0]
    frames: dict[int, list[tuple[int, tuple[int, int, int]]]] = {}
    for index, groups in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        number = int(_item(groups, shared, "SegmentIdentificationSequence").ReferencedSegmentNumber)
        frames.setdefault(number, []).append((index, _place(groups, shared, grid, dataset)))
    threshold = 1
    if dataset.SegmentationType == "FRACTIONAL":
        threshold = (int(dataset.MaximumFractionalValue) + 1) // 2
    for segment in dataset.SegmentSequence:
        number = int(segment.SegmentNumber)
        placed = frames.get(number, [])
        inside = np.zeros(grid.shape, dtype=np.bool_)
        pixels = iter_pixels(dataset, indices=[index for index, _ in placed]) if placed else iter(())
        for (_, place), frame in zip(placed, pixels, strict=True):
            _paste(inside, frame >= threshold, place)
        said = naming.get(number, Naming())
        yield Region(
            number=number,
            name=said.name or str(segment.get("SegmentLabel", "")) or f"Segment {number}",
            color=said.color or _rgb(segment) or color_of(number),
            interpreted_type=said.interpreted_type or "",
            box=(box := _around(inside)),
            inside=inside[box].copy(),
        )


def _around(inside: npt.NDArray[np.bool_]) -> tuple[slice, slice, slice]:
    extents = []
    for axes in ((1, 2), (0, 2), (0, 1)):
        used = np.flatnonzero(inside.any(axis=axes))
        extents.append(slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 0))
    return extents[0], extents[1], extents[2]


def _item(groups: Dataset, shared: Dataset, keyword: str) -> Dataset:
    item: Dataset = (groups.get(keyword) or shared[keyword].value)[0]
    return item


def _place(groups: Dataset, shared: Dataset, grid: Grid, dataset: Dataset) -> tuple[int, int, int]:
    """Slice, row and column of a frame's first pixel."""
    orientation = np.array(_item(groups, shared, "PlaneOrientationSequence").ImageOrientationPatient, dtype=float)
    spacing = np.array(_item(groups, shared, "PixelMeasuresSequence").PixelSpacing, dtype=float)
    own = np.concatenate((grid.directions[0], grid.directions[1]))
    pixels = np.array([dataset.Rows, dataset.Columns])
    off = np.abs(spacing / grid.spacing_mm[1::-1] - 1) * pixels
    if np.abs(orientation - own).max() > _SAME_DIRECTION or off.max() > _TOLERANCE:
        raise UnusableSegmentation("Its frames have another orientation or other pixels than the images.", _REMEDY)
    position = np.array(_item(groups, shared, "PlanePositionSequence").ImagePositionPatient, dtype=float)
    index = grid.to_index(position[None, :])[0]
    if np.abs(index - np.rint(index)).max() > _TOLERANCE:
        raise UnusableSegmentation("Its frames do not lie on the images.", _REMEDY)
    column, row, nth = (int(each) for each in np.rint(index))
    return nth, row, column


def _paste(inside: npt.NDArray[np.bool_], frame: npt.NDArray[np.bool_], place: tuple[int, int, int]) -> None:
    nth, row, column = place
    rows, columns = np.nonzero(frame)
    if not len(rows):
        return
    fits = 0 <= nth < inside.shape[0] and row + rows.min() >= 0 and column + columns.min() >= 0
    if not fits or row + rows.max() >= inside.shape[1] or column + columns.max() >= inside.shape[2]:
        raise UnusableSegmentation("Some of it lies outside the images.", _REMEDY)
    inside[nth, row + rows, column + columns] = True


def _rgb(segment: Dataset) -> Color | None:
    """Recommended Display CIELab Value (PS3.3 C.10.7.1.1: 16 bits each, D50) as sRGB."""
    value: Any = segment.get("RecommendedDisplayCIELabValue")
    if not value or len(value) != 3:
        return None
    lightness = value[0] / 65535 * 100
    a, b = (each / 65535 * 255 - 128 for each in value[1:])
    f_y = (lightness + 16) / 116
    white = np.array([0.9642, 1.0, 0.8251])
    f = np.array([f_y + a / 500, f_y, f_y - b / 200])
    xyz = white * np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    # From D50 to linear sRGB (Bradford adapted, IEC 61966-2-1).
    to_rgb = np.array([[3.1339, -1.6169, -0.4906], [-0.9788, 1.9161, 0.0335], [0.0719, -0.2290, 1.4052]])
    linear = np.clip(to_rgb @ xyz, 0, 1)
    red, green, blue = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return round(red * 255), round(green * 255), round(blue * 255)
