"""Small DICOM files to put into an archive, and the identifiers that Orthanc gives them."""

from __future__ import annotations

import hashlib
import io
import re
from typing import Any

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

UID_ROOT = "1.2.826.0.1.3680043.8.498"


def orthanc_id(*uids: str) -> str:
    """Orthanc's identifier: SHA-1 of PatientID[|study UID[|series UID[|SOP UID]]], in five groups of eight digits."""
    digest = hashlib.sha1("|".join(uids).encode("utf-8")).hexdigest()
    return "-".join(re.findall(".{8}", digest))


def instance_file(sop: str = "1", series: str = "1", study: str = "1", **tags: Any) -> bytes:
    """A small CT instance; UIDs are completed, ``tags`` are written as given, bytes without any check."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = CTImageStorage
    dataset.StudyInstanceUID = f"{UID_ROOT}.{study}"
    dataset.SeriesInstanceUID = f"{UID_ROOT}.{study}.{series}"
    dataset.SOPInstanceUID = f"{UID_ROOT}.{study}.{series}.{sop}"
    dataset.PatientID, dataset.PatientName, dataset.Modality = "P1", "Dupont^Renée", "CT"
    dataset.add_new("PixelData", "OW", tags.pop("PixelData", bytes(64)))
    for name, value in tags.items():
        if isinstance(value, bytes):
            tag = Tag(name)
            value += b" " * (len(value) % 2)
            dataset[tag] = RawDataElement(tag, dictionary_VR(tag), len(value), value, 0, False, True)
        else:
            setattr(dataset, name, value)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def study_id(study: str = "1", patient: str = "P1") -> str:
    """The identifier of the study that ``instance_file`` writes."""
    return orthanc_id(patient, f"{UID_ROOT}.{study}")


def series_id(series: str = "1", study: str = "1", patient: str = "P1") -> str:
    return orthanc_id(patient, f"{UID_ROOT}.{study}", f"{UID_ROOT}.{study}.{series}")


def instance_id(sop: str = "1", series: str = "1", study: str = "1", patient: str = "P1") -> str:
    above = f"{UID_ROOT}.{study}"
    return orthanc_id(patient, above, f"{above}.{series}", f"{above}.{series}.{sop}")


def assert_whole(dataset: Dataset) -> None:
    """Raise when an element is shorter than it says."""
    for element in map(dataset.get_item, list(dataset._dict)):
        if not isinstance(element, RawDataElement) or element.length == 0xFFFFFFFF or element.value is None:
            continue
        if len(element.value) != element.length:
            raise EOFError(f"{element.tag} is cut off")


def texts_of(dataset: Dataset, names: tuple[str, ...]) -> dict[str, str]:
    """The elements of these keywords that are there, as text, by keyword."""
    encodings = convert_encodings(dataset.get("SpecificCharacterSet", ""))
    found: dict[str, str] = {}
    for name in names:
        if name not in dataset:
            continue
        element = dataset.get_item(Tag(name))
        raw = element.value if isinstance(element, RawDataElement) else str(element.value).encode()
        found[name] = decode_bytes(raw or b"", encodings, set(b"\\^=")).strip(" \0")
    return found
