"""The outbox: what is to be delivered where, and the history of it.

waiting → sending → verifying → delivered | failed | cancelled. A row being sent is leased: when its node dies, the
lease runs out and any node takes the row again. Attempts count when a row is taken, so that a study that kills the
server cannot be tried for ever. What people read of it is in ``store.delivery_lists``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, ScalarSelect, and_, func, or_, select, text, update

from store.database import database_now, insert, utc_now
from store.folding import fold
from store.tables import delivery

State = Literal["waiting", "sending", "verifying", "delivered", "failed", "cancelled"]
STATES: tuple[State, ...] = ("waiting", "sending", "verifying", "delivered", "failed", "cancelled")
#: Someone works on it.
LEASED = ("sending", "verifying")
#: It is not over yet.
OPEN = ("waiting", *LEASED)


@dataclass(frozen=True, slots=True)
class StudyToDeliver:
    """What is remembered of the study, also when it is deleted later."""

    orthanc_id: str
    study_instance_uid: str
    patient_id: str
    patient_name: str
    description: str
    instances: frozenset[str]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A row taken for work.

    Attributes
    ----------
    begun
        Whether an earlier try may have sent some of it.
    """

    id: int
    destination: str
    study_orthanc_id: str
    instances: tuple[str, ...]
    size_bytes: int
    attempts: int
    begun: bool
    by_hand: bool
    owner: str


class UnderWay(Exception):
    """The study is being delivered there already; the delivery's number is its argument."""


def enqueue(connection: Connection, study: StudyToDeliver, destination: str) -> int | None:
    """Queue what of the study no delivery has taken yet; the new row's number, None when there is nothing new.

    What was cancelled or has failed counts as taken: only a person begins that again.
    """
    _lock(connection, study.orthanc_id, destination)
    taken: set[str] = set()
    for packed in connection.scalars(select(delivery.c.instances).where(_about(study.orthanc_id, destination))):
        taken.update(_unpack(packed))
    return _insert(connection, study, destination, study.instances - taken, by_hand=False)


def enqueue_by_hand(connection: Connection, study: StudyToDeliver, destination: str) -> int:
    """Queue the whole study, whatever was delivered before. Raises UnderWay."""
    _lock(connection, study.orthanc_id, destination)
    about = _about(study.orthanc_id, destination)
    open_row = connection.scalar(select(delivery.c.id).where(about, delivery.c.state.in_(OPEN)).limit(1))
    if open_row is not None:
        raise UnderWay(open_row)
    # The new row takes everything: what earlier ones took is history.
    connection.execute(update(delivery).where(about).values(digest=None))
    inserted = _insert(connection, study, destination, study.instances, by_hand=True)
    assert inserted is not None, "no other row has a digest of this study"
    return inserted


def claim(
    connection: Connection, destination: str, owner: str, lease: timedelta, by_hand_only: bool = False
) -> Claim | None:
    """Take the row that is due longest, those made by hand before all others; None when there is nothing to do."""
    # The database's clock, within the statement: most of its time is the way there and back.
    now: Any = utc_now() if connection.dialect.name == "sqlite" else func.now()
    first = [_first_due(destination, by_hand, now) for by_hand in ((True,) if by_hand_only else (True, False))]
    row = connection.execute(
        update(delivery)
        # coalesce looks no further than it must.
        .where(delivery.c.id == (first[0] if by_hand_only else func.coalesce(*first)))
        .values(
            state="sending",
            attempts=delivery.c.attempts + 1,
            started_at=now,
            lease_owner=owner,
            lease_until=now + lease,
        )
        .returning(
            delivery.c.id,
            delivery.c.study_orthanc_id,
            delivery.c.instances,
            delivery.c.bytes_total,
            delivery.c.attempts,
            delivery.c.instances_sent,
            delivery.c.by_hand,
        )
    ).first()
    if row is None:
        return None
    begun = row.attempts > 1 or row.instances_sent > 0
    instances = tuple(_unpack(row.instances))
    return Claim(
        id=row.id,
        destination=destination,
        study_orthanc_id=row.study_orthanc_id,
        instances=instances,
        size_bytes=row.bytes_total,
        attempts=row.attempts,
        begun=begun,
        by_hand=row.by_hand,
        owner=owner,
    )


def renew(connection: Connection, owner: str, ids: Collection[int], lease: timedelta) -> set[int]:
    """Lengthen the leases of what a living owner works on; what of it is still its own (the rest was cancelled)."""
    return set(
        connection.scalars(
            update(delivery)
            .where(delivery.c.id.in_(ids), delivery.c.lease_owner == owner, delivery.c.state.in_(LEASED))
            .values(lease_until=database_now(connection) + lease)
            .returning(delivery.c.id)
        )
    )


def reclaim(
    connection: Connection, worked_on: Collection[int], lease: timedelta, longest_wait: timedelta
) -> list[tuple[int, str]]:
    """Make rows wait again on which nobody works any more; ``worked_on`` are those of this process.

    What lies further ahead than it can was written before the clock was set back, and is due now.
    """
    now = database_now(connection)
    ended = or_(delivery.c.lease_until < now, delivery.c.lease_until > now + 2 * lease)
    dead = _change_many(
        connection,
        and_(delivery.c.state.in_(LEASED), ended, delivery.c.id.not_in(worked_on)),
        {"state": "waiting", "next_try_at": now, "lease_owner": None, "lease_until": None},
    )
    first_try = and_(delivery.c.attempts == 0, delivery.c.next_try_at > now)
    connection.execute(
        update(delivery)
        .where(delivery.c.state == "waiting", or_(first_try, delivery.c.next_try_at > now + longest_wait))
        .values(next_try_at=now)
    )
    return dead


def progress(connection: Connection, claimed: Claim, instances_sent: int) -> bool:
    """Write down how far it is. False when the row is no longer ours."""
    return _change(connection, claimed, {"instances_sent": instances_sent})


def verifying(connection: Connection, claimed: Claim) -> bool:
    """Everything has left: now the other end is asked."""
    return _change(connection, claimed, {"state": "verifying", "instances_sent": delivery.c.instances_total})


def deliver(connection: Connection, claimed: Claim, proof: str, duration_s: float) -> bool:
    """Record a proven delivery. False, and nothing is written, when the row is no longer ours."""
    return _settle(
        connection,
        claimed,
        {
            "state": "delivered",
            "reason": None,
            "proof": proof,
            "instances_sent": delivery.c.instances_total,
            "delivered_at": database_now(connection),
            "duration_s": duration_s,
        },
    )


def fail(connection: Connection, claimed: Claim, reason: str, retry_in: timedelta | None) -> bool:
    """Record a failure: waiting again for ``retry_in``, or failed until someone acts when that is None."""
    values: dict[str, Any] = {"state": "failed", "reason": reason}
    if retry_in is not None:
        values |= {"state": "waiting", "next_try_at": database_now(connection) + retry_in}
    return _settle(connection, claimed, values)


def release(connection: Connection, claimed: Claim, reason: str | None) -> bool:
    """Give a row back in its old place, the try not counted: the server stops, or the destination is away."""
    return _settle(connection, claimed, {"state": "waiting", "attempts": claimed.attempts - 1, "reason": reason})


def abandon(connection: Connection, claimed: Claim, reason: str) -> bool:
    """Cancel a row of ours: there is nothing left to send."""
    return _settle(connection, claimed, {"state": "cancelled", "reason": reason})


def retry(connection: Connection, ids: Collection[int]) -> list[tuple[int, str]]:
    """Begin again, at once and with all attempts, what failed, was cancelled or waits. Numbers and destinations."""
    return _change_many(
        connection,
        and_(delivery.c.id.in_(ids), delivery.c.state.in_(("failed", "cancelled", "waiting"))),
        {"state": "waiting", "attempts": 0, "by_hand": True, "reason": None, "next_try_at": database_now(connection)},
    )


def cancel(connection: Connection, ids: Collection[int], reason: str) -> list[tuple[int, str]]:
    """Cancel what is not over or has failed; whoever sends it at this moment notices within a few seconds."""
    return _change_many(
        connection,
        and_(delivery.c.id.in_(ids), delivery.c.state.in_((*OPEN, "failed"))),
        {"state": "cancelled", "reason": reason, "lease_owner": None, "lease_until": None},
    )


def study_deleted(connection: Connection, study_orthanc_id: str, reason: str) -> list[tuple[int, str]]:
    """Cancel what waits for a study that is gone. Its history stays, but is of no study that may come again."""
    about = delivery.c.study_orthanc_id == study_orthanc_id
    cancelled = _change_many(
        connection, and_(about, delivery.c.state == "waiting"), {"state": "cancelled", "reason": reason}
    )
    connection.execute(update(delivery).where(about, delivery.c.digest.is_not(None)).values(digest=None))
    return cancelled


def _first_due(destination: str, by_hand: bool, now: Any) -> ScalarSelect[int]:
    """The row of its kind that is due longest."""
    # SKIP LOCKED on PostgreSQL: nodes never wait for each other. SQLite has one writer at a time and needs none.
    return (
        select(delivery.c.id)
        .where(
            delivery.c.destination == destination,
            delivery.c.state == "waiting",
            delivery.c.by_hand.is_(by_hand),
            delivery.c.next_try_at <= now,
        )
        .order_by(delivery.c.next_try_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )


def _about(study_orthanc_id: str, destination: str) -> ColumnElement[bool]:
    return and_(
        delivery.c.study_orthanc_id == study_orthanc_id,
        delivery.c.destination == destination,
        delivery.c.digest.is_not(None),
    )


def _lock(connection: Connection, study_orthanc_id: str, destination: str) -> None:
    """Let nobody else queue this study there until the transaction ends. SQLite has one writer at a time."""
    if connection.dialect.name != "sqlite":
        key = {"key": f"{study_orthanc_id}:{destination}"}
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), key)


def _insert(
    connection: Connection, study: StudyToDeliver, destination: str, instances: frozenset[str], by_hand: bool
) -> int | None:
    if not instances:
        return None
    packed = _pack(instances)
    now = database_now(connection)
    values = {
        "study_orthanc_id": study.orthanc_id,
        "destination": destination,
        "digest": hashlib.sha256(packed).hexdigest(),
        "instances": packed,
        "by_hand": by_hand,
        "state": "waiting",
        "attempts": 0,
        "study_instance_uid": study.study_instance_uid,
        "patient_id": study.patient_id,
        "patient_name": study.patient_name,
        "study_description": study.description,
        "folded": fold(f"{study.patient_id} {study.patient_name} {study.description}"),
        "instances_total": len(instances),
        "instances_sent": 0,
        # Orthanc knows the size of a study at once, and of a part only instance by instance.
        "bytes_total": round(study.size_bytes * len(instances) / len(study.instances)),
        "created_at": now,
        "next_try_at": now,
    }
    statement = insert(connection, delivery).values(values).on_conflict_do_nothing().returning(delivery.c.id)
    inserted: int | None = connection.execute(statement).scalar()
    return inserted


def _change(connection: Connection, claimed: Claim, values: dict[str, Any]) -> bool:
    ours = and_(
        delivery.c.id == claimed.id,
        delivery.c.state.in_(LEASED),
        delivery.c.lease_owner == claimed.owner,
        delivery.c.attempts == claimed.attempts,
    )
    return connection.execute(update(delivery).where(ours).values(values)).rowcount > 0


def _settle(connection: Connection, claimed: Claim, values: dict[str, Any]) -> bool:
    return _change(connection, claimed, {"lease_owner": None, "lease_until": None, **values})


def _change_many(connection: Connection, where: ColumnElement[bool], values: dict[str, Any]) -> list[tuple[int, str]]:
    changed = connection.execute(
        update(delivery).where(where).values(values).returning(delivery.c.id, delivery.c.destination)
    )
    return [(row.id, row.destination) for row in changed]


def _pack(orthanc_ids: Iterable[str]) -> bytes:
    return b"".join(bytes.fromhex(each.replace("-", "")) for each in sorted(orthanc_ids))


def _unpack(packed: bytes) -> list[str]:
    size = hashlib.sha1(usedforsecurity=False).digest_size
    return [packed[start : start + size].hex("-", 4) for start in range(0, len(packed), size)]
