"""Stops, kills and times without plugins lose no structure set and double none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Row
from sqlalchemy.exc import OperationalError

from extraction.service import Extraction
from host.archive import ArchiveError
from host.plugin import Host
from host.workers import ServerStopping
from unit.archive_double import ArchiveDouble
from unit.conftest import InlineWorkers
from unit.extraction.conftest import arrive, silenced, work_off
from unit.host.dicom_files import instance_file

ReadRow = Callable[[str], Any]
Structures = Callable[[], list[Row[Any]]]


def test_a_stopping_server_gives_the_row_back_untried(
    archive: ArchiveDouble, service: Extraction, sarcoma: bytes, workers: InlineWorkers, row: ReadRow, told: list[Any]
) -> None:
    identifier = arrive(archive, service, sarcoma)
    workers.faults = [ServerStopping()]
    assert service.extract_next() is False
    assert (row(identifier).state, row(identifier).attempts, row(identifier).lease_owner) == ("pending", 0, None)
    assert told == []


def test_arrivals_outlast_a_database_that_is_away(
    archive: ArchiveDouble,
    service: Extraction,
    sarcoma: bytes,
    host: Host,
    row: ReadRow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service.keep_queue()

    def away() -> None:
        raise OperationalError("BEGIN", {}, Exception("away"))

    with monkeypatch.context() as broken:
        broken.setattr(type(host.database), "begin", lambda _self: away())
        identifier = archive.store_instance(sarcoma).orthanc_id
        with pytest.raises(OperationalError):
            service.keep_queue()
    service.keep_queue()
    assert row(identifier).state == "pending"


def test_after_a_kill_the_row_is_taken_by_the_next_process(
    archive: ArchiveDouble,
    service: Extraction,
    make_service: Callable[..., Extraction],
    sarcoma: bytes,
    workers: InlineWorkers,
    row: ReadRow,
    structures: Structures,
    later: Callable[[], None],
) -> None:
    identifier = arrive(archive, service, sarcoma)
    workers.faults = [SystemExit()]  # type: ignore[list-item]
    with pytest.raises(SystemExit):
        service.extract_next()
    assert row(identifier).state == "running"
    other = make_service()
    assert other.extract_next() is False, "the lease still holds"
    later()
    assert work_off(other) == 1
    assert (row(identifier).state, row(identifier).attempts) == ("done", 2)
    assert len(structures()) == row(identifier).structure_count


def test_at_start_what_arrived_and_went_meanwhile_is_found(
    archive: ArchiveDouble,
    service: Extraction,
    make_service: Callable[..., Extraction],
    sarcoma: bytes,
    breast: bytes,
    slice_of_ct: bytes,
    row: ReadRow,
    host: Host,
) -> None:
    old = arrive(archive, service, sarcoma)
    work_off(service)
    with silenced(host):
        archive.delete("instance", old)
        new = archive.store_instance(breast).orthanc_id
        archive.store_instance(slice_of_ct)
    again = make_service()
    again.keep_queue()
    assert row(old) is None
    assert row(new).state == "pending"
    assert work_off(again) == 1


def test_at_start_what_is_done_stays_done(
    archive: ArchiveDouble,
    service: Extraction,
    make_service: Callable[..., Extraction],
    sarcoma: bytes,
    workers: InlineWorkers,
) -> None:
    arrive(archive, service, sarcoma)
    work_off(service)
    again = make_service()
    again.keep_queue()
    assert work_off(again) == 0
    assert workers.calls == 1


def test_at_start_what_an_older_engine_extracted_is_extracted_again(
    archive: ArchiveDouble,
    service: Extraction,
    make_service: Callable[..., Extraction],
    sarcoma: bytes,
    row: ReadRow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    identifier = arrive(archive, service, sarcoma)
    work_off(service)
    version = row(identifier).engine_version
    monkeypatch.setattr("extraction.service.ENGINE_VERSION", version + 1)
    again = make_service()
    again.keep_queue()
    assert row(identifier).state == "pending"
    assert work_off(again) == 1
    assert (row(identifier).state, row(identifier).engine_version) == ("done", version + 1)


def test_at_start_an_archive_that_does_not_answer_is_asked_again(
    archive: ArchiveDouble, make_service: Callable[..., Extraction], sarcoma: bytes, host: Host, row: ReadRow
) -> None:
    identifier = archive.store_instance(sarcoma).orthanc_id
    service = make_service()
    archive.fail("post", ArchiveError("away"))
    with pytest.raises(ArchiveError):
        service.keep_queue()
    service.keep_queue()
    assert row(identifier).state == "pending"


def test_more_series_than_one_page_are_all_compared(
    archive: ArchiveDouble, make_service: Callable[..., Extraction], monkeypatch: pytest.MonkeyPatch, row: ReadRow
) -> None:
    monkeypatch.setattr("extraction.service._SERIES_PAGE", 2)
    for number in range(5):
        archive.store_instance(instance_file(series=str(number), Modality="RTSTRUCT"))
    make_service().keep_queue()
    assert all(row(identifier) is not None for identifier in archive.instances)


def test_its_threads_do_all_of_this_by_themselves(
    archive: ArchiveDouble, service: Extraction, breast: bytes, row: ReadRow, eventually: Callable[..., None]
) -> None:
    for part in service.background:
        part.start()
    try:
        identifier = archive.store_instance(breast).orthanc_id
        eventually(lambda: row(identifier) is not None and row(identifier).state == "done")
        archive.delete("instance", identifier)
        eventually(lambda: row(identifier) is None)
    finally:
        for part in service.background:
            part.stop()
        for part in service.background:
            part.join()
