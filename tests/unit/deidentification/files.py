"""DICOM files with somebody in them, and values to plant."""

from __future__ import annotations

import io
import warnings

import pydicom
from pydicom.config import disable_value_validation
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from deidentification import Deidentifier, Profile

SECRET = b"a secret of a test"
FAMILY_NAME, GIVEN_NAME = "Quentinsky", "Zoltanne"
PATIENT_ID = "KH-4711880815"


def deidentifier(*options: str) -> Deidentifier:
    return Deidentifier(SECRET, Profile.named(options))


def somebody(sop_class: str = CTImageStorage) -> FileDataset:
    """A file of a patient, with nothing else in it."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = "1.2.3.4.5"
    dataset.PatientName = f"{FAMILY_NAME}^{GIVEN_NAME}"
    dataset.PatientID = PATIENT_ID
    dataset.PatientBirthDate = "19500304"
    return dataset


def file_of(dataset: FileDataset) -> bytes:
    """The bytes of a file, whatever its values are."""
    file = io.BytesIO()
    with warnings.catch_warnings(), disable_value_validation():
        warnings.simplefilter("ignore")
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


def read(dicom: bytes) -> FileDataset:
    return pydicom.dcmread(io.BytesIO(dicom))


def treated(dataset: FileDataset, *options: str) -> FileDataset:
    """What becomes of a data set."""
    return read(deidentifier(*options).deidentify(file_of(dataset)))


#: Figures as letters: long numbers are cleaned out of texts.
_LETTERS = str.maketrans("0123456789", "ghijklmnop")


def planted(tag: int, vr: str | None = None) -> DataElement:
    """An attribute with a value of its VR that is not there by chance."""
    vr = vr or dictionary_VR(tag)
    words = f"planted {tag:08x}".translate(_LETTERS)
    value: object = {
        "AE": "PLANTED", "AS": "047Y", "CS": "MARKED", "DA": "20190304", "DS": "47.11", "DT": "20190304112233",
        "FD": 47.11, "FL": 47.11, "IS": "4711", "OB": b"planted!", "PN": "Someone^Else", "SL": -4711, "SS": -4711,
        "TM": "112233", "UI": f"1.2.3.{int(tag)}", "UL": 4711, "UN": b"planted!", "UR": "http://planted.example/a",
        "US": 4711,
    }.get(vr, words)  # fmt: skip
    if vr == "SQ":
        item = Dataset()
        item.CodeMeaning = words
        item.ReferencedSOPInstanceUID = f"1.2.3.{int(tag)}"
        value = [item]
    return DataElement(tag, vr, value)
