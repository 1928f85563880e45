"""Every attribute of Table E.1-1 of PS3.15 is treated as the table says; another project's copy of it is the judge."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as judge
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.tag import Tag

import deidentification.actions
from deidentification import Option
from unit.deidentification.files import deidentifier, planted, somebody, treated

JUDGED = {
    (tag[0] << 16) + tag[1]: action
    for action, tags in {
        "D": judge.D_TAGS, "Z": judge.Z_TAGS, "X": judge.X_TAGS, "U": judge.U_TAGS, "Z/D": judge.Z_D_TAGS,
        "X/Z": judge.X_Z_TAGS, "X/D": judge.X_D_TAGS, "X/Z/D": judge.X_Z_D_TAGS, "X/Z/U*": judge.X_Z_U_STAR_TAGS,
    }.items()
    for tag in tags
    if len(tag) == 2
}  # fmt: skip
with (Path(deidentification.actions.__file__).parent / "actions.csv").open(encoding="utf-8") as file:
    OURS = {int(row["tag"], 16): row for row in csv.DictReader(file)}

#: Attributes that data sets have: not those of messages, of the file's head and of DICOMDIR.
IN_DATA_SETS = [tag for tag in JUDGED if dictionary_has_tag(tag) and tag >> 16 >= 8]
#: Where we remove what the table lets stay.
STRICTER = {
    tag: "bytes cannot be given a value without meaning that their reader understands"
    for tag in IN_DATA_SETS
    if dictionary_VR(tag) in ("OB", "UN")
}
#: The pseudonym takes the place of an empty or dummy value (PS3.15, E.1.1, 3c): no others.
PSEUDONYMS = {Tag("PatientName"), Tag("PatientID")}


def filled() -> Dataset:
    """Everything the table names, beside the sequence that holds it once more, three levels deep."""
    innermost, middle, dataset = Dataset(), Dataset(), somebody()
    for tag in IN_DATA_SETS:
        innermost.add(planted(tag))
        if tag not in PSEUDONYMS and Tag(tag) != Tag("SOPInstanceUID"):
            dataset.add(planted(tag))
    middle.ContourSequence = [innermost]
    dataset.ROIContourSequence = [middle]
    return dataset


@pytest.fixture(scope="module")
def levels() -> dict[str, Dataset]:
    dataset = treated(filled())
    return {"top": dataset, "nested": dataset.ROIContourSequence[0].ContourSequence[0]}


def means(element: DataElement | None, tag: int) -> set[str]:
    """Which actions of the table would have left this."""
    if element is None:
        return {"X"}
    if element.is_empty or (element.VR == "SQ" and not element.value):
        return {"Z"}
    assert "planted" not in repr(element).lower() and "Someone" not in repr(element)
    if element.VR == "UI":
        return {"U", "D"} if element.value == deidentifier().uid(f"1.2.3.{tag}") else {"?"}
    if element.VR == "SQ" and element.value[0].get("ReferencedSOPInstanceUID") == deidentifier().uid(f"1.2.3.{tag}"):
        return {"U*", "D"}
    return {"D"} if element.value != planted(tag).value else {"K"}


def test_the_tables_name_the_same_attributes_and_actions() -> None:
    assert {tag: row["basic"] for tag, row in OURS.items()} == JUDGED


@pytest.mark.parametrize("level", ["top", "nested"])
def test_every_attribute_of_the_table_is_treated_as_it_says(levels: dict[str, Dataset], level: str) -> None:
    assert len(IN_DATA_SETS) > 600
    wrong = []
    for tag in IN_DATA_SETS:
        if level == "top" and (tag in PSEUDONYMS or Tag(tag) == Tag("SOPInstanceUID")):
            continue
        element = levels[level].get(tag)
        allowed = {"X"} if tag in STRICTER else set(JUDGED[tag].split("/"))
        if not means(element, tag) & allowed:
            wrong.append((f"{Tag(tag)} {OURS[tag]['keyword']}", JUDGED[tag], element))
    assert wrong == []


def test_what_the_table_does_not_say_is_not_in_the_files_head(levels: dict[str, Dataset]) -> None:
    written = {element.keyword for element in levels["top"].file_meta}
    assert written <= {
        "FileMetaInformationGroupLength", "FileMetaInformationVersion", "MediaStorageSOPClassUID",
        "MediaStorageSOPInstanceUID", "TransferSyntaxUID", "ImplementationClassUID", "ImplementationVersionName",
    }  # fmt: skip
    assert levels["top"].file_meta.MediaStorageSOPInstanceUID == levels["top"].SOPInstanceUID


def rows(option: Option, letter: str) -> list[int]:
    return [
        tag
        for tag in IN_DATA_SETS
        if OURS[tag].get({Option.RETAIN_MODIFIED_DATES: "retain_modified_dates",
                          Option.RETAIN_FULL_DATES: "retain_full_dates"}.get(option, option.value)) == letter
    ]  # fmt: skip


def test_full_dates_stay_where_the_table_keeps_them() -> None:
    after = treated(filled(), Option.RETAIN_FULL_DATES)
    kept = [tag for tag in rows(Option.RETAIN_FULL_DATES, "K") if tag not in STRICTER]
    assert len(kept) > 150
    assert [Tag(tag) for tag in kept if dictionary_VR(tag) != "SQ" and after.get(tag) != planted(tag)] == []


def test_modified_dates_all_move_by_the_same_days_and_times_stay() -> None:
    after = treated(filled(), Option.RETAIN_MODIFIED_DATES)
    cleaned = [tag for tag in rows(Option.RETAIN_MODIFIED_DATES, "C") if tag not in STRICTER]
    assert len(cleaned) > 150
    days = {str(after[tag].value)[:8] for tag in cleaned if dictionary_VR(tag) in ("DA", "DT")}
    assert len(days) == 1 and days != {"20190304"}
    assert {after[tag].value for tag in cleaned if dictionary_VR(tag) == "TM"} == {"112233"}


@pytest.mark.parametrize(
    "option",
    [
        Option.RETAIN_UIDS, Option.RETAIN_PATIENT_CHARACTERISTICS, Option.RETAIN_DEVICE_IDENTITY,
        Option.RETAIN_INSTITUTION_IDENTITY,
    ],
)  # fmt: skip
def test_what_an_option_retains_stays(option: Option) -> None:
    after = treated(filled(), option)
    kept = [
        tag for tag in rows(option, "K") if tag not in STRICTER and dictionary_VR(tag) not in ("SQ", "DA", "TM", "DT")
    ]
    assert len(kept) >= 8
    assert [Tag(tag) for tag in kept if after.get(tag) != planted(tag) and Tag(tag) != Tag("SOPInstanceUID")] == []


def test_cleaned_descriptors_keep_their_words_and_lose_the_patient() -> None:
    before = somebody()
    tags = [tag for tag in rows(Option.CLEAN_DESCRIPTORS, "C") if dictionary_VR(tag) in ("LO", "SH")]
    for tag in tags:
        before.add_new(tag, dictionary_VR(tag), "Quentinsky hip")
    after = treated(before, Option.CLEAN_DESCRIPTORS)
    assert len(tags) > 50
    assert {after[tag].value for tag in tags} == {"hip"}


def test_narrative_text_is_not_left_to_a_list_of_words() -> None:
    before = somebody()
    tags = [tag for tag in rows(Option.CLEAN_DESCRIPTORS, "C") if dictionary_VR(tag) in ("LT", "ST", "UT")]
    for tag in tags:
        before.add(planted(tag))
    assert len(tags) > 40
    assert [tag for tag in tags if "planted" in repr(treated(before, Option.CLEAN_DESCRIPTORS).get(tag))] == []


@pytest.mark.parametrize("options", [(), tuple(set(Option) - {Option.RETAIN_FULL_DATES})])
def test_what_was_done_is_told_in_the_codes_of_cid_7050(options: tuple[Option, ...]) -> None:
    after = treated(somebody(), *options)
    told = [
        (item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning)
        for item in after.DeidentificationMethodCodeSequence
    ]
    known = {
        (code.value, "DCM", code.meaning) for name in codes.cid7050.dir() for code in [getattr(codes.cid7050, name)]
    }
    assert set(told) <= known and told[0][0] == "113100"
    assert len(told) == (7 if options else 1)
    assert after.PatientIdentityRemoved == "YES"
    assert after.LongitudinalTemporalInformationModified == ("MODIFIED" if options else "REMOVED")
    assert after.DeidentificationMethod
