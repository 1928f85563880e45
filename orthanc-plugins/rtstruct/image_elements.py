"""The elements of an image file that matter here: walked where they are, or decoded by pydicom first."""

from __future__ import annotations

from io import BytesIO

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRLittleEndian

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
from .text import plain
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


def image_elements(data: bytes, pixels: bool) -> Item:
    """What the schema above names; `pixels` come decoded, or not at all.

    Raises
    ------
    UnusableImage
        If the file is damaged, or its pixels cannot be decoded.

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
    return item


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


def walk_head(data: bytes, schema: Schema, before: int = PIXEL_DATA) -> tuple[Item, int]:
    """What a schema names of the elements below the tag `before`, and the byte at which that stands; of any file.

    Raises
    ------
    Unexpected
        Perhaps DICOM, but for pydicom to read: deflated, big endian, without preamble.
    Damage
        The bytes contradict themselves.

    """
    transfer_syntax, start = _transfer_syntax(data)
    if transfer_syntax in _OTHERWISE_ENCODED or not transfer_syntax:
        raise Unexpected("transfer syntax")
    # PS3.5 A.4: around compressed pixels everything is Explicit VR Little Endian.
    return Walk(data, explicit=transfer_syntax != _IMPLICIT).dataset(start, schema, before=before)


def _walked(data: bytes, pixels: bool) -> tuple[Item, int]:
    if pixels and _transfer_syntax(data)[0] not in _NATIVE:
        raise Unexpected("transfer syntax")
    # Nothing after the pixels matters.
    return walk_head(data, _SCHEMA, before=PIXEL_DATA + 1 if pixels else PIXEL_DATA)


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
                raise UnusableImage(MULTI_FRAME)
            plain = Dataset()
            plain.update({Tag(tag): dataset[tag] for tag in _SCHEMA if tag in dataset and tag != PIXEL_DATA})
            kind = kind_of(dataset.BitsAllocated, dataset.PixelRepresentation)
            plain.add_new(PIXEL_DATA, "OW", dataset.pixel_array.astype(f"<{kind}").tobytes())
            plain.file_meta = FileMetaDataset()
            plain.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            out = DicomBytesIO()
            out.write(bytes(128) + b"DICM")
            write_file_meta_info(out, plain.file_meta, enforce_standard=False)
            plain.save_as(out, implicit_vr=False, little_endian=True)
            return out.getvalue()
    except UnusableImage:
        raise
    # pydicom and the decoders raise whatever their parts raise; the text of it may quote the patient's data.
    except Exception as error:
        raise UnusableImage(
            f"the pixels of an image ({syntax}) cannot be decoded here ({type(error).__name__}); "
            "send the series uncompressed"
        ) from None


MULTI_FRAME = "the series has multi-frame images (Enhanced CT, MR or PET), of which no volume is made yet"


def kind_of(bits_allocated: int, pixel_representation: int) -> str:
    return f"{'i' if pixel_representation else 'u'}{bits_allocated // 8}"
