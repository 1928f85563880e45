"""What arrives comes into the outbox, whichever way it is heard of, and once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from forwarding.configuration import Selection
from forwarding.intake import Intake
from forwarding.service import Forwarding
from host.archive import ArchiveError
from host.events import Events, StudyStable
from store.database import Database
from store.delivery_lists import DeliverySearch
from unit.archive_double import ArchiveDouble
from unit.forwarding.conftest import ARCHIVE
from unit.host.dicom_files import instance_file, study_id


def intake_of(forwarding: Forwarding) -> Intake:
    intake = forwarding.lines["archive"].intake
    assert intake is not None
    return intake


def queued(forwarding: Forwarding) -> dict[str, int]:
    rows, _ = forwarding.page(DeliverySearch(), 1000, 0)
    return {row.study_orthanc_id: row.instances_total for row in rows}


@pytest.fixture
def intake(forwarding: Forwarding) -> Intake:
    """An intake that has seen an empty archive."""
    forwarding.subscribe()
    made = intake_of(forwarding)
    made.turn()
    return made


def test_a_stable_study_is_queued(
    intake: Intake, forwarding: Forwarding, archive: ArchiveDouble, events: Events, states: list[str]
) -> None:
    archive.store_instance(instance_file())
    archive.store_instance(instance_file(sop="2"))
    events.study_stable.publish(StudyStable(study_id()))
    intake.turn()
    assert queued(forwarding) == {study_id(): 2}
    assert states == ["waiting"]


def test_a_study_that_is_not_stable_waits_and_a_restart_finds_it_again(
    intake: Intake, archive: ArchiveDouble, make_forwarding: Callable[..., Forwarding]
) -> None:
    archive.unstable.add(study_id())
    archive.store_instance(instance_file())
    archive.store_instance(instance_file(study="2"))
    intake.turn()
    # The process ends here: its event of the first study is lost, and the cursor stands before it.
    archive.unstable.clear()
    again = make_forwarding(ARCHIVE)
    assert queued(again) == {study_id("2"): 1}
    intake_of(again).turn()
    assert queued(again) == {study_id(): 1, study_id("2"): 1}


def test_a_study_heard_of_by_its_event_and_by_the_log_is_queued_once(
    intake: Intake, forwarding: Forwarding, archive: ArchiveDouble, events: Events
) -> None:
    archive.store_instance(instance_file())
    events.study_stable.publish(StudyStable(study_id()))
    events.study_stable.publish(StudyStable(study_id()))
    intake.turn()
    intake.turn()
    assert queued(forwarding) == {study_id(): 1}


def test_a_late_instance_is_queued_alone(intake: Intake, forwarding: Forwarding, archive: ArchiveDouble) -> None:
    for sop in ("1", "2", "3"):
        archive.store_instance(instance_file(sop=sop))
    intake.turn()
    archive.store_instance(instance_file(sop="4", series="2"))
    intake.turn()
    rows, _ = forwarding.page(DeliverySearch(), 10, 0)
    assert [row.instances_total for row in rows] == [1, 3]


def test_a_new_destination_takes_what_arrives_from_now_on(archive: ArchiveDouble, forwarding: Forwarding) -> None:
    forwarding.subscribe()
    archive.store_instance(instance_file(study="old"))
    intake_of(forwarding).turn()
    archive.store_instance(instance_file(study="2"))
    intake_of(forwarding).turn()
    assert set(queued(forwarding)) == {study_id("2")}


def test_what_arrives_right_after_the_first_start_is_not_older_than_the_destination(
    archive: ArchiveDouble, make_forwarding: Callable[..., Forwarding], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The process ends before its thread has taken a turn.
    monkeypatch.setattr("host.lifecycle.Loop.start", lambda _loop: None)
    intake_of(make_forwarding(ARCHIVE)).start()
    archive.store_instance(instance_file())
    again = make_forwarding(ARCHIVE)
    intake_of(again).turn()
    assert queued(again) == {study_id(): 1}


def test_of_several_destinations_each_follows_by_itself(
    archive: ArchiveDouble, make_forwarding: Callable[..., Forwarding]
) -> None:
    first = make_forwarding(ARCHIVE)
    intake_of(first).turn()
    archive.store_instance(instance_file())
    both = make_forwarding(ARCHIVE, replace(ARCHIVE, name="second"))
    for line in both.lines.values():
        assert line.intake is not None
        line.intake.turn()
    assert {row.destination for row in both.page(DeliverySearch(), 10, 0)[0]} == {"archive"}


def test_the_log_is_read_in_pages(
    intake: Intake, forwarding: Forwarding, archive: ArchiveDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forwarding.intake._CHANGES_PAGE", 2)
    for study in ("1", "2", "3"):
        archive.store_instance(instance_file(study=study))
    intake.turn()
    assert set(queued(forwarding)) == {study_id("1"), study_id("2"), study_id("3")}


def test_a_log_that_begins_anew_is_followed_from_there(
    intake: Intake, forwarding: Forwarding, archive: ArchiveDouble
) -> None:
    archive.store_instance(instance_file())
    intake.turn()
    archive.empty_changes(restart_numbers=True)
    archive.store_instance(instance_file(study="2"))
    intake.turn()
    archive.store_instance(instance_file(study="3"))
    intake.turn()
    assert study_id("3") in queued(forwarding)


def test_what_no_rule_takes_is_not_queued(archive: ArchiveDouble, make_forwarding: Callable[..., Forwarding]) -> None:
    forwarding = make_forwarding(replace(ARCHIVE, selections=(Selection(calling_aets=("OTHER",)),)))
    forwarding.subscribe()
    intake_of(forwarding).turn()
    archive.store_instance(instance_file())
    intake_of(forwarding).turn()
    assert queued(forwarding) == {}


def test_a_label_given_later_is_found(archive: ArchiveDouble, make_forwarding: Callable[..., Forwarding]) -> None:
    forwarding = make_forwarding(replace(ARCHIVE, selections=(Selection(labels=("research",)),)))
    forwarding.subscribe()
    intake_of(forwarding).turn()
    archive.store_instance(instance_file())
    archive.store_instance(instance_file(study="2"))
    intake_of(forwarding).turn()
    assert queued(forwarding) == {}
    archive.labels[study_id()] = {"research"}
    intake_of(forwarding).turn()
    assert queued(forwarding) == {study_id(): 1}


@pytest.mark.parametrize("fault", [ArchiveError("the index is away"), OperationalError("", {}, Exception())])
def test_a_passing_fault_loses_no_study(
    intake: Intake,
    forwarding: Forwarding,
    archive: ArchiveDouble,
    events: Events,
    fault: Exception,
    monkeypatch: pytest.MonkeyPatch,
    database: Database,
) -> None:
    archive.store_instance(instance_file())
    archive.store_instance(instance_file(study="2"))
    events.study_stable.publish(StudyStable(study_id()))
    if isinstance(fault, ArchiveError):
        archive.fail("get", fault)
        with pytest.raises(ArchiveError):
            intake.turn()
    else:
        with monkeypatch.context() as away:
            away.setattr("store.deliveries.enqueue", _raising(fault))
            with pytest.raises(OperationalError):
                intake.turn()
    intake.turn()
    assert set(queued(forwarding)) == {study_id(), study_id("2")}


def _raising(fault: Exception) -> Callable[..., None]:
    def fail(*_arguments: object) -> None:
        raise fault

    return fail


def test_without_a_destination_nothing_listens(make_forwarding: Callable[..., Forwarding], events: Events) -> None:
    none = make_forwarding()
    none.subscribe()
    assert none.background == ()
    assert not any(
        (events.changed._subscribers, events.study_stable._subscribers, events.resource_deleted._subscribers)
    )
