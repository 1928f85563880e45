"""A structure set arrives and becomes contours and rows, once, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from pydicom import dcmread
from sqlalchemy import Row

from extraction.service import CONTOURS, SUMMARY, Extraction
from host.archive import ArchiveError, UnknownResource
from host.plugin import Host
from host.workers import WorkerDied
from unit.archive_double import ArchiveDouble
from unit.conftest import InlineWorkers
from unit.extraction.conftest import arrive, damaged, work_off

ReadRow = Callable[[str], Any]
Structures = Callable[[], list[Row[Any]]]


def test_an_arrival_becomes_attachments_and_rows(
    archive: ArchiveDouble, service: Extraction, breast: bytes, row: ReadRow, structures: Structures, told: list[Any]
) -> None:
    identifier = arrive(archive, service, breast)
    assert row(identifier).state == "pending"
    assert work_off(service) == 1
    found = row(identifier)
    assert (found.state, found.attempts, found.error) == ("done", 1, None)
    assert (found.structure_count, found.contour_count, found.point_count) == (10, 441, 88158)
    dataset = dcmread(BytesIO(breast))
    assert found.sop_instance_uid == dataset.SOPInstanceUID
    assert found.study_instance_uid == dataset.StudyInstanceUID
    assert found.label == dataset.StructureSetLabel
    assert set(archive.instances[identifier].attachments) == {CONTOURS, SUMMARY}
    rows = structures()
    assert [each.name for each in rows] == [roi.ROIName for roi in dataset.StructureSetROISequence]
    assert {each.orthanc_id for each in rows} == {identifier}
    assert sum(each.point_count for each in rows) == 88158
    assert told == [(identifier, "done")]


def test_other_instances_never_enter_the_queue(
    archive: ArchiveDouble, service: Extraction, slice_of_ct: bytes, row: ReadRow
) -> None:
    assert row(arrive(archive, service, slice_of_ct)) is None
    assert work_off(service) == 0


def test_inside_the_store_nothing_is_asked_of_the_archive_or_the_database(
    archive: ArchiveDouble, service: Extraction, sarcoma: bytes, host: Host
) -> None:
    host.database.dispose()
    identifier = archive.store_instance(sarcoma).orthanc_id
    assert [name for name, _ in archive.calls] == ["store_instance"]
    assert service.row(identifier) is None


def test_the_same_instance_sent_again_is_not_extracted_again(
    archive: ArchiveDouble, service: Extraction, sarcoma: bytes, workers: InlineWorkers, told: list[Any]
) -> None:
    identifier = arrive(archive, service, sarcoma)
    arrive(archive, service, sarcoma)
    work_off(service)
    arrive(archive, service, sarcoma)
    work_off(service)
    assert workers.calls == 1
    assert told == [(identifier, "done")]


def test_a_damaged_file_has_failed_at_once_with_the_reason(
    archive: ArchiveDouble, service: Extraction, breast: bytes, row: ReadRow, told: list[Any]
) -> None:
    broken = damaged(breast)
    identifier = arrive(archive, service, broken)
    work_off(service)
    found = row(identifier)
    assert (found.state, found.attempts) == ("failed", 1)
    assert "ROIContourSequence" in found.error and "byte" in found.error
    assert told == [(identifier, "failed")]


def test_a_file_that_kills_its_worker_is_tried_with_pauses_and_given_up(
    archive: ArchiveDouble,
    service: Extraction,
    sarcoma: bytes,
    workers: InlineWorkers,
    row: ReadRow,
    later: Callable[[], None],
    told: list[Any],
) -> None:
    identifier = arrive(archive, service, sarcoma)
    workers.faults = [WorkerDied("exit code -9")] * 3
    waits = []
    for attempt in (1, 2):
        assert work_off(service) == 1, "the next try waits"
        found = row(identifier)
        assert (found.state, found.attempts, found.error) == ("pending", attempt, "exit code -9")
        waits.append((found.next_try_at - found.finished_at).total_seconds())
        later()
    work_off(service)
    assert waits == pytest.approx([2, 4], abs=0.5)
    assert (row(identifier).state, row(identifier).attempts) == ("failed", 3)
    later()
    assert work_off(service) == 0
    assert told == [(identifier, "pending"), (identifier, "pending"), (identifier, "failed")]


@pytest.mark.parametrize("operation", ["read_instance", "attach"])
def test_a_fault_of_the_archive_is_tried_again(
    archive: ArchiveDouble,
    service: Extraction,
    sarcoma: bytes,
    row: ReadRow,
    later: Callable[[], None],
    operation: str,
) -> None:
    identifier = arrive(archive, service, sarcoma)
    archive.fail(operation, ArchiveError("Full storage"))
    work_off(service)
    assert (row(identifier).state, row(identifier).error) == ("pending", "Full storage")
    later()
    work_off(service)
    assert (row(identifier).state, row(identifier).attempts, row(identifier).error) == ("done", 2, None)


def test_an_unexpected_fault_is_tried_again_and_tells_no_details(
    archive: ArchiveDouble, service: Extraction, sarcoma: bytes, workers: InlineWorkers, row: ReadRow
) -> None:
    identifier = arrive(archive, service, sarcoma)
    workers.faults = [ValueError("Dupont^Renée")]
    work_off(service)
    assert row(identifier).state == "pending"
    assert "ValueError" in row(identifier).error and "Dupont" not in row(identifier).error


def test_a_worker_out_of_memory_is_tried_again(
    archive: ArchiveDouble, service: Extraction, sarcoma: bytes, workers: InlineWorkers, row: ReadRow
) -> None:
    identifier = arrive(archive, service, sarcoma)
    workers.faults = [MemoryError()]
    work_off(service)
    assert row(identifier).state == "pending"


def test_deleting_the_study_deletes_its_rows(
    archive: ArchiveDouble, service: Extraction, sarcoma: bytes, row: ReadRow, structures: Structures
) -> None:
    identifier = arrive(archive, service, sarcoma)
    work_off(service)
    assert structures()
    archive.delete("study", archive.instances[identifier].ids["study"])
    service.keep_queue()
    assert row(identifier) is None
    assert structures() == []


def test_what_is_deleted_before_it_was_taken_leaves_nothing(
    archive: ArchiveDouble, service: Extraction, sarcoma: bytes, row: ReadRow, told: list[Any]
) -> None:
    identifier = arrive(archive, service, sarcoma)
    archive.delete("instance", identifier)
    work_off(service)
    service.keep_queue()
    assert row(identifier) is None
    assert told == []


def test_what_is_deleted_while_it_is_extracted_leaves_nothing(
    archive: ArchiveDouble,
    service: Extraction,
    sarcoma: bytes,
    workers: InlineWorkers,
    row: ReadRow,
    structures: Structures,
) -> None:
    identifier = arrive(archive, service, sarcoma)
    workers.before = lambda: archive.delete("instance", identifier)
    work_off(service)
    service.keep_queue()
    assert row(identifier) is None
    assert structures() == []


def test_deleted_and_sent_again_is_extracted_again(
    archive: ArchiveDouble, service: Extraction, sarcoma: bytes, row: ReadRow, structures: Structures
) -> None:
    identifier = arrive(archive, service, sarcoma)
    work_off(service)
    count = len(structures())
    archive.delete("instance", identifier)
    archive.store_instance(sarcoma)
    service.keep_queue()
    work_off(service)
    assert row(identifier).state == "done"
    assert set(archive.instances[identifier].attachments) == {CONTOURS, SUMMARY}
    assert len(structures()) == count


def test_an_instance_that_is_listed_but_cannot_be_read_does_not_go_round_for_ever(
    archive: ArchiveDouble, service: Extraction, sarcoma: bytes, row: ReadRow
) -> None:
    identifier = arrive(archive, service, sarcoma)
    archive.fail("read_instance", UnknownResource("its file is missing"), times=1000)
    work_off(service)
    assert row(identifier).state in ("pending", "failed")
    assert row(identifier).attempts > 0
