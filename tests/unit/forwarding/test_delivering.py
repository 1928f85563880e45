"""A delivery's way through its states, and what goes wrong on it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from forwarding import delivering as delivering_module
from forwarding.configuration import Window
from forwarding.delivering import Delivering, Outcome
from forwarding.model import HeldBack, Refused, Unreachable
from forwarding.service import Forwarding
from host.archive import ArchiveError
from host.plugin import Host
from store.database import Database, utc_now
from store.delivery_lists import DeliverySearch
from store.tables import delivery
from unit.archive_double import ArchiveDouble
from unit.forwarding.conftest import ARCHIVE
from unit.forwarding.memory_sender import MemorySender
from unit.host.dicom_files import UID_ROOT, instance_file, study_id


def uid(study: str) -> str:
    return f"{UID_ROOT}.{study}"


@pytest.fixture
def outcomes() -> list[Outcome]:
    return []


@pytest.fixture
def forwarding(host: Host, sender: MemorySender, outcomes: list[Outcome]) -> Forwarding:
    return Forwarding(host, (ARCHIVE,), lambda _destination: sender, outcomes.append)


@pytest.fixture
def make_due(database: Database) -> Callable[[], None]:
    """Let every wait be over."""

    def change() -> None:
        with database.begin() as connection:
            connection.execute(update(delivery).values(next_try_at=utc_now() - timedelta(seconds=1)))

    return change


@pytest.fixture
def expire(database: Database, forwarding: Forwarding) -> Callable[[], None]:
    """Let every lease run out, and the keeper notice."""

    def change() -> None:
        with database.begin() as connection:
            connection.execute(update(delivery).values(lease_until=utc_now() - timedelta(seconds=1)))
        forwarding.keep()

    return change


def test_a_study_is_sent_proven_and_delivered(
    queue: Any, delivering: Delivering, sender: MemorySender, row: Any, states: list[str], outcomes: list[Outcome]
) -> None:
    number = queue()
    assert delivering.deliver_next()
    assert not delivering.deliver_next()
    assert (row(number).state, row(number).proof, row(number).instances_sent) == ("delivered", "c_find", 4)
    assert sender.held == [f"{uid('1')}.1.{sop}" for sop in range(4)]
    assert states == ["waiting", "sending", "verifying", "delivered"]
    assert [(outcome.state, outcome.size_bytes > 0) for outcome in outcomes] == [("delivered", True)]


def test_what_was_accepted_and_lost_is_not_believed(
    queue: Any, delivering: Delivering, sender: MemorySender, row: Any, make_due: Any, states: list[str]
) -> None:
    number = queue()
    lost = f"{uid('1')}.1.2"
    sender.loses = {lost}
    delivering.deliver_next()
    assert row(number).state == "waiting"
    assert row(number).reason == f"1 of 4 instances are not there after sending, by c_find: {lost}"
    sender.loses = set()
    make_due()
    delivering.deliver_next()
    assert row(number).state == "delivered"
    assert sorted(sender.held) == sorted({*sender.held}), "only what was missing went again"


def test_a_refused_study_is_tried_again_until_its_attempts_run_out(
    queue: Any, delivering: Delivering, sender: MemorySender, row: Any, make_due: Any, outcomes: list[Outcome]
) -> None:
    number = queue()
    sender.poison[uid("1")] = Refused("out of space (A700)")
    for _ in range(ARCHIVE.attempts):
        assert delivering.deliver_next()
        assert not delivering.deliver_next(), "it waits before it is tried again"
        make_due()
    assert (row(number).state, row(number).attempts, row(number).reason) == ("failed", 3, "out of space (A700)")
    assert not delivering.deliver_next()
    assert [outcome.state for outcome in outcomes] == ["waiting", "waiting", "failed"]


def test_what_is_held_back_fails_at_once(queue: Any, delivering: Delivering, sender: MemorySender, row: Any) -> None:
    number = queue()
    sender.faults = [HeldBack("Burned In Annotation is YES")]
    delivering.deliver_next()
    assert (row(number).state, row(number).attempts) == ("failed", 1)
    assert row(number).reason == "held back: Burned In Annotation is YES"


def test_a_poison_study_does_not_hold_up_the_others(
    queue: Any, delivering: Delivering, sender: MemorySender, row: Any
) -> None:
    poison, good = queue("1"), queue("2")
    # It breaks the connection each time, and looks like a destination that is down.
    sender.poison[uid("1")] = Unreachable("the association was aborted")
    assert delivering.deliver_next()
    assert delivering.deliver_next()
    assert (row(poison).state, row(poison).attempts) == ("waiting", 1)
    assert row(good).state == "delivered"


def test_while_a_destination_is_down_its_queue_stands_and_no_try_is_counted(
    queue: Any, delivering: Delivering, sender: MemorySender, row: Any, outcomes: list[Outcome]
) -> None:
    numbers = [queue(str(study), 1) for study in range(20)]
    sender.down = sender.poison[uid("0")] = Unreachable("connection refused")
    sender.faults = []
    assert delivering.deliver_next()
    assert not delivering.deliver_next()
    assert delivering.watch.known.state == "down"
    assert delivering.watch.known.reason == "connection refused"
    assert {row(number).attempts for number in numbers} == {0}
    sender.down = None
    sender.poison.clear()
    delivering.watch.probe()
    while delivering.deliver_next():
        pass
    assert {row(number).state for number in numbers} == {"delivered"}
    assert [row(number).delivered_at for number in numbers] == sorted(row(number).delivered_at for number in numbers)
    assert {outcome.state for outcome in outcomes} == {"delivered"}


def test_after_a_crash_only_what_is_missing_is_sent(
    queue: Any, delivering: Delivering, sender: MemorySender, row: Any, expire: Any
) -> None:
    number = queue()

    def crash(_stopping: threading.Event) -> None:
        raise OperationalError("the process ends here: nothing is written any more", {}, Exception())

    sender.half_way = crash
    with pytest.raises(OperationalError):
        delivering.deliver_next()
    assert row(number).state == "sending"
    assert not delivering.deliver_next(), "somebody may be working on it"
    sender.half_way = lambda _stopping: None
    expire()
    assert row(number).state == "waiting"
    delivering.deliver_next()
    assert (row(number).state, row(number).attempts) == ("delivered", 2)
    assert len(sender.held) == len(set(sender.held)) == 4


def test_after_a_crash_while_verifying_nothing_is_sent_again(
    queue: Any, delivering: Delivering, sender: MemorySender, row: Any, expire: Any
) -> None:
    number = queue()
    sender.proof_faults = [OperationalError("the process ends here", {}, Exception())]
    with pytest.raises(OperationalError):
        delivering.deliver_next()
    assert row(number).state == "verifying"
    expire()
    sender.faults = [Refused("nothing should be sent")]
    delivering.deliver_next()
    assert row(number).state == "delivered"


def test_a_study_during_which_the_server_ends_each_time_is_given_up(
    queue: Any, delivering: Delivering, sender: MemorySender, row: Any, expire: Any
) -> None:
    number = queue()
    for _ in range(ARCHIVE.attempts):
        sender.faults = [OperationalError("the process ends here", {}, Exception())]
        sender.proof_faults = [None]
        with pytest.raises(OperationalError):
            delivering.deliver_next()
        expire()
    delivering.deliver_next()
    assert row(number).state == "failed"
    assert "the server ended during each try" in row(number).reason


def test_where_the_other_end_cannot_say_what_it_has_everything_goes_again(
    queue: Any, delivering: Delivering, sender: MemorySender, row: Any, make_due: Any
) -> None:
    number = queue()
    sender.faults = [Refused("busy"), None]
    delivering.deliver_next()
    make_due()
    sender.proof_faults = [Refused("no query here")]
    delivering.deliver_next()
    assert row(number).state == "delivered"


def test_stopping_gives_the_row_back_untried(
    queue: Any, delivering: Delivering, sender: MemorySender, row: Any, make_forwarding: Any
) -> None:
    number = queue()

    def stop(stopping: threading.Event) -> None:
        delivering.stop()
        assert stopping.is_set()
        raise Unreachable("stopping")

    sender.half_way = stop
    delivering.deliver_next()
    assert (row(number).state, row(number).attempts, row(number).reason) == ("waiting", 0, None)
    assert delivering.watch.known.state == "unknown", "the destination is not to blame"
    sender.half_way = lambda _stopping: None
    make_forwarding(ARCHIVE).lines["archive"].delivering.deliver_next()
    assert row(number).state == "delivered"
    assert len(sender.held) == len(set(sender.held)) == 4


def test_cancelling_stops_who_sends(
    queue: Any, delivering: Delivering, sender: MemorySender, row: Any, forwarding: Forwarding, states: list[str]
) -> None:
    number = queue()

    def cancel(stopping: threading.Event) -> None:
        assert forwarding.cancel([number]) == 1
        forwarding.keep()
        assert stopping.is_set()
        raise Unreachable("stopped")

    sender.half_way = cancel
    delivering.deliver_next()
    assert (row(number).state, row(number).reason) == ("cancelled", "cancelled by hand")
    assert states[-1] == "cancelled"


def test_waiting_deliveries_of_a_deleted_study_are_cancelled(
    queue: Any, row: Any, archive: ArchiveDouble, forwarding: Forwarding, states: list[str]
) -> None:
    forwarding.subscribe()
    number = queue()
    archive.delete("study", study_id())
    forwarding.keep()
    assert (row(number).state, row(number).reason) == ("cancelled", "the study was deleted")
    assert states == ["waiting", "cancelled"]


def test_a_study_whose_deletion_was_not_heard_of_is_cancelled_when_it_is_its_turn(
    queue: Any, row: Any, archive: ArchiveDouble, delivering: Delivering
) -> None:
    number = queue()
    archive.delete("study", study_id())
    delivering.deliver_next()
    assert (row(number).state, row(number).reason) == ("cancelled", "the study was deleted before it was delivered")


def test_a_fault_of_the_archive_is_tried_again(
    queue: Any, row: Any, archive: ArchiveDouble, delivering: Delivering, make_due: Any
) -> None:
    number = queue()
    archive.fail("get", ArchiveError("the index does not answer"))
    delivering.deliver_next()
    assert (row(number).state, row(number).reason) == ("waiting", "the index does not answer")
    make_due()
    delivering.deliver_next()
    assert row(number).state == "delivered"


def test_what_nobody_foresaw_is_logged_and_tried_again(
    queue: Any, row: Any, sender: MemorySender, delivering: Delivering, caplog: pytest.LogCaptureFixture
) -> None:
    number = queue()
    sender.faults = [KeyError("Dupont")]
    delivering.deliver_next()
    assert (row(number).state, row(number).reason) == ("waiting", "KeyError (see the server's log)")
    assert f"Delivery {number} of study {row(number).study_orthanc_id} to archive failed unexpectedly" in caplog.text


def test_outside_the_window_only_what_is_sent_by_hand_goes(
    archive: ArchiveDouble, make_forwarding: Callable[..., Forwarding], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Noon(delivering_module.datetime):  # type: ignore[name-defined,misc]
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls(2026, 1, 1, 12, tzinfo=tz)

    monkeypatch.setattr(delivering_module, "datetime", Noon)
    forwarding = make_forwarding(replace(ARCHIVE, window=Window(time(20), time(6))))
    line = forwarding.lines["archive"]
    assert line.intake is not None
    for study in ("1", "2"):
        archive.store_instance(instance_file(study=study))
    line.intake.take(study_id("1"))
    forwarding.send(study_id("2"), "archive")
    assert line.delivering.deliver_next()
    assert not line.delivering.deliver_next()
    rows, _ = forwarding.page(DeliverySearch(state="delivered"), 10, 0)
    assert [row.study_orthanc_id for row in rows] == [study_id("2")]
