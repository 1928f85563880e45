"""What belongs together still does: references, geometry, structures and their volumes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.datadict import dictionary_has_tag, dictionary_keyword, dictionary_VR
from pydicom.dataset import Dataset

import rtstruct
from deidentification import RESEARCH, Deidentifier
from unit.deidentification.files import read

DEIDENTIFIER = Deidentifier(b"a secret of a test", RESEARCH)
FILES = ("ct.0.dcm", "rtss.dcm", "rtplan.dcm", "rtdose.dcm")
Place = tuple[str | int, ...]


@pytest.fixture(scope="module")
def pairs(data_folder: Path) -> dict[str, tuple[Dataset, Dataset]]:
    """Each file before and after."""
    found = {}
    for name in FILES:
        dicom = (data_folder / "dicompyler" / name).read_bytes()
        found[name] = (read(dicom), read(DEIDENTIFIER.deidentify(dicom)))
    return found


def uids(dataset: Dataset, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Every UID with where it stands."""
    for tag in filter(dictionary_has_tag, list(dataset.keys())):
        keyword, vr = dictionary_keyword(tag), dictionary_VR(tag)
        if vr == "SQ":
            for number, item in enumerate(dataset[tag].value):
                yield from uids(item, (*place, keyword, number))
        elif vr == "UI":
            yield (*place, keyword), str(dataset[tag].value)


@pytest.mark.parametrize("name", FILES)
def test_every_uid_has_its_stand_in_at_the_same_place(pairs: dict[str, tuple[Dataset, Dataset]], name: str) -> None:
    before, after = (dict(uids(dataset)) for dataset in pairs[name])
    stands = {place: DEIDENTIFIER.uid(uid) for place, uid in before.items()}
    assert {place: uid for place, uid in stands.items() if place in after} == after
    # Sequences that the table empties: references to other studies, procedures and the like.
    gone = {place[0] for place in stands if place not in after}
    assert gone <= {"ReferencedStudySequence", "ReferencedPerformedProcedureStepSequence"}
    objects = {uid for place, uid in before.items() if "ClassUID" not in str(place[-1])}
    assert objects.isdisjoint(after.values()) or all(DEIDENTIFIER.uid(u) == u for u in objects & set(after.values()))


def test_plan_dose_structures_and_images_still_name_each_other(pairs: dict[str, tuple[Dataset, Dataset]]) -> None:
    image, structures, plan, dose = (pairs[name][1] for name in FILES)
    assert len({dataset.StudyInstanceUID for dataset in (image, structures, plan, dose)}) == 1
    assert len({dataset.PatientID for dataset in (image, structures, plan, dose)}) == 1
    series = structures.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    assert series.SeriesInstanceUID == image.SeriesInstanceUID
    assert image.SOPInstanceUID in {item.ReferencedSOPInstanceUID for item in series.ContourImageSequence}
    assert structures.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID == image.FrameOfReferenceUID
    assert plan.ReferencedStructureSetSequence[0].ReferencedSOPInstanceUID == structures.SOPInstanceUID
    assert dose.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID == plan.SOPInstanceUID


def test_dates_of_all_files_move_by_the_same_days(pairs: dict[str, tuple[Dataset, Dataset]]) -> None:
    moved = {after.StudyDate for _, after in pairs.values()}
    assert len(moved) == 1 and moved.isdisjoint({before.StudyDate for before, _ in pairs.values()})


def test_structures_keep_their_names_and_volumes(data_folder: Path) -> None:
    dicom = (data_folder / "dicompyler" / "rtss.dcm").read_bytes()
    before, after = rtstruct.read(dicom), rtstruct.read(DEIDENTIFIER.deidentify(dicom))
    assert [structure.name for structure in after.structures] == [structure.name for structure in before.structures]
    volumes = [[rtstruct.analyse(s).volume_cm3 for s in each.structures] for each in (before, after)]
    assert volumes[0] == volumes[1]
    assert any(volumes[0])


def test_the_same_file_gives_the_same_bytes(data_folder: Path) -> None:
    dicom = (data_folder / "dicompyler" / "rtplan.dcm").read_bytes()
    again = Deidentifier(b"a secret of a test", RESEARCH)
    assert DEIDENTIFIER.deidentify(dicom) == again.deidentify(dicom)
    assert Deidentifier(b"another secret of a test", RESEARCH).deidentify(dicom) != again.deidentify(dicom)


def test_a_structure_set_of_another_maker_keeps_its_contours(data_folder: Path) -> None:
    path = sorted((data_folder / "sts" / "STS_001" / "CT" / "mask").glob("*.dcm"))[0]
    before, after = pydicom.dcmread(path), read(DEIDENTIFIER.deidentify(path.read_bytes()))
    contours = [
        [contour.ContourData for item in dataset.ROIContourSequence for contour in item.ContourSequence]
        for dataset in (before, after)
    ]
    assert contours[0] == contours[1]
