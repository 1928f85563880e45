"""What computations are about is found in the archive, or a problem says what is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import RLELossless

from host.archive import ArchiveError
from host.plugin import Host
from host.problems import Problem
from rtstruct.images import read_image
from unit.archive_double import ArchiveDouble
from unit.rtstruct.image_files import SERIES_UID, image_file
from unit.rtstruct.shapes import SQUARE, dataset, encoded, roi, roi_contour

FRAME = "2.25.72"
STUDY = "2.25.70"


def structure_set(series: str | None = SERIES_UID, frame: str | None = FRAME, label: str = "Plan A") -> bytes:
    made = dataset([roi_contour(1, SQUARE), roi_contour(7, SQUARE)], [roi(1, "PTV 60"), roi(7, "Herz/Cœur")])
    made.StudyInstanceUID, made.StructureSetLabel = STUDY, label
    referenced = Dataset()
    if frame:
        made.FrameOfReferenceUID = referenced.FrameOfReferenceUID = frame
    if series:
        inner, study = Dataset(), Dataset()
        inner.SeriesInstanceUID = series
        study.RTReferencedSeriesSequence = [inner]
        referenced.RTReferencedStudySequence = [study]
    made.ReferencedFrameOfReferenceSequence = [referenced]
    return encoded(made)


def store(archive: ArchiveDouble, *files: bytes) -> str:
    return [archive.store_instance(file).orthanc_id for file in files][-1]


def test_a_structure_set_is_found_by_either_identifier_and_read_when_not_extracted_yet(
    host: Host, archive: ArchiveDouble
) -> None:
    identifier = store(archive, structure_set())
    for each in (identifier, "2.25.1"):
        found = host.sources.structure_set(each)
        assert (found.orthanc_id, found.label) == (identifier, "Plan A")
        assert [(one.number, one.name) for one in found.structures] == [(1, "PTV 60"), (7, "Herz/Cœur")]


def test_structures_are_chosen_by_number_or_name_in_the_order_of_the_set(host: Host, archive: ArchiveDouble) -> None:
    found = host.sources.structure_set(store(archive, structure_set()))
    assert [one.number for one in found.chosen("7, ptv 60")] == [1, 7]
    assert len(found.chosen(None)) == 2
    with pytest.raises(Problem, match="'8'") as problem:
        found.chosen("1,8")
    assert "7 (Herz/Cœur)" in problem.value.remedy
    with pytest.raises(Problem, match="'2'"):
        found.structure(2)


def test_downloads_are_named_after_the_set_and_never_hold_what_a_file_system_refuses(
    host: Host, archive: ArchiveDouble
) -> None:
    found = host.sources.structure_set(store(archive, structure_set(label="a/../b c")))
    assert found.filename("Herz/Cœur", ending=".nii.gz") == "a-..-b-c_Herz-C-ur_1.nii.gz"


def test_the_referenced_series_comes_before_all_others(host: Host, archive: ArchiveDouble) -> None:
    other = [image_file(z, SeriesInstanceUID="2.25.5", SOPInstanceUID=f"2.25.5.{z}") for z in range(5)]
    identifier = store(archive, *other, image_file(0), image_file(3), structure_set())
    found = host.sources.images(host.sources.structure_set(identifier))
    assert (found.series_instance_uid, len(found.instances)) == (SERIES_UID, 2)
    assert len(host.sources.images(host.sources.structure_set(identifier), "2.25.5").instances) == 5
    assert host.sources.images(host.sources.structure_set(identifier), found.orthanc_id) == found


def test_a_reference_to_nothing_falls_back_on_the_frame_of_reference(host: Host, archive: ArchiveDouble) -> None:
    elsewhere = image_file(0, SeriesInstanceUID="2.25.5", SOPInstanceUID="2.25.5.1", FrameOfReferenceUID="2.25.6")
    more = image_file(1, SeriesInstanceUID="2.25.5", SOPInstanceUID="2.25.5.2", FrameOfReferenceUID="2.25.6")
    identifier = store(archive, elsewhere, more, image_file(0), structure_set(series="2.25.404"))
    assert host.sources.images(host.sources.structure_set(identifier)).series_instance_uid == SERIES_UID


def test_the_key_of_a_series_changes_with_its_images(host: Host, archive: ArchiveDouble) -> None:
    found = host.sources.structure_set(store(archive, image_file(0), image_file(3), structure_set()))
    keys = {host.sources.images(found).key}
    archive.delete("instance", host.sources.images(found).instances[0])
    keys.add(host.sources.images(found).key)
    archive.store_instance(image_file(6))
    keys.add(host.sources.images(found).key)
    assert len(keys) == 3


def test_images_come_uncompressed_where_the_archive_can(host: Host, archive: ArchiveDouble) -> None:
    pixels = np.arange(20, dtype="<u2").reshape(4, 5)
    identifier = store(archive, image_file(0, pixels), image_file(3, pixels, RLELossless), structure_set())
    series = host.sources.images(host.sources.structure_set(identifier))
    for fault in (None, ArchiveError("no decoder")):
        if fault:
            archive.fail("read_transcoded", fault)
        assert (read_image(host.sources.read_all(series)).stored == pixels).all()
    assert archive.count("read_transcoded") == 2


def test_no_images_at_all_is_a_problem_that_names_the_reference(host: Host, archive: ArchiveDouble) -> None:
    found = host.sources.structure_set(store(archive, structure_set(series="2.25.404")))
    with pytest.raises(Problem, match=r"2\.25\.404") as problem:
        host.sources.images(found)
    assert problem.value.status == 404
    with pytest.raises(Problem, match=r"2\.25\.9"):
        host.sources.images(found, "2.25.9")


def test_doses_of_the_same_frame_of_reference_are_found_plans_first(host: Host, archive: ArchiveDouble) -> None:
    def dose(number: int, **tags: str) -> bytes:
        made = {"Modality": "RTDOSE", "SeriesInstanceUID": "2.25.8", "SOPInstanceUID": f"2.25.8.{number}"}
        return image_file(0, **made, DoseUnits="GY", DoseType="PHYSICAL", **tags)

    beam = dose(1, DoseSummationType="BEAM")
    plan = dose(2, DoseSummationType="PLAN")
    elsewhere = dose(3, DoseSummationType="PLAN", FrameOfReferenceUID="2.25.6")
    identifier = store(archive, beam, plan, elsewhere, image_file(0), structure_set())
    found = host.sources.doses(host.sources.structure_set(identifier))
    assert [(each.sop_instance_uid, each.summation_type) for each in found] == [
        ("2.25.8.2", "PLAN"),
        ("2.25.8.1", "BEAM"),
    ]
    assert host.sources.dose("2.25.8.3").dose_units == "GY"
    with pytest.raises(Problem, match="not a dose: RTSTRUCT"):
        host.sources.dose("2.25.1")


def test_what_is_no_structure_set_is_refused(host: Host, archive: ArchiveDouble, data_folder: Path) -> None:
    with pytest.raises(Problem, match="There is no instance") as unknown:
        host.sources.structure_set("1.2.3")
    with pytest.raises(Problem, match="CT") as image:
        host.sources.structure_set(store(archive, image_file(0)))
    assert (unknown.value.status, image.value.status) == (404, 422)


def test_a_passing_fault_of_the_archive_is_503(host: Host, archive: ArchiveDouble) -> None:
    identifier = store(archive, structure_set())
    archive.fail("read_instance", ArchiveError("disk"))
    with pytest.raises(Problem) as problem:
        host.sources.structure_set(identifier)
    assert problem.value.status == 503
