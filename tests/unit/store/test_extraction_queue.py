"""The queue: nothing is taken twice, nothing is lost, and only the holder of a lease writes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Row, func, select

from store import extractions
from store.database import Database, utc_now
from store.extractions import Claim
from store.outcomes import Outcome, StructureRow
from store.tables import extraction, structure

LEASE = timedelta(minutes=5)
EXPIRED = timedelta(seconds=-1)
OUTCOME = Outcome("1.2.3", "1.2", "1", "PLAN", structure_count=2, contour_count=5, point_count=2**33)


def row_of(position: int, name: str = "PTV") -> StructureRow:
    return StructureRow(position, position + 1, name, "PTV", "MANUAL", 3, 2**33, 3, 1.25, 0.5, -1.5, 2.0, 0)


STRUCTURES = (row_of(0), row_of(1, "Rein gauche"))


@pytest.fixture
def within(database: Database) -> Callable[..., Any]:
    """Call a function of the queue in a transaction of its own."""

    def call(function: Callable[..., Any], *arguments: Any) -> Any:
        with database.begin() as connection:
            return function(connection, *arguments)

    return call


@pytest.fixture
def get(within: Callable[..., Any]) -> Callable[[str], Row[Any]]:
    def read(identifier: str) -> Row[Any]:
        row: Row[Any] | None = within(extractions.get, identifier)
        assert row is not None
        return row

    return read


def structures(database: Database) -> int:
    with database.begin() as connection:
        return connection.scalar(select(func.count()).select_from(structure)) or 0


def age(database: Database, identifier: str, seconds: float) -> None:
    """Let a row have been queued and due this long ago."""
    then = utc_now() - timedelta(seconds=seconds)
    with database.begin() as connection:
        where = extraction.c.orthanc_id == identifier
        connection.execute(extraction.update().where(where).values(enqueued_at=then, next_try_at=then))


def test_queueing_twice_is_queueing_once(within: Any, get: Any) -> None:
    within(extractions.enqueue, ["a", "b"], 1)
    first = get("a")
    within(extractions.enqueue, ["b", "a", "c"], 2)
    assert within(extractions.known) == {"a", "b", "c"}
    assert get("a") == first
    assert (first.state, first.attempts, first.engine_version) == ("pending", 0, 1)


def test_what_is_done_is_not_queued_again(within: Any, get: Any) -> None:
    within(extractions.enqueue, ["a"], 1)
    within(extractions.finish, within(extractions.claim, "me", LEASE), 0.5, 1, OUTCOME, STRUCTURES)
    within(extractions.enqueue, ["a"], 1)
    assert get("a").state == "done"
    assert within(extractions.claim, "me", LEASE) is None


def test_queueing_nothing_is_allowed(within: Any) -> None:
    within(extractions.enqueue, [], 1)
    within(extractions.forget, [])
    assert within(extractions.claim, "me", LEASE) is None


def test_what_has_waited_longest_is_taken_first(database: Database, within: Any) -> None:
    within(extractions.enqueue, ["a", "b", "c"], 1)
    for seconds, identifier in enumerate(["c", "a", "b"]):
        age(database, identifier, 100 - seconds)
    assert [within(extractions.claim, "me", LEASE).orthanc_id for _ in range(3)] == ["c", "a", "b"]
    assert within(extractions.claim, "me", LEASE) is None


def test_taking_counts_an_attempt_and_leases_the_row(within: Any, get: Any) -> None:
    within(extractions.enqueue, ["a"], 1)
    assert within(extractions.claim, "me", LEASE) == Claim("a", 1, "me")
    row = get("a")
    assert (row.state, row.attempts, row.lease_owner) == ("running", 1, "me")
    assert row.lease_until - row.started_at == LEASE


def test_threads_side_by_side_never_take_the_same_row(database: Database, within: Any) -> None:
    identifiers = [f"{number:03}" for number in range(60)]
    within(extractions.enqueue, identifiers, 1)

    def take(owner: str) -> list[str]:
        taken = []
        while (claimed := within(extractions.claim, owner, LEASE)) is not None:
            taken.append(claimed.orthanc_id)
        return taken

    with ThreadPoolExecutor(4) as threads:
        taken = [identifier for part in threads.map(take, "wxyz") for identifier in part]
    assert sorted(taken) == identifiers


def test_a_row_whose_lease_ran_out_is_taken_by_somebody_else(within: Any) -> None:
    within(extractions.enqueue, ["a"], 1)
    within(extractions.claim, "dead", EXPIRED)
    assert within(extractions.claim, "alive", LEASE) == Claim("a", 2, "alive")
    assert within(extractions.claim, "third", LEASE) is None


def test_a_living_owner_keeps_its_leases_and_nobody_elses(database: Database, within: Any, get: Any) -> None:
    within(extractions.enqueue, ["a", "b"], 1)
    within(extractions.claim, "alive", EXPIRED)
    within(extractions.renew, "alive", LEASE)
    age(database, "b", 0)
    within(extractions.claim, "dead", EXPIRED)
    within(extractions.renew, "alive", LEASE)
    assert within(extractions.claim, "third", LEASE).orthanc_id == "b"
    assert within(extractions.claim, "third", LEASE) is None
    assert get("a").lease_owner == "alive"


def test_success_is_recorded_with_its_structures(database: Database, within: Any, get: Any) -> None:
    within(extractions.enqueue, ["a"], 1)
    assert within(extractions.finish, within(extractions.claim, "me", LEASE), 0.5, 3, OUTCOME, STRUCTURES)
    row = get("a")
    assert (row.state, row.duration_s, row.engine_version, row.error) == ("done", 0.5, 3, None)
    assert (row.sop_instance_uid, row.label, row.point_count) == ("1.2.3", "PLAN", 2**33)
    assert (row.lease_owner, row.lease_until) == (None, None)
    assert row.finished_at >= row.started_at >= row.enqueued_at
    with database.begin() as connection:
        found = connection.execute(select(structure).order_by(structure.c.position)).all()
    assert [(each.orthanc_id, each.name, each.point_count) for each in found] == [
        ("a", "PTV", 2**33),
        ("a", "Rein gauche", 2**33),
    ]


def test_extracting_again_replaces_the_structures(database: Database, within: Any) -> None:
    within(extractions.enqueue, ["a"], 1)
    within(extractions.finish, within(extractions.claim, "me", LEASE), 0.5, 1, OUTCOME, STRUCTURES)
    within(extractions.retry, "a", 1)
    within(extractions.finish, within(extractions.claim, "me", LEASE), 0.5, 1, OUTCOME, STRUCTURES[:1])
    assert structures(database) == 1


def test_whoever_has_lost_the_lease_writes_nothing(database: Database, within: Any, get: Any) -> None:
    within(extractions.enqueue, ["a"], 1)
    lost = within(extractions.claim, "dead", EXPIRED)
    held = within(extractions.claim, "alive", LEASE)
    assert not within(extractions.finish, lost, 0.5, 1, OUTCOME, STRUCTURES)
    assert not within(extractions.fail, lost, 0.5, "late", None)
    within(extractions.release, lost)
    assert (get("a").state, get("a").lease_owner) == ("running", "alive")
    assert structures(database) == 0
    assert within(extractions.finish, held, 0.5, 1, OUTCOME, STRUCTURES)
    assert not within(extractions.fail, held, 0.5, "twice", None)
    assert get("a").state == "done"


def test_the_same_owner_with_an_older_attempt_has_lost_it_too(within: Any, get: Any) -> None:
    within(extractions.enqueue, ["a"], 1)
    older = within(extractions.claim, "me", EXPIRED)
    within(extractions.claim, "me", LEASE)
    assert not within(extractions.finish, older, 0.5, 1, OUTCOME, ())
    assert get("a").state == "running"


def test_a_deleted_row_takes_its_structures_along_and_cannot_be_finished(database: Database, within: Any) -> None:
    within(extractions.enqueue, ["a", "b"], 1)
    for _ in range(2):
        within(extractions.finish, within(extractions.claim, "me", LEASE), 0.5, 1, OUTCOME, STRUCTURES)
    within(extractions.retry, "b", 1)
    claimed = within(extractions.claim, "me", LEASE)
    within(extractions.forget, ["b"])
    assert not within(extractions.finish, claimed, 0.5, 1, OUTCOME, STRUCTURES)
    assert structures(database) == 2
    within(extractions.forget, ["a", "unknown"])
    assert structures(database) == 0
    assert within(extractions.known) == set()


def test_a_failure_to_be_tried_again_waits(database: Database, within: Any, get: Any) -> None:
    within(extractions.enqueue, ["a"], 1)
    assert within(extractions.fail, within(extractions.claim, "me", LEASE), 0.5, "away", timedelta(minutes=1))
    row = get("a")
    assert (row.state, row.attempts, row.error) == ("pending", 1, "away")
    assert row.next_try_at > utc_now() + timedelta(seconds=50)
    assert within(extractions.claim, "me", LEASE) is None
    age(database, "a", 0)
    assert within(extractions.claim, "me", LEASE) == Claim("a", 2, "me")


def test_a_final_failure_is_not_tried_again(within: Any, get: Any) -> None:
    within(extractions.enqueue, ["a"], 1)
    assert within(extractions.fail, within(extractions.claim, "me", LEASE), 0.5, "damaged", None)
    assert (get("a").state, get("a").error, get("a").duration_s) == ("failed", "damaged", 0.5)
    assert within(extractions.claim, "me", LEASE) is None


def test_a_released_row_has_lost_no_attempt_and_is_due_at_once(within: Any, get: Any) -> None:
    within(extractions.enqueue, ["a"], 1)
    within(extractions.release, within(extractions.claim, "me", LEASE))
    assert (get("a").state, get("a").attempts) == ("pending", 0)
    assert within(extractions.claim, "other", LEASE) == Claim("a", 1, "other")


def test_retrying_gives_all_attempts_back(within: Any, get: Any) -> None:
    within(extractions.enqueue, ["a"], 1)
    within(extractions.fail, within(extractions.claim, "me", LEASE), 0.5, "damaged", None)
    assert within(extractions.retry, "a", 2)
    row = get("a")
    assert (row.state, row.attempts, row.error, row.engine_version) == ("pending", 0, None, 2)


def test_neither_a_running_nor_an_unknown_row_is_retried(within: Any, get: Any) -> None:
    within(extractions.enqueue, ["a"], 1)
    within(extractions.claim, "me", LEASE)
    assert not within(extractions.retry, "a", 1)
    assert not within(extractions.retry, "b", 1)
    assert get("a").state == "running"


def test_what_an_older_engine_settled_is_queued_again_and_nothing_else(within: Any, get: Any) -> None:
    within(extractions.enqueue, ["done", "failed"], 1)
    within(extractions.fail, within(extractions.claim, "me", LEASE), 0.5, "damaged", None)
    within(extractions.finish, within(extractions.claim, "me", LEASE), 0.5, 1, OUTCOME, STRUCTURES)
    within(extractions.enqueue, ["running"], 1)
    within(extractions.claim, "me", LEASE)
    within(extractions.enqueue, ["waiting"], 1)
    assert within(extractions.requeue_outdated, 1) == 0
    assert within(extractions.requeue_outdated, 2) == 2
    assert [get(name).state for name in ("done", "failed", "running", "waiting")] == ["pending"] * 2 + [
        "running",
        "pending",
    ]
    assert within(extractions.requeue_outdated, 2) == 0


def test_totals_count_each_state_the_structures_and_the_longest_wait(database: Database, within: Any) -> None:
    empty = within(extractions.totals)
    assert empty.by_state == {"pending": 0, "running": 0, "done": 0, "failed": 0}
    assert (empty.structures, empty.oldest_pending) == (0, None)
    within(extractions.enqueue, ["a", "b", "c", "d"], 1)
    age(database, "a", 300)
    within(extractions.finish, within(extractions.claim, "me", LEASE), 0.5, 1, OUTCOME, STRUCTURES)
    age(database, "b", 200)
    totals = within(extractions.totals)
    assert totals.by_state == {"pending": 3, "running": 0, "done": 1, "failed": 0}
    assert totals.structures == 2
    assert 199 < (utc_now() - totals.oldest_pending).total_seconds() < 260


def test_pages_run_from_newest_to_oldest_without_a_gap(database: Database, within: Any) -> None:
    identifiers = [f"{number:02}" for number in range(7)]
    within(extractions.enqueue, identifiers, 1)
    for seconds, identifier in enumerate(identifiers):
        age(database, identifier, seconds * 10)
    pages = [within(extractions.page, None, 3, offset) for offset in (0, 3, 6, 9)]
    assert [row.orthanc_id for rows, _ in pages for row in rows] == identifiers
    assert {total for _, total in pages} == {7}
    within(extractions.claim, "me", LEASE)
    rows, total = within(extractions.page, "running", 10, 0)
    assert ([row.orthanc_id for row in rows], total) == (["06"], 1)
    assert within(extractions.page, "failed", 10, 0) == ([], 0)
