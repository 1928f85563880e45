"""The state of every service of the stack, probed in the background and answered from memory."""

from __future__ import annotations

from host.certificates import Certificates
from host.plugin import Host, Plugin
from host.settings import SERVICE_NAMES
from status.metrics import ServiceMetrics
from status.probes import dicom_echo, http_health, orthanc_system, postgres_version
from status.routes import create_router
from status.service import Check, Monitor, Service


def create(host: Host) -> Plugin:
    """Watch Orthanc, PostgreSQL, the configured services, and every registered DICOM modality."""
    settings = host.settings
    postgres = (Check("postgres", postgres_version(host.database)),) if settings.postgres else ()
    services = [
        Service("orthanc", (Check("orthanc", orthanc_system(host.archive)),)),
        Service("postgres", postgres),
    ]
    for configured in settings.services:
        checks: list[Check] = []
        if configured.url:
            checks.append(Check("web", http_health(configured.url, settings.probe_timeout_s)))
        if configured.modality:
            checks.append(Check("dicom", dicom_echo(host.archive, configured.modality, settings.probe_timeout_s)))
        services.append(Service(configured.name, tuple(checks)))
    # dcm4chee stands in modalities.json whether its profile is on or not: what a service is called is that service.
    claimed = {configured.modality for configured in settings.services} | set(SERVICE_NAMES)

    def modalities() -> list[Service]:
        # Read at start, when Orthanc answers: the registered modalities that are not already part of a service.
        names = sorted(set(host.archive.get("/modalities")) - claimed)
        echo = {name: Check("dicom", dicom_echo(host.archive, name, settings.probe_timeout_s)) for name in names}
        return [Service(f"modality:{name}", (check,)) for name, check in echo.items()]

    monitor = Monitor(services, modalities, settings.probe_interval_s, settings.probe_timeout_s)
    host.metrics.register(ServiceMetrics(monitor))
    urls = {each.name: each.url for each in settings.services if each.url}
    certificates = Certificates("pacs_service_certificate_expiry_timestamp_seconds", "service", urls)
    host.metrics.register(certificates)
    return Plugin("status", create_router(monitor), (monitor, certificates))
