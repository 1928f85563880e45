"""One image of a CT, MR or PET series: what its header says, and its pixels (PS3.3 C.7.6.2, C.7.6.3).

Uncompressed images are walked and viewed where they are, without a copy; compressed and other ones go through pydicom.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from itertools import starmap

import numpy as np
import numpy.typing as npt
from pydicom import dcmread
from pydicom.uid import UID

from .decimal_strings import float_of
from .elements import (
    FRAME_OF_REFERENCE_UID,
    MODALITY,
    SERIES_INSTANCE_UID,
    SOP_CLASS_UID,
    SOP_INSTANCE_UID,
    STUDY_INSTANCE_UID,
    TRANSFER_SYNTAX_UID,
    Item,
    Schema,
    value,
)
from .silence import pydicom_silent
from .text import integer, plain
from .walk import Damage, Unexpected, Walk

SLICE_THICKNESS = 0x00180050
INSTANCE_NUMBER = 0x00200013
IMAGE_POSITION_PATIENT = 0x00200032
IMAGE_ORIENTATION_PATIENT = 0x00200037
SAMPLES_PER_PIXEL = 0x00280002
NUMBER_OF_FRAMES = 0x00280008
ROWS = 0x00280010
COLUMNS = 0x00280011
PIXEL_SPACING = 0x00280030
BITS_ALLOCATED = 0x00280100
BITS_STORED = 0x00280101
HIGH_BIT = 0x00280102
PIXEL_REPRESENTATION = 0x00280103
RESCALE_INTERCEPT = 0x00281052
RESCALE_SLOPE = 0x00281053
RESCALE_TYPE = 0x00281054
UNITS = 0x00541001
PIXEL_DATA = 0x7FE00010

_SCHEMA: Schema = dict.fromkeys(
    (
        SOP_CLASS_UID,
        SOP_INSTANCE_UID,
        MODALITY,
        SLICE_THICKNESS,
        STUDY_INSTANCE_UID,
        SERIES_INSTANCE_UID,
        INSTANCE_NUMBER,
        IMAGE_POSITION_PATIENT,
        IMAGE_ORIENTATION_PATIENT,
        FRAME_OF_REFERENCE_UID,
        SAMPLES_PER_PIXEL,
        NUMBER_OF_FRAMES,
        ROWS,
        COLUMNS,
        PIXEL_SPACING,
        BITS_ALLOCATED,
        BITS_STORED,
        HIGH_BIT,
        PIXEL_REPRESENTATION,
        RESCALE_INTERCEPT,
        RESCALE_SLOPE,
        RESCALE_TYPE,
        UNITS,
        PIXEL_DATA,
    )
)
_IMPLICIT = "1.2.840.10008.1.2"
_NATIVE = (_IMPLICIT, "1.2.840.10008.1.2.1")
#: Deflated, and big endian.
_OTHERWISE_ENCODED = ("1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2")
#: A decoder allocates what the header claims: no detector has more pixels.
_MOST_PIXELS = 1 << 26


class UnusableImage(Exception):
    """An image or a series of which no volume can be made; the message says why, and never whose it is."""


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
    try:
        try:
            item, _ = _walked(data, pixels)
        except Unexpected:
            item, _ = _walked(_decoded(data), pixels)
    except Damage as damage:
        raise UnusableImage(f"an image is damaged: {damage.message}") from None
    except Unexpected as unexpected:
        raise UnusableImage(f"an image is not encoded as DICOM says: {unexpected}") from None
    return _slice(item, pixels)


def without_pixels(data: bytes) -> bytes:
    """A DICOM file up to its pixels: all that a mask needs of an image. As it is where they are not found."""
    try:
        _, end = _walked(data, pixels=False)
    except (Unexpected, Damage):
        return data
    return data[:end]


def has_plain_pixels(data: bytes) -> bool:
    """Whether a file says that its pixels are stored as they are."""
    try:
        return _transfer_syntax(data)[0] in _NATIVE
    except (Unexpected, Damage):
        return False


def _transfer_syntax(data: bytes) -> tuple[str, int]:
    """What a file says its encoding is, and where its dataset begins."""
    if data[128:132] != b"DICM":
        raise Unexpected("no preamble")
    meta, start = Walk(data, explicit=True).dataset(132, {TRANSFER_SYNTAX_UID: None}, before=0x00030000)
    return plain(value(meta, TRANSFER_SYNTAX_UID)), start


def _walked(data: bytes, pixels: bool) -> tuple[Item, int]:
    transfer_syntax, start = _transfer_syntax(data)
    # PS3.5 A.4: around compressed pixels everything is Explicit VR Little Endian.
    if transfer_syntax not in _NATIVE and (pixels or transfer_syntax in _OTHERWISE_ENCODED or not transfer_syntax):
        raise Unexpected("transfer syntax")
    # Nothing after the pixels matters.
    before = PIXEL_DATA + 1 if pixels else PIXEL_DATA
    return Walk(data, explicit=transfer_syntax != _IMPLICIT).dataset(start, _SCHEMA, before=before)


def _decoded(data: bytes) -> bytes:
    """The same image in Explicit VR Little Endian, by pydicom."""
    syntax = "unknown"
    try:
        with pydicom_silent():
            dataset = dcmread(BytesIO(data), force=True)
            uid = UID(str(dataset.file_meta.get("TransferSyntaxUID", "")))
            syntax = uid.name or syntax
            if int(dataset.get("Rows", 0)) * int(dataset.get("Columns", 0)) > _MOST_PIXELS:
                raise UnusableImage(f"an image claims {dataset.Rows} × {dataset.Columns} pixels")
            if int(dataset.get("NumberOfFrames") or 1) > 1:
                raise UnusableImage(_MULTI_FRAME)
            pixels = dataset.pixel_array.astype(f"<{_kind(dataset.BitsAllocated, dataset.PixelRepresentation)}")
            if uid.is_compressed:
                dataset.decompress(generate_instance_uid=False)
            out = BytesIO()
            dataset.PixelData = pixels.tobytes()
            dataset["PixelData"].VR = "OW"
            dataset.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.1")
            dataset.save_as(out, implicit_vr=False, little_endian=True, enforce_file_format=True)
            return out.getvalue()
    except UnusableImage:
        raise
    # pydicom and the decoders raise whatever their parts raise; the text of it may quote the patient's data.
    except Exception as error:
        raise UnusableImage(
            f"the pixels of an image ({syntax}) cannot be decoded here ({type(error).__name__}); "
            "send the series uncompressed"
        ) from None


_MULTI_FRAME = "the series has multi-frame images (Enhanced CT, MR or PET), of which no volume is made yet"


def _kind(bits_allocated: int, pixel_representation: int) -> str:
    return f"{'i' if pixel_representation else 'u'}{bits_allocated // 8}"


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
        raise UnusableImage(_MULTI_FRAME)
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
        dtype=np.dtype(f"<{_kind(allocated, signed)}"),
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
