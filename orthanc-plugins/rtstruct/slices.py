"""One image of a CT, MR or PET series: what its header says, and its pixels (PS3.3 C.7.6.2, C.7.6.3).

Pixels that are stored as they are are viewed where they are, without a copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import starmap

import numpy as np
import numpy.typing as npt

from .decimal_strings import float_of
from .elements import (
    FRAME_OF_REFERENCE_UID,
    MODALITY,
    SERIES_INSTANCE_UID,
    SOP_CLASS_UID,
    SOP_INSTANCE_UID,
    STUDY_INSTANCE_UID,
    Item,
    value,
)
from .image_elements import (
    BITS_ALLOCATED,
    BITS_STORED,
    COLUMNS,
    HIGH_BIT,
    IMAGE_ORIENTATION_PATIENT,
    IMAGE_POSITION_PATIENT,
    INSTANCE_NUMBER,
    MULTI_FRAME,
    NUMBER_OF_FRAMES,
    PIXEL_DATA,
    PIXEL_REPRESENTATION,
    PIXEL_SPACING,
    RESCALE_INTERCEPT,
    RESCALE_SLOPE,
    RESCALE_TYPE,
    ROWS,
    SAMPLES_PER_PIXEL,
    SLICE_THICKNESS,
    UNITS,
    UnusableImage,
    has_plain_pixels,
    image_elements,
    kind_of,
    without_pixels,
)
from .text import integer, plain

__all__ = ["ImageSlice", "UnusableImage", "has_plain_pixels", "read_slice", "without_pixels"]


@dataclass(frozen=True, eq=False)
class ImageSlice:
    """One image.

    Attributes
    ----------
    position_mm
        Image Position (Patient): the centre of the first pixel.
    orientation
        Image Orientation (Patient): unit vectors from one column to the next, and from one row to the next.
    pixel_spacing_mm
        From one row to the next, and from one column to the next.

    """

    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str
    frame_of_reference_uid: str | None
    modality: str
    units: str
    instance_number: int
    position_mm: tuple[float, float, float]
    orientation: tuple[float, ...]
    pixel_spacing_mm: tuple[float, float]
    thickness_mm: float | None
    rows: int
    columns: int
    slope: float
    intercept: float
    dtype: np.dtype[np.generic]
    bits_stored: int
    high_bit: int
    data: bytes | memoryview

    def pixels(self) -> npt.NDArray[np.generic]:
        """The values as stored, shape (rows, columns)."""
        count = self.rows * self.columns
        found: npt.NDArray[np.generic] = np.frombuffer(self.data, self.dtype, count).reshape(self.rows, self.columns)
        bits = self.dtype.itemsize * 8
        if self.bits_stored == bits:
            return found
        # PS3.5 8.1.1: bits beyond those stored may hold anything; the sign is in the highest of those stored.
        shifted = np.left_shift(found, bits - 1 - self.high_bit)
        unpacked: npt.NDArray[np.generic] = np.right_shift(shifted, bits - self.bits_stored)
        return unpacked


def read_slice(data: bytes, pixels: bool = True) -> ImageSlice:
    """Read one DICOM file.

    Parameters
    ----------
    data
        The file; without `pixels` it may end before them, see `without_pixels`.
    pixels
        Whether they are wanted; if not, they need no decoding.

    Raises
    ------
    UnusableImage
        If it is no single-frame image with a place in the patient, or its pixels cannot be decoded.

    """
    return _slice(image_elements(data, pixels), pixels)


def _slice(item: Item, pixels: bool) -> ImageSlice:
    modality = plain(value(item, MODALITY))
    rows, columns, samples, allocated, stored, high_bit, signed = starmap(
        _uint16,
        (
            (item, ROWS),
            (item, COLUMNS),
            (item, SAMPLES_PER_PIXEL, 1),
            (item, BITS_ALLOCATED),
            (item, BITS_STORED),
            (item, HIGH_BIT),
            (item, PIXEL_REPRESENTATION),
        ),
    )
    if (integer(value(item, NUMBER_OF_FRAMES)) or 1) > 1:
        raise UnusableImage(MULTI_FRAME)
    if samples != 1 or allocated not in (8, 16, 32):
        raise UnusableImage(f"an image has {samples} samples a pixel of {allocated} bits; one of 8, 16 or 32 is needed")
    position, orientation = _floats(item, IMAGE_POSITION_PATIENT), _floats(item, IMAGE_ORIENTATION_PATIENT)
    spacing = _floats(item, PIXEL_SPACING)
    if len(position) != 3 or len(orientation) != 6 or len(spacing) != 2:
        raise UnusableImage(
            f"an image of modality {modality or 'unknown'} has no place in the patient "
            "(Image Position, Image Orientation, Pixel Spacing)"
        )
    axes = np.array(orientation).reshape(2, 3)
    if not (min(spacing) > 0 and np.allclose(axes @ axes.T, np.eye(2), atol=1e-3)):
        raise UnusableImage("an image has directions that are no unit vectors at right angles, or a spacing of nought")
    data = item.get(PIXEL_DATA, b"")
    held = 0 if isinstance(data, list) else len(data)
    if isinstance(data, list) or rows * columns == 0 or (pixels and held < rows * columns * allocated // 8):
        raise UnusableImage(f"an image claims {rows} × {columns} pixels and holds fewer")
    stored, high_bit = (stored, high_bit) if 0 < stored <= high_bit + 1 <= allocated else (allocated, allocated - 1)
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    x, y, z = position
    return ImageSlice(
        sop_class_uid=plain(value(item, SOP_CLASS_UID)),
        sop_instance_uid=plain(value(item, SOP_INSTANCE_UID)),
        series_instance_uid=plain(value(item, SERIES_INSTANCE_UID)),
        study_instance_uid=plain(value(item, STUDY_INSTANCE_UID)),
        frame_of_reference_uid=plain(value(item, FRAME_OF_REFERENCE_UID)) or None,
        modality=modality,
        units=_units(modality, item),
        instance_number=integer(value(item, INSTANCE_NUMBER)) or 0,
        position_mm=(x, y, z),
        orientation=tuple((axes.ravel() + 0.0).tolist()),
        pixel_spacing_mm=(spacing[0], spacing[1]),
        thickness_mm=_positive(float_of(value(item, SLICE_THICKNESS))),
        rows=rows,
        columns=columns,
        slope=_number(item, RESCALE_SLOPE, 1.0),
        intercept=_number(item, RESCALE_INTERCEPT, 0.0),
        dtype=np.dtype(f"<{kind_of(allocated, signed)}"),
        bits_stored=stored,
        high_bit=high_bit,
        data=data,
    )


def _uint16(item: Item, tag: int, default: int = 0) -> int:
    found = value(item, tag)
    return int.from_bytes(found[:2], "little") if len(found) >= 2 else default


def _floats(item: Item, tag: int) -> list[float]:
    found = [float_of(part) for part in value(item, tag).split(b"\\")]
    return [each for each in found if each is not None]


def _number(item: Item, tag: int, default: float) -> float:
    found = float_of(value(item, tag))
    return default if found is None else found


def _positive(number: float | None) -> float | None:
    return number if number is not None and number > 0 else None


def _units(modality: str, item: Item) -> str:
    if modality == "CT":
        # PS3.3 C.11.1.1.2: HU unless the image says something else.
        return plain(value(item, RESCALE_TYPE)) or "HU"
    return plain(value(item, UNITS)) or plain(value(item, RESCALE_TYPE))
