"""Names of structures survive, text loses the patient, and a malformed value goes instead of leaking."""

from __future__ import annotations

import random
from pathlib import Path

import pydicom
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    RLELossless,
    RTStructureSetStorage,
)

from deidentification import HeldBack, Hold, Option, Profile
from deidentification.identity import Identity
from unit.deidentification.files import (
    FAMILY_NAME,
    GIVEN_NAME,
    PATIENT_ID,
    deidentifier,
    file_of,
    read,
    somebody,
    treated,
)

CLEAN = (Option.CLEAN_STRUCTURE_NAMES, Option.CLEAN_DESCRIPTORS)


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("PTV_5040", "PTV_5040"),
        ("Lung_L", "Lung_L"),
        ("Rectum - 1.5 cm", "Rectum - 1.5 cm"),
        ("GTV 2.5 x 3 x 30", "GTV 2.5 x 3 x 30"),
        ("Leber äußerer Rand", "Leber äußerer Rand"),
        ("PTV Quentinsky", "PTV"),
        ("PTV_QUENTINSKY_2", "PTV__2"),
        ("ZoltannesTumour", "REMOVED"),
        ("Tumour of Zoltanne", "Tumour of"),
        ("PTV_2019-03-04", "PTV"),
        ("PTV 4.3.19", "PTV"),
        ("GTV 4 Mar 2019 old", "GTV  old"),
        (f"Boost {PATIENT_ID}", "Boost"),
        ("Quentinsky Zoltanne", "REMOVED"),
    ],
)
def test_names_of_structures_survive_unless_they_tell_who_it_is(name: str, left: str) -> None:
    structures = somebody(RTStructureSetStorage)
    item = Dataset()
    item.ROIName = name
    structures.StructureSetROISequence = [item]
    assert treated(structures, *CLEAN).StructureSetROISequence[0].ROIName == left
    assert treated(structures).StructureSetROISequence[0].ROIName == ""


def test_a_structure_of_tg263_survives_a_patient_of_that_name() -> None:
    identity = Identity()
    identity.add_patient_name("Brain^Heart")
    assert identity.clean_structure_name("Brain", frozenset()) == "Brain"
    assert identity.clean_structure_name("my Brain", frozenset()) == "my"
    assert identity.clean_structure_name("my Brain", frozenset({"my Brain"})) == "my Brain"


@pytest.mark.parametrize(
    ("patient", "text", "left"),
    [
        ("Li^Bo", "Li Bo lib", "lib"),
        ("Müller^Jörg", "Mueller MULLER müller Joerg hip", "hip"),
        ("MUELLER^JOERG", "Müller Jörg hip", "hip"),
        ("Yamada^Tarou=山田^太郎", "山田太郎 肺", "肺"),
        ("O'Brien^Éamon", "OBRIEN o'brien EAMON hip", "o' hip"),
    ],
)
def test_names_are_found_however_they_are_spelt(patient: str, text: str, left: str) -> None:
    identity = Identity()
    identity.add_patient_name(patient)
    assert " ".join(identity.clean(text).split()) == left


def test_small_numbers_and_departments_are_no_identity() -> None:
    dataset = somebody()
    dataset.StudyID, dataset.InstitutionalDepartmentName = "60", "CT"
    dataset.SeriesDescription = "CT for PTV 60"
    assert treated(dataset, *CLEAN).SeriesDescription == "CT for PTV 60"


def test_physicians_go_from_texts_too() -> None:
    dataset = somebody()
    dataset.ReferringPhysicianName, dataset.InstitutionName = "Housemann^Gregory", "St. Elsewhere"
    dataset.SeriesDescription = "Dr Housemann at St. Elsewhere: thorax"
    assert treated(dataset, *CLEAN).SeriesDescription == "Dr  at : thorax"


def test_a_phantom_called_ct_stays_a_ct() -> None:
    dataset = somebody()
    dataset.PatientName, dataset.Modality, dataset.ImageType = "CT^Phantom", "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    after = treated(dataset)
    assert (after.Modality, list(after.ImageType)) == ("CT", ["ORIGINAL", "PRIMARY", "AXIAL"])


#: VRs whose length stands in four bytes (PS3.5, 7.1.2).
LONG = ("OB", "OW", "SQ", "UN", "UT")
MALFORMED = f"{FAMILY_NAME} {GIVEN_NAME} of 1950/03/04 ".encode()


def element(tag: int, vr: str, value: bytes) -> bytes:
    """One attribute as in explicit VR little endian, however little the value fits."""
    length = b"\0\0" + len(value).to_bytes(4, "little") if vr in LONG else len(value).to_bytes(2, "little")
    return (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little") + vr.encode() + length + value


@pytest.mark.parametrize(
    "vr",
    ["AS", "CS", "DA", "DS", "DT", "FD", "IS", "LO", "OB", "OW", "PN", "SH", "SQ", "TM", "UI", "UN", "US", "UT", "ZZ"],
)
def test_a_value_that_does_not_fit_its_attribute_does_not_leak(vr: str) -> None:
    """As text where numbers belong, as numbers where text belongs, in a VR that is not the attribute's."""
    keywords = [
        "AcquisitionDate", "StudyTime", "FrameReferenceDateTime", "InstanceNumber", "SliceThickness",
        "FrameOfReferenceUID", "PatientAge", "BodyPartExamined", "SeriesDescription", "PixelSpacing", "ContourData",
        "PositionReferenceIndicator", "ImageOrientationPatient", "RescaleType", "ReferencedImageSequence",
        "SOPClassesInStudy",
    ]  # fmt: skip
    taken = deidentifier(Option.RETAIN_MODIFIED_DATES, Option.CLEAN_DESCRIPTORS, Option.RETAIN_PATIENT_CHARACTERISTICS)
    for keyword in keywords:
        tag = tag_for_keyword(keyword)
        assert tag is not None
        try:
            after = taken.deidentify(file_of(somebody()) + element(tag, vr, MALFORMED))
        except HeldBack as held:
            assert held.reason is Hold.UNREADABLE
            continue
        assert [word for word in MALFORMED.split() if len(word) > 2 and word in after] == [], keyword


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_every_transfer_syntax_stays_what_it_is(syntax: str) -> None:
    dataset = somebody()
    dataset.SeriesDescription, dataset.Rows = f"thorax {FAMILY_NAME}", 7
    dataset.file_meta.TransferSyntaxUID = syntax
    after = read(deidentifier(*CLEAN).deidentify(file_of(dataset)))
    assert after.file_meta.TransferSyntaxUID == syntax
    assert (after.SeriesDescription, after.Rows) == ("thorax", 7)


def test_a_sequence_whose_vr_is_unknown_is_looked_into() -> None:
    """As servers write it that do not know the attribute: UN, and encoded as in implicit VR inside (PS3.5, 6.2.2)."""
    words, uid = f"hip of {FAMILY_NAME} ".encode(), b"1.2.3.4.7\0"
    inside = b"\x08\x00\x3e\x10" + len(words).to_bytes(4, "little") + words
    inside += b"\x08\x00\x55\x11" + len(uid).to_bytes(4, "little") + uid
    item = b"\xfe\xff\x00\xe0" + len(inside).to_bytes(4, "little") + inside
    after = deidentifier(*CLEAN).deidentify(file_of(somebody()) + element(0x30060010, "UN", item))
    (found,) = read(after).ReferencedFrameOfReferenceSequence
    assert found.SeriesDescription == "hip of"
    assert found.ReferencedSOPInstanceUID == deidentifier().uid("1.2.3.4.7")


def test_compressed_pixels_stay_compressed_byte_for_byte(data_folder: Path) -> None:
    before = pydicom.dcmread(data_folder / "dicompyler" / "ct.0.dcm")
    before.compress(RLELossless)
    after = read(deidentifier().deidentify(file_of(before)))
    assert after.file_meta.TransferSyntaxUID == RLELossless
    assert after.PixelData == before.PixelData


def test_a_sequence_nested_deeper_than_anybody_reads_is_held_back() -> None:
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff\x08\x00\x15\x11SQ\0\0\xff\xff\xff\xff"
    with pytest.raises(HeldBack) as held:
        deidentifier().deidentify(file_of(somebody()) + item[8:] + item * 3000)
    assert held.value.reason is Hold.UNREADABLE


def test_damaged_files_are_held_back_and_nothing_else_happens(data_folder: Path) -> None:
    whole = pydicom.dcmread(data_folder / "dicompyler" / "rtplan.dcm")
    del whole.FractionGroupSequence
    plain, dice = file_of(whole)[:20_000], random.Random(4711)
    taken = deidentifier(*CLEAN)
    outcomes = {"sent": 0, "held back": 0}
    for _ in range(60):
        damaged = bytearray(plain[: dice.randrange(len(plain) // 2, len(plain))])
        for _ in range(dice.randrange(1, 9)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        try:
            read(taken.deidentify(bytes(damaged)))
            outcomes["sent"] += 1
        except HeldBack:
            outcomes["held back"] += 1
    assert min(outcomes.values()) > 0


def test_an_error_does_not_quote_the_patient() -> None:
    with pytest.raises(HeldBack) as held:
        deidentifier().deidentify(f"{FAMILY_NAME} is no DICOM file".encode())
    assert FAMILY_NAME not in str(held.value)


def test_unknown_options_are_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"'clean_everything'.*clean_structure_names"):
        Profile.named(["clean_everything"])
    with pytest.raises(ValueError, match="exclude each other"):
        Profile.named([Option.RETAIN_FULL_DATES, Option.RETAIN_MODIFIED_DATES])
