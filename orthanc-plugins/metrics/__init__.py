"""Counts and times what the server does, for Prometheus."""

from __future__ import annotations

from host.plugin import Host, Plugin
from host.settings import Settings
from metrics.dcm4chee import Dcm4cheeMetrics, Dcm4cheeRest, application_of
from metrics.routes import create_router
from metrics.service import Metrics


def create(host: Host) -> Plugin:
    """Listen to requests, arrivals and extractions, and expose every metric of the host's registry."""
    service = Metrics(host.metrics, host.archive, host.database, host.settings.data_directory)
    host.events.request_served.subscribe(service.on_request)
    host.events.instance_stored.subscribe(service.on_stored)
    host.events.structures_extracted.subscribe(service.on_extraction)
    archive = _dcm4chee(host.settings)
    if archive is None:
        return Plugin("metrics", create_router(service))
    host.metrics.register(archive)
    return Plugin("metrics", create_router(service), (archive,))


def _dcm4chee(settings: Settings) -> Dcm4cheeMetrics | None:
    """DCM4CHEE's metrics, where its health address is configured (PACS_DCM4CHEE_URL)."""
    for service in settings.services:
        if service.name == "dcm4chee" and service.url and (application := application_of(service.url)):
            return Dcm4cheeMetrics(Dcm4cheeRest(application, settings.dcm4chee_ae_title))
    return None
