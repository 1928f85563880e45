"""The DICOM files that the tests send: real ones, copies under another identity, and damaged ones."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from pydicom import dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

DATA = Path(__file__).resolve().parents[1] / "data"
STS_STRUCTURES = DATA / "sts" / "STS_001" / "CT" / "mask" / "RS.dcm"
STS_CT = sorted((DATA / "sts" / "STS_001" / "CT" / "image").glob("*.dcm"))
STS_STUDY = "1.3.6.1.4.1.14519.5.2.1.5168.1900.980314374925518526455629963929"
DICOMPYLER_STRUCTURES = DATA / "dicompyler" / "rtss.dcm"
DICOMPYLER_CT = DATA / "dicompyler" / "ct.0.dcm"
DICOMPYLER_STUDY = "2.16.840.1.113662.2.12.0.3057.1241703565.35"


def file_of(dataset: Dataset) -> bytes:
    """The dataset as a DICOM file."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def copy_of(path: Path, patient_id: str, name: str = "", **changes: str) -> Dataset:
    """The same content in a study of its own, of another patient."""
    dataset = dcmread(path)
    dataset.PatientID, dataset.PatientName = patient_id, name or f"Copy^{patient_id}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    renumber(dataset)
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    return dataset


def renumber(dataset: Dataset) -> Dataset:
    """Another instance of the same series."""
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    return dataset


def structures_without_items(patient_id: str) -> bytes:
    """Sound enough for Orthanc; but where the contours should be, there are none to be read."""
    dataset = copy_of(STS_STRUCTURES, patient_id)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.ROIContourSequence[0].add(DataElement("ContourSequence", "OB", b"nonsense"))
    buffer = BytesIO()
    dataset.save_as(buffer, implicit_vr=False, little_endian=True)
    return buffer.getvalue()


def structures_with_garbage(patient_id: str) -> bytes:
    """One of many contours holds no numbers."""
    dataset = copy_of(DICOMPYLER_STRUCTURES, patient_id)
    contour = dataset.ROIContourSequence[2].ContourSequence[0]
    contour.add(DataElement("ContourData", "OB", b"12.5\\garbage\\x\\1\\2\\3 "))
    return file_of(dataset)
