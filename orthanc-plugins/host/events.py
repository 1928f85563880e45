"""Every event that a plugin may subscribe to, declared here and nowhere else.

Plugins never import each other: one publishes, others subscribe. Subscribers run in the publisher's thread, must be
quick and must not raise; what one raises is logged and does not reach the publisher or the other subscribers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

logger = logging.getLogger("pacs.events")

Level = Literal["patient", "study", "series", "instance"]


class Event[Payload]:
    """A named point at which plugins may listen."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._subscribers: list[Callable[[Payload], None]] = []

    def subscribe(self, subscriber: Callable[[Payload], None]) -> None:
        """Call ``subscriber`` with the payload of each event published from now on."""
        self._subscribers.append(subscriber)

    def publish(self, payload: Payload) -> None:
        """Tell every subscriber, in the order in which they subscribed."""
        for subscriber in self._subscribers:
            try:
                subscriber(payload)
            except Exception:
                logger.exception("A subscriber of %s failed", self.name)


@dataclass(frozen=True, slots=True)
class InstanceStored:
    """Orthanc has stored an instance, or received one again that it already held."""

    orthanc_id: str
    sop_class_uid: str


@dataclass(frozen=True, slots=True)
class ResourceDeleted:
    """A resource is gone from Orthanc."""

    level: Level
    orthanc_id: str


@dataclass(frozen=True, slots=True)
class StudyStable:
    """No instance has arrived for this study during Orthanc's StableAge. Lost by a crash: catch up from /changes."""

    orthanc_id: str


@dataclass(frozen=True, slots=True)
class StructuresExtracted:
    """The structures of one RTSTRUCT have reached a state (done, failed, or pending again after a passing fault)."""

    orthanc_id: str
    state: Literal["done", "failed", "pending"]
    duration_s: float


@dataclass(frozen=True, slots=True)
class DeliveryChanged:
    """A delivery of a study to another archive has reached a state."""

    id: int
    destination: str
    state: Literal["waiting", "sending", "verifying", "delivered", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class RequestServed:
    """A route has answered; ``account`` is one of ``host.access.ROLES``, or empty."""

    method: str
    route: str
    status: int
    duration_s: float
    account: str


@dataclass(frozen=True)
class Events:
    """All events of one server."""

    #: Inside Orthanc's store, under its global lock: a subscriber may enqueue and must return in microseconds.
    instance_stored: Event[InstanceStored] = field(default_factory=lambda: Event("instance_stored"))
    resource_deleted: Event[ResourceDeleted] = field(default_factory=lambda: Event("resource_deleted"))
    study_stable: Event[StudyStable] = field(default_factory=lambda: Event("study_stable"))
    #: Something new stands in Orthanc's /changes: a hint for those who follow it with a cursor.
    changed: Event[None] = field(default_factory=lambda: Event("changed"))
    structures_extracted: Event[StructuresExtracted] = field(default_factory=lambda: Event("structures_extracted"))
    delivery_changed: Event[DeliveryChanged] = field(default_factory=lambda: Event("delivery_changed"))
    request_served: Event[RequestServed] = field(default_factory=lambda: Event("request_served"))
