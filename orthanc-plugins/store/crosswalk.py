"""Who is behind a pseudonym: written when a study is sent de-identified, sealed: the database alone tells nobody."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from store.database import insert, utc_now
from store.tables import crosswalk

#: Below this a key could be guessed.
SHORTEST_KEY = 16
_BETWEEN_KEYS = re.compile(r"[\s,]+")


class UnusableKey(ValueError):
    """The key of the crosswalk is missing or too short; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Original:
    """Who a pseudonym stands for. Dates in de-identified files are ``date_shift_days`` away from the real ones."""

    patient_id: str
    patient_name: str
    patient_birth_date: str
    study_instance_uid: str
    date_shift_days: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One study as one destination knows it, and who it is; None where no key that is known opens it."""

    pseudonym: str
    study_instance_uid: str
    destination: str
    recorded_at: datetime
    sent_at: datetime
    original: Original | None


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, all of it exact."""

    pseudonym: str | None = None
    patient_id: str | None = None
    study_instance_uid: str | None = None
    destination: str | None = None


class Crosswalk:
    """The table, with the key to it.

    Parameters
    ----------
    keys
        One key or several, separated by commas or spaces: the first seals what is written, each opens what it sealed.

    Raises
    ------
    UnusableKey
        If there is none, or one is too short.
    """

    def __init__(self, keys: str) -> None:
        several = [key for key in _BETWEEN_KEYS.split(keys) if key]
        if not several or min(map(len, several)) < SHORTEST_KEY:
            raise UnusableKey(
                f"PACS_CROSSWALK_KEY {'has a key that is too short' if several else 'is not set'}, and a destination "
                f"de-identifies: write a random key of at least {SHORTEST_KEY} characters into .env, for instance from "
                "`openssl rand -hex 32`, and keep a copy of it: without it nobody can be identified again."
            )
        # Its native library stays out of a server that never de-identifies.
        from store.sealing import Sealing

        self._digest_keys = [_derived("search", key) for key in several]
        self._sealing = Sealing([_derived("seal", key) for key in several])

    def record(
        self, connection: Connection, original: Original, pseudonym: str, study_instance_uid: str, destination: str
    ) -> None:
        """Write who the study is that a destination is sent under this pseudonym and UID; again is no second row."""
        now = utc_now()
        values = {
            "pseudonym": pseudonym,
            "patient_digest": self._digests(original.patient_id)[0],
            "sealed": self._sealing.seal(json.dumps(asdict(original)).encode()),
            "sent_at": now,
        }
        statement = insert(connection, crosswalk).values(
            destination=destination, study_instance_uid=study_instance_uid, recorded_at=now, **values
        )
        keys = [crosswalk.c.destination, crosswalk.c.study_instance_uid]
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))

    def page(self, connection: Connection, search: Search, limit: int, offset: int) -> tuple[list[Entry], int]:
        """Entries, the newest first, and how many there are."""
        conditions = self._conditions(search)
        total = connection.scalar(select(func.count()).select_from(crosswalk).where(*conditions)) or 0
        newest_first = (crosswalk.c.recorded_at.desc(), crosswalk.c.destination, crosswalk.c.study_instance_uid)
        rows: Sequence[Row[Any]] = connection.execute(
            select(crosswalk).where(*conditions).order_by(*newest_first).limit(limit).offset(offset)
        ).all()
        return [self._entry(row) for row in rows], total

    def _conditions(self, search: Search) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if search.pseudonym:
            found.append(crosswalk.c.pseudonym == search.pseudonym.strip().upper())
        if search.patient_id:
            found.append(or_(*(crosswalk.c.patient_digest == digest for digest in self._digests(search.patient_id))))
        if search.study_instance_uid:
            found.append(crosswalk.c.study_instance_uid == search.study_instance_uid)
        if search.destination:
            found.append(crosswalk.c.destination == search.destination)
        return found

    def _entry(self, row: Row[Any]) -> Entry:
        opened = self._sealing.open(row.sealed)
        original = Original(**json.loads(opened)) if opened is not None else None
        return Entry(row.pseudonym, row.study_instance_uid, row.destination, row.recorded_at, row.sent_at, original)

    def _digests(self, patient_id: str) -> list[str]:
        """What a patient is found by without being named in the table, under each key."""
        return [hmac.digest(key, patient_id.strip().encode(), hashlib.sha256).hex() for key in self._digest_keys]


def _derived(purpose: str, key: str) -> bytes:
    return hmac.digest(key.encode(), f"pacs crosswalk {purpose}".encode(), hashlib.sha256)
