"""RT structure sets become contours and volumes: queued when they arrive, extracted by workers, read over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host.plugin import Host, Plugin


def create(host: Host) -> Plugin:
    """Listen for structure sets, and run as many extractions side by side as there are workers."""
    # Not above: workers import this package for its engine, and need no web framework for that.
    from extraction.reader import Reader
    from extraction.routes import create_router
    from extraction.service import Extraction
    from host.plugin import Plugin

    service = Extraction(host)
    host.workers.preload("extraction.engine")
    host.events.instance_stored.subscribe(service.on_stored)
    host.events.resource_deleted.subscribe(service.on_deleted)
    reader = Reader(host.archive, host.workers)
    return Plugin("extraction", create_router(service, reader), service.background)
