"""The state of every configured service as gauges, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from status.service import Monitor


class ServiceMetrics(Collector):
    """What ``/api/status`` says, at the moment of the scrape; a service that is not configured is left out."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        up = GaugeMetricFamily(
            "pacs_service_up",
            "1 when a service of the stack is up, 0 when it is degraded or down.",
            labels=("service",),
        )
        latency = GaugeMetricFamily(
            "pacs_service_probe_duration_seconds",
            "How long the last successful probe of a service took.",
            labels=("service",),
        )
        for service in self._monitor.status().services:
            # Before the first probe nothing is known, and a restart is not an outage.
            if service.state == "not_configured" or service.checked_at is None:
                continue
            up.add_metric((service.name,), float(service.state == "up"))
            if service.latency_ms is not None:
                latency.add_metric((service.name,), service.latency_ms / 1000)
        yield up
        yield latency
