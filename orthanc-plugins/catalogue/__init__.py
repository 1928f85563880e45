"""The catalogue: a read model of Orthanc's studies that lists, searches and counts in constant time."""

from __future__ import annotations

from catalogue.follower import Follower
from catalogue.routes import create_router
from catalogue.service import Catalogue
from host.plugin import Host, Plugin


def create(host: Host) -> Plugin:
    """Follow Orthanc's changes, and answer from what was written down."""
    follower = Follower(host.archive, host.database)
    host.events.changed.subscribe(follower.on_changed)
    host.events.resource_deleted.subscribe(follower.on_deleted)
    host.events.structures_extracted.subscribe(follower.on_extracted)
    return Plugin("catalogue", create_router(Catalogue(host.archive, host.database), follower), (follower,))
