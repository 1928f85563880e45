"""Repair: every contour of the copy names an image of its plane, and nothing but the references differs."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian

from rtstruct import NotAStructureSet, read
from rtstruct.quality import Held, report_on
from rtstruct.references import read_references
from rtstruct.repair import NothingToRepair, NotRepairable, RepairedCopy, repair
from unit.rtstruct.phantom import (
    SERIES,
    STRUCTURES,
    contours_of,
    file_of,
    image_series,
    image_uid,
    structure_set,
    z_of,
)
from unit.rtstruct.real_images import DATA, sarcoma_series
from unit.rtstruct.shapes import reencoded

MODALITIES = ("CT", "MR_T1", "PET")


def sarcoma_file(modality: str) -> bytes:
    return (DATA / "sts" / "STS_001" / modality / "mask" / "RS.dcm").read_bytes()


def all_series() -> Held:
    return Held(tuple(sarcoma_series(modality) for modality in MODALITIES))


def codes(copy: RepairedCopy) -> set[str]:
    return {change.code for change in copy.changes}


def spoiled(spoil: Callable[[Dataset], object]) -> bytes:
    made = structure_set()
    spoil(made)
    return file_of(made)


@pytest.mark.parametrize("modality", MODALITIES)
def test_every_contour_of_the_sarcoma_copies_names_an_image_of_its_plane(modality: str) -> None:
    copy = repair(sarcoma_file(modality), all_series())
    # CT, MR and PET share their planes and their frame of reference: the series that the set names wins.
    series = sarcoma_series(modality)
    assert copy.image_series_uid == series.series_instance_uid
    planes = {plane.sop_instance_uid: plane.position_mm[2] for plane in series.planes}
    contours = [contour for structure in read(copy.dicom).structures for contour in structure.contours]
    assert len(contours) == 32
    for contour in contours:
        (uid,) = contour.image_sop_instance_uids
        assert abs(planes[uid] - contour.points_mm[0, 2]) < 0.01
    assert {"images_referenced"} <= codes(copy)


@pytest.mark.parametrize("modality", MODALITIES)
def test_the_copy_of_a_sarcoma_set_is_viewable(modality: str) -> None:
    original = sarcoma_file(modality)
    before = report_on(read(original), read_references(original), all_series())
    copy = repair(original, all_series()).dicom
    after = report_on(read(copy), read_references(copy), all_series())
    assert not before.viewable_in_ohif
    assert after.viewable_in_ohif
    assert after.count("error") == after.count("warning") == 0


@pytest.mark.parametrize("modality", MODALITIES)
def test_nothing_but_references_and_identity_differs(modality: str) -> None:
    original = dcmread(BytesIO(sarcoma_file(modality)))
    copy = dcmread(BytesIO(repair(sarcoma_file(modality), all_series()).dicom))
    differing = {
        "SOPInstanceUID",
        "SeriesInstanceUID",
        "SeriesDescription",
        "StructureSetDescription",
        "PredecessorStructureSetSequence",
        "ContributingEquipmentSequence",
        "ReferencedFrameOfReferenceSequence",
        "ROIContourSequence",
    }
    keywords = {element.keyword for element in (*original, *copy)}
    assert {each for each in keywords if original.get(each) != copy.get(each)} <= differing
    for before, after in zip(original.ROIContourSequence, copy.ROIContourSequence, strict=True):
        for contour, copied in zip(before.ContourSequence, after.ContourSequence, strict=True):
            assert contour.ContourData == copied.ContourData
            for item in (contour, copied):
                del item.ContourImageSequence
            assert contour == copied
        del before.ContourSequence, after.ContourSequence
        assert before == after


def test_contour_data_stay_byte_for_byte() -> None:
    original = sarcoma_file("CT")
    copy = repair(original, all_series()).dicom
    # What pydicom has not been asked for stands in the file as bytes.
    data = [
        [
            bytes(contour.get_item("ContourData").value)
            for contour in dcmread(BytesIO(file)).ROIContourSequence[0].ContourSequence
        ]
        for file in (original, copy)
    ]
    assert data[0] == data[1]


def test_the_copy_names_its_original_and_every_change() -> None:
    copy = repair(sarcoma_file("CT"), all_series())
    dataset = dcmread(BytesIO(copy.dicom))
    original = dcmread(BytesIO(sarcoma_file("CT")))
    (predecessor,) = dataset.PredecessorStructureSetSequence
    assert predecessor.ReferencedSOPInstanceUID == original.SOPInstanceUID == copy.original_sop_instance_uid
    assert original.SOPInstanceUID in dataset.StructureSetDescription
    for change in copy.changes:
        assert change.message in dataset.ContributingEquipmentSequence[-1].ContributionDescription
    assert dataset.SOPInstanceUID == dataset.file_meta.MediaStorageSOPInstanceUID == copy.sop_instance_uid
    assert dataset.SeriesInstanceUID == copy.series_instance_uid != original.SeriesInstanceUID
    assert (dataset.StudyInstanceUID, dataset.PatientID) == (original.StudyInstanceUID, original.PatientID)


def test_repairing_twice_gives_the_same_copy_and_a_copy_needs_no_repair() -> None:
    first, second = (repair(sarcoma_file("CT"), all_series()) for _ in range(2))
    assert first.dicom == second.dicom
    assert read_references(first.dicom).is_repaired_copy
    assert not read_references(sarcoma_file("CT")).is_repaired_copy
    with pytest.raises(NothingToRepair):
        repair(first.dicom, all_series())


def test_other_images_make_another_copy() -> None:
    held = all_series()
    by_name, by_order = repair(sarcoma_file("CT"), held), repair(sarcoma_file("CT"), held, wanted=series_uid("PET"))
    assert by_order.image_series_uid == series_uid("PET")
    assert by_name.sop_instance_uid != by_order.sop_instance_uid


def series_uid(modality: str) -> str:
    return sarcoma_series(modality).series_instance_uid


def test_without_the_series_that_it_names_the_frame_of_reference_and_the_planes_decide() -> None:
    held = Held((sarcoma_series("PET"), sarcoma_series("CT")))
    copy = repair(sarcoma_file("MR_T1"), held)
    # Both fit: people draw on CT rather than on PET.
    assert copy.image_series_uid == series_uid("CT")
    assert "series_referenced" in codes(copy)


def test_a_sound_set_needs_none() -> None:
    with pytest.raises(NothingToRepair):
        repair(file_of(structure_set()), Held((image_series(),)))


def test_contours_that_name_no_image_are_no_fault_by_themselves() -> None:
    def without_images(made: Dataset) -> None:
        for name in STRUCTURES:
            for contour in contours_of(made, name):
                del contour.ContourImageSequence

    with pytest.raises(NothingToRepair):
        repair(spoiled(without_images), Held((image_series(),)))


@pytest.mark.parametrize("missing", ["frames", "series", "images", "stale", "roi sequence", "data", "own series"])
def test_what_hides_a_set_from_ohif_is_repaired(missing: str) -> None:
    def spoil(made: Dataset) -> None:
        study = made.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
        match missing:
            case "frames":
                del made.ReferencedFrameOfReferenceSequence
            case "series":
                study.RTReferencedSeriesSequence[0].SeriesInstanceUID = "1.2.3.77"
            case "images":
                del study.RTReferencedSeriesSequence[0].ContourImageSequence
            case "stale":
                made.ReferencedSeriesSequence = [Dataset()]
                made.ReferencedSeriesSequence[0].SeriesInstanceUID = "1.2.3.77"
            case "roi sequence":
                del made.StructureSetROISequence
            case "data":
                del contours_of(made, "GTV")[1].ContourData

    instances = 2 if missing == "own series" else 1
    copy = repair(spoiled(spoil), Held((image_series(),), own_series_instances=instances))
    found = report_on(read(copy.dicom), read_references(copy.dicom), Held((image_series(),)))
    assert found.viewable_in_ohif
    assert copy.image_series_uid == SERIES
    assert copy.changes


def test_a_contour_halfway_between_images_names_one_of_them_and_one_beyond_them_none() -> None:
    def spoil(made: Dataset) -> None:
        for contour, z in zip(
            contours_of(made, "GTV"), (z_of(8) + 1.4, z_of(9) - 1.5, z_of(25), z_of(-3)), strict=True
        ):
            points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
            points[:, 2] = z
            contour.ContourData = [f"{value:.3f}" for value in points.ravel()]
            contour.ContourImageSequence[0].ReferencedSOPInstanceUID = "1.2.3.77"

    copy = repair(spoiled(spoil), Held((image_series(),)))
    gtv = next(each for each in read(copy.dicom).structures if each.name == "GTV")
    uids = [contour.image_sop_instance_uids for contour in gtv.contours]
    assert uids[0] == (image_uid(8),)
    assert uids[1] in ((image_uid(8),), (image_uid(9),))
    assert uids[2:] == [(), ()]
    assert "contours_without_image" in codes(copy)


def test_oblique_contours_find_their_images() -> None:
    turn = np.array([[1, 0, 0], [0, np.cos(0.4), np.sin(0.4)], [0, -np.sin(0.4), np.cos(0.4)]])

    def vector(values: np.ndarray) -> tuple[float, float, float]:
        x, y, z = (values @ turn).tolist()
        return x, y, z

    flat = image_series()
    turned = replace(
        flat,
        planes=tuple(
            replace(
                each,
                position_mm=vector(np.array(each.position_mm)),
                row=vector(np.array(each.row)),
                column=vector(np.array(each.column)),
            )
            for each in flat.planes
        ),
    )

    def spoil(made: Dataset) -> None:
        for name in STRUCTURES:
            for contour in contours_of(made, name):
                points = np.array(contour.ContourData, dtype=float).reshape(-1, 3) @ turn
                contour.ContourData = [f"{value:.2f}" for value in points.ravel()]
                contour.ContourImageSequence[0].ReferencedSOPInstanceUID = "1.2.3.77"

    copy = repair(spoiled(spoil), Held((turned,)))
    for structure in read(copy.dicom).structures:
        slices = STRUCTURES[structure.name][4]
        assert [each.image_sop_instance_uids for each in structure.contours] == [(image_uid(nth),) for nth in slices]


def test_an_approval_was_for_the_original() -> None:
    def spoil(made: Dataset) -> None:
        del made.ReferencedFrameOfReferenceSequence

    copy = repair(spoiled(spoil), Held((image_series(),)))
    dataset = dcmread(BytesIO(copy.dicom))
    assert dataset.ApprovalStatus == "UNAPPROVED"
    assert "ReviewerName" not in dataset
    assert "approval_withdrawn" in codes(copy)


@pytest.mark.parametrize(
    ("held", "says"),
    [
        (Held(), "no images in the frame of reference"),
        (Held((image_series(uid="1.2.3.8", frame="1.2.3.88"),)), "no images in the frame of reference"),
        (Held((image_series(range(30, 40), uid="1.2.3.8"),)), "contours lie on planes"),
    ],
)
def test_without_images_that_fit_there_is_no_copy(held: Held, says: str) -> None:
    def spoil(made: Dataset) -> None:
        del made.ReferencedFrameOfReferenceSequence

    with pytest.raises(NotRepairable, match=says):
        repair(spoiled(spoil), held)


def test_a_series_that_is_not_there_cannot_be_asked_for() -> None:
    with pytest.raises(NotRepairable, match=r"no image series 1\.2\.3\.99"):
        repair(file_of(structure_set()), Held((image_series(),)), wanted="1.2.3.99")


def test_what_is_no_structure_set_is_refused() -> None:
    image = (DATA / "sts" / "STS_001" / "CT" / "image" / "000000.dcm").read_bytes()
    with pytest.raises(NotAStructureSet):
        repair(image, all_series())


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian], ids=lambda uid: uid.name
)
def test_the_copy_keeps_the_transfer_syntax(syntax: str) -> None:
    copy = repair(reencoded(sarcoma_file("CT"), syntax), all_series())
    assert dcmread(BytesIO(copy.dicom)).file_meta.TransferSyntaxUID == syntax
    original, repaired = read(sarcoma_file("CT")), read(copy.dicom)
    for before, after in zip(original.structures[0].contours, repaired.structures[0].contours, strict=True):
        assert np.array_equal(before.points_mm, after.points_mm)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")
@pytest.mark.parametrize("modality", MODALITIES)
def test_the_copy_is_as_valid_as_the_original(modality: str, tmp_path: Path) -> None:
    original, copy = sarcoma_file(modality), repair(sarcoma_file(modality), all_series()).dicom
    assert errors(copy, tmp_path) <= errors(original, tmp_path)


def errors(dicom: bytes, folder: Path) -> set[str]:
    """What dciodvfy calls an error, without values."""
    path = folder / "RS.dcm"
    path.write_bytes(dicom)
    said = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, errors="replace", check=False)
    lines = (said.stdout + said.stderr).splitlines()
    return {re.sub(r"[\d.]{8,}|\[\d+\]", "", line) for line in lines if line.startswith("Error")}
