"""A patient planted into every place of a CT, RTSTRUCT, RTPLAN and RTDOSE is nowhere in the bytes that leave."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from functools import cache
from pathlib import Path

import pydicom
import pytest
from pydicom.config import disable_value_validation
from pydicom.datadict import DicomDictionary
from pydicom.dataset import Dataset, FileDataset

from deidentification import RESEARCH, Deidentifier, Option, Profile
from deidentification.dictionary import TEXT
from unit.deidentification.files import file_of, read

SECRET = b"a secret of a test"
FILES = ("ct.0.dcm", "rtss.dcm", "rtplan.dcm", "rtdose.dcm")
NAME = "Quentinovà-Müßig^Zoltanne"
IDENTIFIER = "KH-4711880815"
#: What a patient is found by, as people and programs write it.
FINDABLE = [
    "Quentinovà", "Quentinova", "QUENTINOVA", "Müßig", "Muessig", "MÜSSIG", "Zoltanne", "ZOLTANNE", "zoltanne",
    IDENTIFIER, "4711880815", "19500304", "1950-03-04", "04.03.1950", "03/04/1950",
]  # fmt: skip
SENTENCE = (
    f"Tumour of {NAME} (Quentinova, ZOLTANNE MUESSIG, id {IDENTIFIER}) born 1950-03-04 or 04.03.1950 or 03/04/1950 or "
    "19500304 left lung"
)
PLANTED_UID = "1.2.276.0.4711880815.1"
TEXTS = sorted(TEXT | {"AE", "CS", "PN", "UR", "DA", "DT", "TM", "AS", "UI"})
#: Without these a file is no file of its kind any more.
NEEDED = {
    "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "PatientName", "PatientID", "PatientBirthDate",
    "ImageType", "BurnedInAnnotation", "RecognizableVisualFeatures", "StudyInstanceUID", "SeriesInstanceUID",
}  # fmt: skip
#: UIDs of kinds of objects and of codes: they stay, as they name nobody.
KINDS = {
    "RelatedGeneralSOPClassUID", "OriginalSpecializedSOPClassUID", "ReferencedSOPClassUID", "SOPClassesInStudy",
    "SOPClassesSupported", "CodingSchemeUID", "ContextUID", "MappingResourceUID", "AvailableTransferSyntaxUID",
    "EncryptedContentTransferSyntaxUID",
}  # fmt: skip


@cache
def everything() -> Dataset:
    """Every attribute of the dictionary that is written as text, with the patient in it."""
    dataset = Dataset()
    with disable_value_validation():
        for tag, (vr, _vm, _name, _retired, keyword) in DicomDictionary.items():
            if vr in TEXTS and tag >> 16 >= 8 and keyword not in NEEDED | KINDS:
                dataset.add_new(tag, vr, PLANTED_UID if vr == "UI" else NAME if vr == "PN" else SENTENCE)
    return dataset


#: Other dates than the shifted ones, and the UIDs of devices, are asked for by name.
RETAINING = {Option.RETAIN_FULL_DATES, Option.RETAIN_UIDS, Option.RETAIN_DEVICE_IDENTITY}


def plant(dataset: FileDataset, character_set: str) -> bytes:
    """A patient in each attribute, in a sequence of each kind, and where no attribute should be."""
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = NAME, IDENTIFIER, "19500304"
    for element in everything():
        if element.keyword != "Modality":
            dataset.add(element)
    inner, outer = copy(everything()), Dataset()
    inner.add_new(0x00091001, "LO", SENTENCE)
    outer.ReferencedSeriesSequence = [inner]
    dataset.RTReferencedStudySequence = [outer]
    dataset.AnatomicRegionSequence = [everything()]
    block = dataset.private_block(0x0029, SENTENCE, create=True)
    block.add_new(1, "LO", SENTENCE)
    block.add_new(2, "SQ", [everything()])
    block.add_new(3, "OB", SENTENCE.encode())
    dataset.add_new(0x60000022, "LO", SENTENCE)
    dataset.add_new(0x60003000, "OW", SENTENCE.encode() + b" ")
    dataset.add_new(0x60004000, "LT", SENTENCE)
    dataset.add_new(0x50000022, "LO", SENTENCE)
    dataset.add_new(0xFFFCFFFC, "OB", SENTENCE.encode())
    dataset.SpecificCharacterSet = character_set
    dataset.preamble = NAME.encode().ljust(128, b"\0")
    dataset.file_meta.SourceApplicationEntityTitle = "ZOLTANNE"
    dataset.file_meta.PrivateInformationCreatorUID = PLANTED_UID
    dataset.file_meta.PrivateInformation = SENTENCE.encode()
    return file_of(dataset)


def traces(dicom: bytes) -> Iterator[str]:
    """Which of the patient's words stand in these bytes, in whatever encoding."""
    for word in [*FINDABLE, PLANTED_UID]:
        for encoding in ("utf-8", "latin-1", "utf-16-le", "utf-16-be"):
            if word.encode(encoding) in dicom:
                yield f"{word} as {encoding}"


@pytest.mark.parametrize(
    ("name", "character_set"), [*((name, "ISO_IR 192") for name in FILES), ("rtplan.dcm", "ISO_IR 100")]
)
def test_the_patient_is_nowhere_in_the_file(data_folder: Path, name: str, character_set: str) -> None:
    dataset = pydicom.dcmread(data_folder / "dicompyler" / name)
    if "PixelData" in dataset:
        # They stay byte for byte, as the test below shows; here they would be ten megabytes to search.
        dataset.PixelData = dataset.PixelData[:1000]
    before = plant(dataset, character_set)
    assert len(set(traces(before))) > len(FINDABLE), "the test would find nothing"
    profiles = [Profile(), Profile(frozenset(Option) - RETAINING)]
    for profile in profiles:
        after = Deidentifier(SECRET, profile).deidentify(before)
        assert list(traces(after)) == []


def test_pydicom_does_not_log_the_patient(data_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = plant(pydicom.dcmread(data_folder / "dicompyler" / "rtplan.dcm"), "ISO_IR 192")
    caplog.clear()
    Deidentifier(SECRET, RESEARCH).deidentify(before)
    assert caplog.records == []


def test_pixels_and_doses_are_as_they_were(data_folder: Path) -> None:
    for name in ("ct.0.dcm", "rtdose.dcm"):
        before = pydicom.dcmread(data_folder / "dicompyler" / name)
        after = read(Deidentifier(SECRET, RESEARCH).deidentify((data_folder / "dicompyler" / name).read_bytes()))
        assert after.PixelData == before.PixelData
        assert after.file_meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID
