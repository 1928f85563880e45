"""The outbox as people read it: found, paged, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from store.deliveries import STATES, State
from store.studies import like_pattern
from store.tables import delivery

#: All but the packed instances, which nobody reads here and which weigh more than the rest together.
_COLUMNS = [column for column in delivery.c if column.name != "instances"]


@dataclass(frozen=True, slots=True)
class DeliverySearch:
    """What a search asks for; the words of ``text`` match as in the list of studies."""

    state: State | None = None
    destination: str | None = None
    study: str | None = None
    text: str | None = None
    since: datetime | None = None


def get(connection: Connection, delivery_id: int) -> Row[Any] | None:
    """One delivery."""
    return connection.execute(select(*_COLUMNS).where(delivery.c.id == delivery_id)).first()


def page(connection: Connection, search: DeliverySearch, limit: int, offset: int) -> tuple[list[Row[Any]], int]:
    """One page of the deliveries found, newest first, and how many there are in all."""
    conditions = list(_conditions(search))
    total = connection.scalar(select(func.count()).select_from(delivery).where(*conditions)) or 0
    rows = connection.execute(
        select(*_COLUMNS)
        .where(*conditions)
        .order_by(delivery.c.created_at.desc(), delivery.c.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()
    return list(rows), total


def _conditions(search: DeliverySearch) -> Iterator[ColumnElement[bool]]:
    if search.state:
        yield delivery.c.state == search.state
    if search.destination:
        yield delivery.c.destination == search.destination
    if search.study:
        yield or_(delivery.c.study_orthanc_id == search.study, delivery.c.study_instance_uid == search.study)
    if search.since:
        yield delivery.c.created_at >= search.since
    for word in (search.text or "").split():
        yield or_(
            delivery.c.folded.like(like_pattern(word), escape="!"),
            delivery.c.study_instance_uid == word,
            delivery.c.destination == word,
        )


@dataclass(frozen=True, slots=True)
class Held:
    """How many deliveries of one destination stand where."""

    by_state: dict[State, int]
    oldest_waiting: datetime | None
    last_success: datetime | None


NOTHING = Held(dict.fromkeys(STATES, 0), None, None)


def totals(connection: Connection) -> dict[str, Held]:
    """Counts by destination, over everything that is remembered."""
    counted = connection.execute(
        select(delivery.c.destination, delivery.c.state, func.count()).group_by(
            delivery.c.destination, delivery.c.state
        )
    ).all()
    oldest = dict(
        connection.execute(
            select(delivery.c.destination, func.min(delivery.c.created_at))
            .where(delivery.c.state == "waiting")
            .group_by(delivery.c.destination)
        ).all()
    )
    last = dict(
        connection.execute(
            select(delivery.c.destination, func.max(delivery.c.delivered_at)).group_by(delivery.c.destination)
        ).all()
    )
    held: dict[str, Held] = {}
    for destination, state, count in counted:
        default = Held(dict.fromkeys(STATES, 0), oldest.get(destination), last.get(destination))
        held.setdefault(destination, default).by_state[state] = count
    return held
