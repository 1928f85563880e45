"""Contours of known area, and structure sets made of chosen parts."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import numpy as np
import numpy.typing as npt
from pydicom import DataElement, dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ImplicitVRLittleEndian, RTStructureSetStorage

from rtstruct import Contour, Structure

Points = npt.NDArray[np.float64]


def polygon(xy: npt.ArrayLike, z: float = 0.0) -> Points:
    """An axial contour from corners in the plane."""
    corners = np.asarray(xy, dtype=float)
    return np.column_stack((corners, np.full(len(corners), z)))


def rectangle(x: float, y: float, width: float, height: float, z: float = 0.0) -> Points:
    """An axial rectangle, counter-clockwise from its lower left corner."""
    return polygon([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], z)


def circle(radius: float, z: float = 0.0, points: int = 720, centre: tuple[float, float] = (0, 0)) -> Points:
    """A regular polygon with the area of the circle, not inscribed in it."""
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    stretched = radius * np.sqrt(2 * np.pi / points / np.sin(2 * np.pi / points))
    return polygon(np.column_stack((np.cos(angle), np.sin(angle))) * stretched + centre, z)


def structure(*contours: Points, geometric_type: str = "CLOSED_PLANAR", thickness_mm: float | None = None) -> Structure:
    """A structure made of contours of one type."""
    made = (Contour(geometric_type, points, slab_thickness_mm=thickness_mm) for points in contours)
    return Structure(number=1, name="shape", contours=tuple(made))


def rotation(normal: npt.ArrayLike) -> Points:
    """A rotation that takes z to `normal`: points turn with ``points @ rotation(normal)``."""
    w = np.asarray(normal, dtype=float) / np.linalg.norm(normal)
    u = np.cross([0.3, 0.8, 0.52], w)
    u /= np.linalg.norm(u)
    return np.stack((u, np.cross(w, u), w))


def roi_contour(number: int | None, *data: str | bytes | None, geometric_type: str = "CLOSED_PLANAR") -> Dataset:
    """An item of the ROI Contour Sequence with the given Contour Data, written as they are."""
    item = Dataset()
    item.ContourSequence = []
    for text in data:
        contour = Dataset()
        contour.ContourGeometricType = geometric_type
        if text is not None:
            content = text.encode() if isinstance(text, str) else text
            # As OB, pydicom writes the bytes unchanged; Implicit VR does not tell.
            contour.add_new(0x30060050, "OB", content)
        item.ContourSequence.append(contour)
    if number is not None:
        item.ReferencedROINumber = number
    return item


def roi(number: int | None, name: str) -> Dataset:
    """An item of the Structure Set ROI Sequence."""
    item = Dataset()
    if number is not None:
        item.ROINumber = number
    item.ROIName = name
    return item


def observation(number: int) -> Dataset:
    """An item of the RT ROI Observations Sequence."""
    item = Dataset()
    item.ReferencedROINumber = number
    item.RTROIInterpretedType = "ORGAN"
    return item


def dataset(contours: list[Dataset], rois: list[Dataset] | None = None) -> Dataset:
    """A whole dataset; by default every contour item has its ROI and its observation."""
    numbers = [int(item.ReferencedROINumber) for item in contours if "ReferencedROINumber" in item]
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID, made.SOPInstanceUID = RTStructureSetStorage, "2.25.1"
    made.Modality = "RTSTRUCT"
    made.PatientName, made.PatientID = "Secret^Patient", "SECRET-ID"
    made.StudyInstanceUID, made.SeriesInstanceUID = "2.25.2", "2.25.3"
    made.StructureSetLabel = "MADE"
    made.StructureSetROISequence = [roi(n, f"ROI {n}") for n in numbers] if rois is None else rois
    made.ROIContourSequence = contours
    made.RTROIObservationsSequence = [observation(number) for number in numbers]
    return made


def encoded(made: Dataset, transfer_syntax: UID = ImplicitVRLittleEndian) -> bytes:
    """The dataset as a DICOM file."""
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = transfer_syntax
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    buffer = BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def made_file(contours: list[Dataset], rois: list[Dataset] | None = None) -> bytes:
    """`dataset` and `encoded` in one."""
    return encoded(dataset(contours, rois))


def reencoded(data: bytes, transfer_syntax: UID, undefined_lengths: bool = False) -> bytes:
    """A DICOM file in another transfer syntax, all sequences and items of defined or of undefined length."""
    source = dcmread(BytesIO(data), force=True)
    made = Dataset()
    made.update(source)
    for sequence in _sequences(made):
        sequence.is_undefined_length = undefined_lengths
        for item in sequence.value:
            item.is_undefined_length_sequence_item = undefined_lengths
    return encoded(made, transfer_syntax)


def _sequences(item: Dataset) -> Iterator[DataElement]:
    for element in item:
        if element.VR == "SQ":
            yield element
            for inner in element.value:
                yield from _sequences(inner)


SQUARE = r"0\0\0\10\0\0\10\10\0\0\10\0"
