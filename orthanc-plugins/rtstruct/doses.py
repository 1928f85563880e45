"""From the bytes of an RT Dose to its grid, its units and the DVHs stored in it (PS3.3 A.18)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
import numpy.typing as npt
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, RTDoseStorage

from .decimal_strings import floats_of
from .dose_grid import DoseGrid, Floats
from .elements import FILE_META, MEDIA_STORAGE_SOP_CLASS_UID, TRANSFER_SYNTAX_UID, value
from .model import Finding
from .silence import pydicom_silent
from .text import integer, plain
from .walk import Walk

# A file of a few MB can claim to hold terabytes, deflated; no dose in practice is a tenth of this.
MAX_BYTES = 1 << 30

# Planes are where the offsets say to within this; PS3.3 C.8.8.3.2 gives no tolerance.
_PLACE_MM = 0.05
# How far from unit vectors at a right angle Image Orientation may be; writers round to six digits.
_ORIENTATION = 1e-3


class UnreadableDose(Exception):
    """Not an RT Dose, or one whose grid cannot be trusted; the message is one sentence without patient data."""


@dataclass(frozen=True, eq=False)
class StoredDvh:
    """One item of the DVH Sequence (PS3.3 C.8.8.4), as the planning system computed it.

    Attributes
    ----------
    roi_numbers, excluded_roi_numbers
        The structures it adds up, and those taken off.
    dvh_type
        CUMULATIVE, DIFFERENTIAL or NATURAL.
    dose_units, volume_units
        GY or RELATIVE; CM3, PERCENT or PER_U.
    dose, volume
        Shape (bins + 1,) and (bins,): the edges of the bins with Dose Scaling applied, and what the file gives
        for each bin.
    minimum, maximum, mean
        In the units that the file gives them in; some systems write percent although Dose Units is GY.

    """

    roi_numbers: tuple[int, ...]
    excluded_roi_numbers: tuple[int, ...]
    dvh_type: str
    dose_units: str
    volume_units: str
    dose: Floats
    volume: Floats
    minimum: float | None
    maximum: float | None
    mean: float | None


@dataclass(frozen=True, eq=False)
class Dose:
    """One RT Dose instance.

    Attributes
    ----------
    units
        GY or RELATIVE.
    dose_type
        PHYSICAL, EFFECTIVE or ERROR.
    summation_type
        PLAN, BEAM, FRACTION, … (PS3.3 C.8.8.3).
    normalization_dose
        DVH Normalization Dose Value, what 100 % is.

    """

    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    frame_of_reference_uid: str | None
    units: str
    dose_type: str
    summation_type: str
    plan_uids: tuple[str, ...]
    structure_set_uids: tuple[str, ...]
    normalization_dose: float | None
    grid: DoseGrid = field(repr=False)
    stored_dvhs: tuple[StoredDvh, ...] = field(default=(), repr=False)
    findings: tuple[Finding, ...] = ()


def read_dose(data: bytes) -> Dose:
    """Read an RT Dose.

    Parameters
    ----------
    data
        A whole DICOM file (PS3.10) with pixel data that is not compressed.

    Returns
    -------
    Dose
        The grid in the units of Dose Units, Dose Grid Scaling applied.

    Raises
    ------
    UnreadableDose
        Another kind of object, compressed pixel data, a grid without position, or a damaged file.

    """
    try:
        with pydicom_silent():
            return _dose_of(_dataset_of(data))
    except UnreadableDose:
        raise
    # On broken files pydicom raises whatever its parts raise; the text of it may quote the patient's data.
    except Exception as error:
        raise UnreadableDose(f"The RT Dose is damaged: it cannot be read as DICOM ({type(error).__name__}).") from None


def _dataset_of(data: bytes) -> Dataset:
    syntax, sop_class, start = UID(ImplicitVRLittleEndian), "", 0
    if data[128:132] == b"DICM":
        meta, start = Walk(data, explicit=True).dataset(132, FILE_META, before=0x00030000)
        syntax = UID(plain(value(meta, TRANSFER_SYNTAX_UID)))
        sop_class = plain(value(meta, MEDIA_STORAGE_SOP_CLASS_UID))
    if syntax == DeflatedExplicitVRLittleEndian:
        data = _inflated(data, start)
    dataset = dcmread(BytesIO(data), force=True)
    sop_class = plain(_bytes(dataset, "SOPClassUID")) or sop_class
    if sop_class != RTDoseStorage:
        raise UnreadableDose(f"The object is not an RT Dose but {_class_name(sop_class)}.")
    if syntax.is_transfer_syntax and syntax.is_compressed and syntax != DeflatedExplicitVRLittleEndian:
        raise UnreadableDose(
            f"The pixel data of the RT Dose is compressed ({syntax.name}), which is not read; "
            "store it again as Explicit VR Little Endian, for instance with dcmdjpeg, dcmdrle or gdcmconv --raw."
        )
    return dataset


def _class_name(sop_class: str) -> str:
    uid = UID(sop_class)
    return uid.name if uid.is_valid and uid.type == "SOP Class" else "of no known SOP class"


def _inflated(data: bytes, start: int) -> bytes:
    # pydicom inflates without a limit.
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = inflater.decompress(memoryview(data)[start:], MAX_BYTES)
    if inflater.unconsumed_tail or not inflater.eof:
        raise UnreadableDose("The deflated RT Dose is cut short, or larger than 1 GB.")
    return inflated


def _dose_of(dataset: Dataset) -> Dose:
    grid, findings = _grid(dataset)
    units = _text(dataset, "DoseUnits")
    if units not in ("GY", "RELATIVE"):
        findings.append(Finding("dose_units_missing", "Dose Units is neither GY nor RELATIVE; taken for GY."))
        units = "GY"
    normalization = _numbers(dataset, "DVHNormalizationDoseValue")
    return Dose(
        sop_instance_uid=_text(dataset, "SOPInstanceUID"),
        study_instance_uid=_text(dataset, "StudyInstanceUID"),
        series_instance_uid=_text(dataset, "SeriesInstanceUID"),
        frame_of_reference_uid=_text(dataset, "FrameOfReferenceUID") or None,
        units=units,
        dose_type=_text(dataset, "DoseType"),
        summation_type=_text(dataset, "DoseSummationType"),
        plan_uids=_referenced(dataset, "ReferencedRTPlanSequence"),
        structure_set_uids=_referenced(dataset, "ReferencedStructureSetSequence"),
        normalization_dose=float(normalization[0]) if len(normalization) else None,
        grid=grid,
        stored_dvhs=tuple(_stored(item) for item in _items(dataset, "DVHSequence")),
        findings=tuple(findings),
    )


def _grid(dataset: Dataset) -> tuple[DoseGrid, list[Finding]]:
    position = _exactly(dataset, "ImagePositionPatient", 3)
    orientation = _exactly(dataset, "ImageOrientationPatient", 6)
    spacing = _exactly(dataset, "PixelSpacing", 2)
    along_row, along_column = orientation[:3], orientation[3:]
    lengths = np.linalg.norm(along_row), np.linalg.norm(along_column)
    if max(abs(lengths[0] - 1), abs(lengths[1] - 1), abs(float(along_row @ along_column))) > _ORIENTATION:
        raise UnreadableDose("Image Orientation of the RT Dose is not two unit vectors at a right angle.")
    if not (spacing > 0).all():
        raise UnreadableDose("Pixel Spacing of the RT Dose is not positive.")
    along_row = along_row / lengths[0]
    along_column = along_column - (along_column @ along_row) * along_row
    along_column = along_column / np.linalg.norm(along_column)
    normal = np.cross(along_row, along_column)
    values = _values(dataset)
    offsets, findings = _offsets(dataset, len(values), position, normal)
    order = np.argsort(offsets, kind="stable")
    if not np.array_equal(order, np.arange(len(order))):
        values, offsets = values[order], offsets[order]
    if len(offsets) > 1 and np.diff(offsets).min() < 1e-3:
        raise UnreadableDose("Two planes of the RT Dose lie on each other: Grid Frame Offset Vector repeats itself.")
    return DoseGrid(
        origin_mm=position + offsets[0] * normal,
        axes=np.stack((along_row, along_column, normal)),
        # Pixel Spacing: the first value is the distance of rows (PS3.3 10.7.1.3).
        row_spacing_mm=float(spacing[0]),
        column_spacing_mm=float(spacing[1]),
        offsets_mm=offsets - offsets[0],
        values=values,
    ), findings


def _offsets(dataset: Dataset, planes: int, position: Floats, normal: Floats) -> tuple[Floats, list[Finding]]:
    """Offsets along the normal from the first plane, which is at Image Position whichever form they come in."""
    given = _numbers(dataset, "GridFrameOffsetVector")
    if planes == 1 and len(given) <= 1:
        return np.zeros(1), [
            Finding("single_dose_plane", "The RT Dose has a single plane; nothing is known beyond it.")
        ]
    if len(given) != planes:
        raise UnreadableDose(
            f"Grid Frame Offset Vector of the RT Dose has {len(given)} values for {planes} planes: "
            "where they lie is not known."
        )
    relative = given - given[0]
    if given[0] == 0:
        # Form a of PS3.3 C.8.8.3.2: distances along the normal.
        return relative, []
    # Form b: z of the patient, for axial planes. The normal may point to the feet.
    direction = -1.0 if normal[2] < 0 else 1.0
    if abs(normal[2]) > 1 - _ORIENTATION and abs(given[0] - position[2]) <= _PLACE_MM:
        return relative * direction, []
    finding = Finding(
        "odd_grid_frame_offsets",
        f"Grid Frame Offset Vector starts at {given[0]:g}, neither nought nor the z of Image Position; "
        "taken as distances from its first value.",
    )
    return relative, [finding]


def _values(dataset: Dataset) -> npt.NDArray[np.float32]:
    rows, columns = (_count(dataset, keyword) for keyword in ("Rows", "Columns"))
    planes = integer(_bytes(dataset, "NumberOfFrames")) if "NumberOfFrames" in dataset else 1
    bits = int(dataset.get("BitsAllocated") or 0)
    if not planes or planes < 1 or bits not in (16, 32) or int(dataset.get("SamplesPerPixel") or 1) != 1:
        raise UnreadableDose(
            "The RT Dose is not a grid of one value of 16 or 32 bits per voxel, which the standard asks for."
        )
    if "PixelData" not in dataset:
        raise UnreadableDose("The RT Dose has no Pixel Data: it holds DVHs or points only.")
    scaling = _numbers(dataset, "DoseGridScaling")
    if len(scaling) != 1 or scaling[0] <= 0:
        raise UnreadableDose("Dose Grid Scaling of the RT Dose is missing or not positive.")
    pixels = _bytes(dataset, "PixelData")
    expected = rows * columns * planes * bits // 8
    if not expected or len(pixels) < expected:
        raise UnreadableDose(
            f"The RT Dose says it has {planes} planes of {rows} × {columns} voxels, {expected} bytes; "
            f"{len(pixels)} are there."
        )
    kind = "i" if int(dataset.get("PixelRepresentation") or 0) else "u"
    order = "<" if dataset.original_encoding[1] is not False else ">"
    stored = np.frombuffer(pixels, dtype=f"{order}{kind}{bits // 8}", count=rows * columns * planes)
    values = np.empty(len(stored), dtype=np.float32)
    np.multiply(stored, scaling[0], out=values, casting="same_kind")
    return values.reshape(planes, rows, columns)


def _stored(item: Dataset) -> StoredDvh:
    scaling = _numbers(item, "DVHDoseScaling")
    pairs = _numbers(item, "DVHData")
    widths, volume = pairs[: len(pairs) // 2 * 2].reshape(-1, 2).T
    edges = np.concatenate(([0.0], np.cumsum(widths))) * (scaling[0] if len(scaling) else 1.0)
    referenced: dict[str, list[int]] = {"INCLUDED": [], "EXCLUDED": []}
    for roi in _items(item, "DVHReferencedROISequence"):
        number = integer(_bytes(roi, "ReferencedROINumber"))
        kind = _text(roi, "DVHROIContributionType") or "INCLUDED"
        if number is not None and kind in referenced:
            referenced[kind].append(number)
    minimum, maximum, mean = (
        float(found[0]) if len(found) else None
        for found in (_numbers(item, f"DVH{which}Dose") for which in ("Minimum", "Maximum", "Mean"))
    )
    return StoredDvh(
        roi_numbers=tuple(referenced["INCLUDED"]),
        excluded_roi_numbers=tuple(referenced["EXCLUDED"]),
        dvh_type=_text(item, "DVHType"),
        dose_units=_text(item, "DoseUnits"),
        volume_units=_text(item, "DVHVolumeUnits"),
        dose=edges,
        volume=volume,
        minimum=minimum,
        maximum=maximum,
        mean=mean,
    )


def _bytes(dataset: Dataset, keyword: str) -> bytes:
    # Not through pydicom's values: thousands of DVH bins as decimal objects take seconds.
    element = dataset.get_item(Tag(keyword))
    if element is None:
        return b""
    content = element.value
    if isinstance(element, RawDataElement) or isinstance(content, bytes):
        return bytes(content or b"")
    values = [content] if content is None or isinstance(content, str | int | float) else list(content)
    return "\\".join("" if each is None else str(each) for each in values).encode()


def _numbers(dataset: Dataset, keyword: str) -> Floats:
    text = _bytes(dataset, keyword).rstrip(b" \0")
    found = floats_of([text])[0] if text else None
    if text and found is None:
        raise UnreadableDose(f"{keyword} of the RT Dose is not a list of numbers.")
    return np.zeros(0) if found is None else found


def _exactly(dataset: Dataset, keyword: str, count: int) -> Floats:
    found = _numbers(dataset, keyword)
    if len(found) != count:
        raise UnreadableDose(f"{keyword} of the RT Dose has {len(found)} values instead of {count}.")
    return found


def _count(dataset: Dataset, keyword: str) -> int:
    found = dataset.get(keyword)
    return found if isinstance(found, int) else 0


def _text(dataset: Dataset, keyword: str) -> str:
    return plain(_bytes(dataset, keyword))


def _items(dataset: Dataset, keyword: str) -> list[Dataset]:
    found = dataset.get(keyword)
    return list(found) if isinstance(found, Sequence) else []


def _referenced(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    uids = (_text(item, "ReferencedSOPInstanceUID") for item in _items(dataset, keyword))
    return tuple(uid for uid in uids if uid)
