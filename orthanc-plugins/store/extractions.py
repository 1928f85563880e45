"""The queue of extractions and what came out of them.

pending → running → done | failed. A running row is leased: when its node dies, the lease runs out and any node takes
the row again. Attempts count when a row is taken, so that a file that kills its worker cannot be tried for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, and_, delete, func, or_, select, update

from store.database import insert, utc_now
from store.outcomes import Outcome, StructureRow
from store.tables import extraction, structure

State = Literal["pending", "running", "done", "failed"]
STATES: tuple[State, ...] = ("pending", "running", "done", "failed")
#: The reason of what people have cancelled.
CANCELLED = "cancelled by hand"


@dataclass(frozen=True, slots=True)
class Claim:
    """A row taken for work."""

    orthanc_id: str
    attempts: int
    owner: str


def enqueue(connection: Connection, orthanc_ids: Collection[str], engine_version: int) -> None:
    """Queue these instances. What is queued or finished already stays as it is: nothing is extracted twice."""
    if not orthanc_ids:
        return
    now = utc_now()
    rows = [
        {
            "orthanc_id": orthanc_id,
            "state": "pending",
            "attempts": 0,
            "engine_version": engine_version,
            "enqueued_at": now,
            "next_try_at": now,
        }
        for orthanc_id in sorted(orthanc_ids)
    ]
    connection.execute(insert(connection, extraction).on_conflict_do_nothing(), rows)


def claim(connection: Connection, owner: str, lease: timedelta) -> Claim | None:
    """Take the row that has waited longest, or one whose lease ran out; None when there is nothing to do."""
    now = utc_now()
    due = or_(
        and_(extraction.c.state == "pending", extraction.c.next_try_at <= now),
        and_(extraction.c.state == "running", extraction.c.lease_until < now),
    )
    # SKIP LOCKED on PostgreSQL: nodes never wait for each other. SQLite has one writer at a time and needs none.
    oldest = (
        select(extraction.c.orthanc_id)
        .where(due)
        .order_by(extraction.c.next_try_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    row = connection.execute(
        update(extraction)
        .where(extraction.c.orthanc_id == oldest)
        .values(
            state="running",
            attempts=extraction.c.attempts + 1,
            started_at=now,
            lease_owner=owner,
            lease_until=now + lease,
        )
        .returning(extraction.c.orthanc_id, extraction.c.attempts)
    ).first()
    return None if row is None else Claim(row.orthanc_id, row.attempts, owner)


def renew(connection: Connection, owner: str, lease: timedelta) -> None:
    """Lengthen the leases of a living owner: those of a dead one run out soon."""
    connection.execute(
        update(extraction)
        .where(extraction.c.state == "running", extraction.c.lease_owner == owner)
        .values(lease_until=utc_now() + lease)
    )


def finish(
    connection: Connection,
    claimed: Claim,
    duration_s: float,
    engine_version: int,
    outcome: Outcome,
    structures: Sequence[StructureRow],
) -> bool:
    """Record a success. False, and nothing is written, when the row is no longer ours (deleted, or leased anew)."""
    values: dict[str, Any] = {
        **asdict(outcome),
        "state": "done",
        "error": None,
        "engine_version": engine_version,
    }
    if not _settle(connection, claimed, duration_s, values):
        return False
    connection.execute(delete(structure).where(structure.c.orthanc_id == claimed.orthanc_id))
    if structures:
        rows = [{"orthanc_id": claimed.orthanc_id, **asdict(row)} for row in structures]
        connection.execute(structure.insert(), rows)
    return True


def fail(connection: Connection, claimed: Claim, duration_s: float, error: str, retry_in: timedelta | None) -> bool:
    """Record a failure: pending again after ``retry_in``, or failed for good when that is None."""
    values: dict[str, Any] = {"state": "failed", "error": error}
    if retry_in is not None:
        values |= {"state": "pending", "next_try_at": utc_now() + retry_in}
    return _settle(connection, claimed, duration_s, values)


def release(connection: Connection, claimed: Claim) -> None:
    """Give a row back untried: the server stops."""
    _settle(
        connection,
        claimed,
        None,
        {"state": "pending", "attempts": claimed.attempts - 1, "next_try_at": utc_now()},
    )


def retry(connection: Connection, orthanc_id: str, engine_version: int) -> bool:
    """Queue again what has failed or is done, with all attempts. False when there is no such row."""
    now = utc_now()
    changed = connection.execute(
        update(extraction)
        .where(extraction.c.orthanc_id == orthanc_id, extraction.c.state != "running")
        .values(
            state="pending",
            attempts=0,
            error=None,
            enqueued_at=now,
            next_try_at=now,
            engine_version=engine_version,
        )
    )
    return changed.rowcount > 0


def cancel(connection: Connection, orthanc_id: str) -> bool:
    """Give up what waits; ``retry`` queues it again. False when it does not wait."""
    changed = connection.execute(
        update(extraction)
        .where(extraction.c.orthanc_id == orthanc_id, extraction.c.state == "pending")
        .values(state="failed", error=CANCELLED, finished_at=utc_now())
    )
    return changed.rowcount > 0


def requeue_outdated(connection: Connection, engine_version: int) -> int:
    """Queue again what an older engine extracted. Returns how many."""
    now = utc_now()
    changed = connection.execute(
        update(extraction)
        .where(extraction.c.engine_version < engine_version, extraction.c.state.in_(("done", "failed")))
        .values(state="pending", attempts=0, error=None, next_try_at=now, engine_version=engine_version)
    )
    return changed.rowcount


def forget(connection: Connection, orthanc_ids: Collection[str]) -> None:
    """Drop the rows of deleted instances; their structures go with them."""
    if orthanc_ids:
        connection.execute(delete(extraction).where(extraction.c.orthanc_id.in_(list(orthanc_ids))))


def known(connection: Connection) -> set[str]:
    """The instances that have a row, whatever its state."""
    return set(connection.scalars(select(extraction.c.orthanc_id)))


def get(connection: Connection, orthanc_id: str) -> Row[Any] | None:
    """The row of one instance."""
    return connection.execute(select(extraction).where(extraction.c.orthanc_id == orthanc_id)).first()


def page(connection: Connection, state: State | None, limit: int, offset: int) -> tuple[list[Row[Any]], int]:
    """Rows, newest first, and how many there are in all."""
    chosen = extraction.c.state == state if state else extraction.c.orthanc_id.is_not(None)
    total = connection.scalar(select(func.count()).select_from(extraction).where(chosen)) or 0
    rows = connection.execute(
        select(extraction)
        .where(chosen)
        .order_by(extraction.c.enqueued_at.desc(), extraction.c.orthanc_id)
        .limit(limit)
        .offset(offset)
    ).all()
    return list(rows), total


@dataclass(frozen=True, slots=True)
class Totals:
    """How many extractions stand where, and how many structures came out."""

    by_state: dict[State, int]
    structures: int
    oldest_pending: datetime | None


def totals(connection: Connection) -> Totals:
    """Counts over all extractions."""
    counted = connection.execute(
        select(extraction.c.state, func.count(), func.sum(extraction.c.structure_count)).group_by(extraction.c.state)
    ).all()
    by_state: dict[str, int] = {state: count for state, count, _ in counted}
    oldest = select(func.min(extraction.c.enqueued_at)).where(extraction.c.state == "pending")
    return Totals(
        by_state={state: by_state.get(state, 0) for state in STATES},
        # Not counted row by row: a large archive holds millions.
        structures=sum(int(structures or 0) for _, _, structures in counted),
        oldest_pending=connection.scalar(oldest),
    )


def _settle(connection: Connection, claimed: Claim, duration_s: float | None, values: dict[str, Any]) -> bool:
    ours = and_(
        extraction.c.orthanc_id == claimed.orthanc_id,
        extraction.c.state == "running",
        extraction.c.lease_owner == claimed.owner,
        extraction.c.attempts == claimed.attempts,
    )
    changed = connection.execute(
        update(extraction)
        .where(ours)
        .values(lease_owner=None, lease_until=None, finished_at=utc_now(), duration_s=duration_s, **values)
    )
    return changed.rowcount > 0
