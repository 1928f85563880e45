"""Counts and times what the server does, for Prometheus."""

from __future__ import annotations

from host.plugin import Host, Plugin
from metrics.routes import create_router
from metrics.service import Metrics


def create(host: Host) -> Plugin:
    """Listen to requests, arrivals and extractions, and expose every metric of the host's registry."""
    service = Metrics(host.metrics, host.archive, host.database, host.settings.data_directory)
    host.events.request_served.subscribe(service.on_request)
    host.events.instance_stored.subscribe(service.on_stored)
    host.events.structures_extracted.subscribe(service.on_extraction)
    return Plugin("metrics", create_router(service))
