"""The outbox: nothing is queued or taken twice, nothing is lost, and only the holder of a lease writes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Row

from store import deliveries, delivery_lists
from store.database import Database, utc_now
from store.deliveries import Claim, StudyToDeliver, UnderWay
from store.delivery_lists import DeliverySearch
from store.tables import delivery

LEASE = timedelta(minutes=5)
EXPIRED = timedelta(seconds=-1)
LONGEST_WAIT = timedelta(hours=2)


def identifier(name: object) -> str:
    """An identifier as Orthanc makes them."""
    digest = hashlib.sha1(str(name).encode()).hexdigest()
    return "-".join(digest[start : start + 8] for start in range(0, 40, 8))


def study_of(name: str, instances: int = 3) -> StudyToDeliver:
    held = frozenset(identifier(f"{name}.{number}") for number in range(instances))
    return StudyToDeliver(identifier(name), f"1.2.{name}", f"ID-{name}", "Müller^Zoé", "Thorax", held, 1000 * instances)


@pytest.fixture
def within(database: Database) -> Callable[..., Any]:
    """Call a function of the outbox in a transaction of its own."""

    def call(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        with database.begin() as connection:
            return function(connection, *arguments, **options)

    return call


@pytest.fixture
def get(within: Callable[..., Any]) -> Callable[[int], Row[Any]]:
    def read(number: int) -> Row[Any]:
        row: Row[Any] | None = within(delivery_lists.get, number)
        assert row is not None
        return row

    return read


@pytest.fixture
def queued(within: Callable[..., Any]) -> int:
    number: int = within(deliveries.enqueue, study_of("1"), "archive")
    return number


@pytest.fixture
def claimed(within: Callable[..., Any], queued: int) -> Claim:
    taken: Claim = within(deliveries.claim, "archive", "me", LEASE)
    assert taken.id == queued
    return taken


def set_row(database: Database, number: int, **values: Any) -> None:
    with database.begin() as connection:
        connection.execute(delivery.update().where(delivery.c.id == number).values(**values))


def test_a_study_is_queued_once_per_destination(within: Any, get: Any) -> None:
    first = within(deliveries.enqueue, study_of("1"), "archive")
    assert within(deliveries.enqueue, study_of("1"), "archive") is None
    second = within(deliveries.enqueue, study_of("1"), "research")
    row = get(first)
    assert (row.state, row.attempts, row.instances_total, row.bytes_total) == ("waiting", 0, 3, 3000)
    assert (row.study_instance_uid, row.patient_id, row.patient_name) == ("1.2.1", "ID-1", "Müller^Zoé")
    assert get(second).destination == "research"


def test_late_instances_are_queued_alone(within: Any, get: Any, claimed: Claim) -> None:
    within(deliveries.deliver, claimed, "c_find", 1.0)
    late = within(deliveries.enqueue, study_of("1", instances=5), "archive")
    assert (get(late).instances_total, get(late).bytes_total) == (2, 2000)
    taken = within(deliveries.claim, "archive", "me", LEASE)
    assert set(taken.instances) == {identifier("1.3"), identifier("1.4")}


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_no_rule_begins_again_what_failed_or_was_cancelled(within: Any, get: Any, claimed: Claim, end: str) -> None:
    if end == "failed":
        within(deliveries.fail, claimed, "refused", None)
    else:
        within(deliveries.cancel, [claimed.id], "by admin")
    assert get(claimed.id).state == end
    assert within(deliveries.enqueue, study_of("1"), "archive") is None


def test_two_threads_that_see_different_contents_queue_each_instance_once(database: Database, within: Any) -> None:
    def enqueue(instances: int) -> None:
        with database.begin() as connection:
            deliveries.enqueue(connection, study_of("1", instances), "archive")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(enqueue, [3, 10, 5, 7, 4, 9, 6, 8]))
    taken = []
    while claimed := within(deliveries.claim, "archive", "me", LEASE):
        taken.extend(claimed.instances)
    assert sorted(taken) == sorted(study_of("1", 10).instances)


def test_by_hand_everything_goes_again_but_not_beside_itself(within: Any, get: Any, claimed: Claim) -> None:
    with pytest.raises(UnderWay) as under_way:
        within(deliveries.enqueue_by_hand, study_of("1"), "archive")
    assert under_way.value.args == (claimed.id,)
    within(deliveries.deliver, claimed, "c_find", 1.0)
    again = within(deliveries.enqueue_by_hand, study_of("1"), "archive")
    assert (get(again).instances_total, get(again).by_hand) == (3, True)
    assert get(claimed.id).state == "delivered"
    assert within(deliveries.enqueue, study_of("1"), "archive") is None


def test_what_waits_longest_is_taken_first_and_what_was_sent_by_hand_before_it(database: Database, within: Any) -> None:
    numbers = [within(deliveries.enqueue, study_of(name), "archive") for name in "abc"]
    set_row(database, numbers[2], next_try_at=utc_now() - timedelta(hours=1))
    by_hand = within(deliveries.enqueue_by_hand, study_of("d"), "archive")
    taken = [within(deliveries.claim, "archive", "me", LEASE) for _ in range(5)]
    assert [each and each.id for each in taken] == [by_hand, numbers[2], numbers[0], numbers[1], None]


def test_outside_its_window_a_destination_takes_only_what_was_sent_by_hand(within: Any, queued: int) -> None:
    by_hand = within(deliveries.enqueue_by_hand, study_of("2"), "archive")
    assert within(deliveries.claim, "archive", "me", LEASE, by_hand_only=True).id == by_hand
    assert within(deliveries.claim, "archive", "me", LEASE, by_hand_only=True) is None
    assert within(deliveries.claim, "archive", "me", LEASE).id == queued


def test_each_destination_has_a_queue_of_its_own(within: Any, queued: int) -> None:
    assert within(deliveries.claim, "research", "me", LEASE) is None
    assert within(deliveries.claim, "archive", "me", LEASE).id == queued


def test_threads_side_by_side_never_take_the_same_row(database: Database, within: Any) -> None:
    numbers = {within(deliveries.enqueue, study_of(str(name)), "archive") for name in range(20)}

    def take(_turn: int) -> int | None:
        with database.begin() as connection:
            taken = deliveries.claim(connection, "archive", "me", LEASE)
        return taken and taken.id

    with ThreadPoolExecutor(8) as threads:
        taken = [number for number in threads.map(take, range(40)) if number is not None]
    assert len(taken) == 20
    assert set(taken) == numbers


def test_a_passing_failure_waits_and_then_is_taken_again(
    database: Database, within: Any, get: Any, claimed: Claim
) -> None:
    assert within(deliveries.fail, claimed, "refused: out of space", timedelta(minutes=1))
    row = get(claimed.id)
    assert (row.state, row.attempts, row.reason) == ("waiting", 1, "refused: out of space")
    assert within(deliveries.claim, "archive", "me", LEASE) is None
    set_row(database, claimed.id, next_try_at=utc_now())
    again = within(deliveries.claim, "archive", "me", LEASE)
    assert (again.attempts, again.begun, claimed.begun) == (2, True, False)


def test_given_back_the_row_keeps_its_place_and_its_tries(within: Any, get: Any, claimed: Claim) -> None:
    within(deliveries.enqueue, study_of("2"), "archive")
    within(deliveries.progress, claimed, 1)
    assert within(deliveries.release, claimed, "the archive does not answer")
    assert (get(claimed.id).attempts, get(claimed.id).reason) == (0, "the archive does not answer")
    again = within(deliveries.claim, "archive", "me", LEASE)
    assert (again.id, again.begun) == (claimed.id, True)


def test_delivered_is_final_and_says_how_it_was_proven(within: Any, get: Any, claimed: Claim) -> None:
    assert within(deliveries.verifying, claimed)
    assert (get(claimed.id).state, get(claimed.id).instances_sent) == ("verifying", 3)
    assert within(deliveries.deliver, claimed, "storage_commitment", 2.5)
    row = get(claimed.id)
    assert (row.state, row.proof, row.duration_s, row.reason) == ("delivered", "storage_commitment", 2.5, None)
    assert row.delivered_at is not None
    assert within(deliveries.retry, [claimed.id]) == []
    assert within(deliveries.cancel, [claimed.id], "late") == []


def test_the_rows_of_a_dead_process_are_taken_again_and_it_writes_no_more(within: Any, get: Any, queued: int) -> None:
    dead = within(deliveries.claim, "archive", "dead", EXPIRED)
    assert within(deliveries.reclaim, [], LEASE, LONGEST_WAIT) == [(queued, "archive")]
    taken = within(deliveries.claim, "archive", "me", LEASE)
    assert (taken.id, taken.attempts) == (queued, 2)
    assert not within(deliveries.progress, dead, 2)
    assert not within(deliveries.verifying, dead)
    assert not within(deliveries.deliver, dead, "c_find", 1.0)
    assert not within(deliveries.fail, dead, "too late", None)
    assert (get(queued).state, get(queued).lease_owner) == ("sending", "me")


def test_a_living_process_keeps_its_rows_whatever_the_clock_does(within: Any, get: Any, queued: int) -> None:
    within(deliveries.claim, "archive", "me", EXPIRED)
    assert within(deliveries.reclaim, [queued], LEASE, LONGEST_WAIT) == []
    assert within(deliveries.renew, "me", [queued], LEASE) == {queued}
    assert within(deliveries.reclaim, [], LEASE, LONGEST_WAIT) == []


def test_moments_written_before_the_clock_was_set_back_delay_nothing(database: Database, within: Any) -> None:
    first, second, third = (within(deliveries.enqueue, study_of(name), "archive") for name in "abc")
    within(deliveries.claim, "archive", "dead", timedelta(days=1))  # the first
    set_row(database, second, next_try_at=utc_now() + timedelta(minutes=30))
    set_row(database, third, attempts=3, next_try_at=utc_now() + timedelta(days=1))
    within(deliveries.reclaim, [], LEASE, LONGEST_WAIT)
    taken = {within(deliveries.claim, "archive", "me", LEASE).id for _ in range(3)}
    assert taken == {first, second, third}


def test_cancelling_takes_the_row_from_who_sends_it(within: Any, get: Any, claimed: Claim) -> None:
    assert within(deliveries.cancel, [claimed.id, 999], "cancelled by hand") == [(claimed.id, "archive")]
    assert within(deliveries.renew, "me", [claimed.id], LEASE) == set()
    assert not within(deliveries.deliver, claimed, "c_find", 1.0)
    assert (get(claimed.id).state, get(claimed.id).reason) == ("cancelled", "cancelled by hand")


def test_trying_again_begins_with_all_attempts(within: Any, get: Any, claimed: Claim) -> None:
    within(deliveries.fail, claimed, "refused", None)
    assert within(deliveries.retry, [claimed.id]) == [(claimed.id, "archive")]
    assert (get(claimed.id).state, get(claimed.id).attempts, get(claimed.id).reason) == ("waiting", 0, None)


def test_of_a_deleted_study_the_history_stays_and_it_may_come_again(within: Any, get: Any, claimed: Claim) -> None:
    within(deliveries.deliver, claimed, "c_find", 1.0)
    late = within(deliveries.enqueue, study_of("1", 5), "archive")
    assert within(deliveries.study_deleted, identifier("1"), "the study was deleted") == [(late, "archive")]
    assert (get(late).state, get(late).reason) == ("cancelled", "the study was deleted")
    assert get(claimed.id).state == "delivered"
    assert get(within(deliveries.enqueue, study_of("1"), "archive")).instances_total == 3


def test_totals_tell_counts_the_longest_wait_and_the_last_success(database: Database, within: Any) -> None:
    for name in "abc":
        within(deliveries.enqueue, study_of(name), "archive")
    within(deliveries.enqueue, study_of("a"), "research")
    within(deliveries.deliver, within(deliveries.claim, "archive", "me", LEASE), "c_find", 1.0)
    oldest = utc_now() - timedelta(hours=5)
    set_row(database, 2, created_at=oldest)
    archive, research = (within(delivery_lists.totals)[name] for name in ("archive", "research"))
    assert archive.by_state == dict.fromkeys(deliveries.STATES, 0) | {"waiting": 2, "delivered": 1}
    assert abs(archive.oldest_waiting - oldest) < timedelta(milliseconds=1)
    assert archive.last_success is not None
    assert (research.by_state["waiting"], research.last_success) == (1, None)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        (DeliverySearch(), {"a", "b", "c"}),
        (DeliverySearch(state="sending"), {"a"}),
        (DeliverySearch(destination="research"), {"c"}),
        (DeliverySearch(study="1.2.b"), {"b"}),
        (DeliverySearch(study=identifier("b")), {"b"}),
        (DeliverySearch(text="muller zoe thorax"), {"a", "b", "c"}),
        (DeliverySearch(text="id-c"), {"c"}),
        (DeliverySearch(text="zoe abdomen"), set()),
        (DeliverySearch(since=utc_now() + timedelta(days=1)), set()),
    ],
)
def test_each_filter_finds_what_it_says(within: Any, search: DeliverySearch, found: set[str]) -> None:
    for name, destination in (("a", "archive"), ("b", "archive"), ("c", "research")):
        within(deliveries.enqueue, study_of(name), destination)
    within(deliveries.claim, "archive", "me", LEASE)
    rows, total = within(delivery_lists.page, search, 50, 0)
    assert {row.study_instance_uid.removeprefix("1.2.") for row in rows} == found
    assert total == len(found)


def test_pages_run_from_newest_to_oldest_without_a_gap(within: Any) -> None:
    numbers = [within(deliveries.enqueue, study_of(str(name)), "archive") for name in range(7)]
    pages = [within(delivery_lists.page, DeliverySearch(), 3, offset)[0] for offset in (0, 3, 6)]
    assert [row.id for rows in pages for row in rows] == numbers[::-1]
