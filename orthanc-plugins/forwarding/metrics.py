"""Deliveries as metrics; the labels are a destination and a state, never a study."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from forwarding.configuration import Destination
from forwarding.delivering import Outcome
from forwarding.service import Forwarding

logger = logging.getLogger("pacs.forwarding")

_BUCKETS = (0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)


class Counters:
    """What is counted as it happens, in this process."""

    def __init__(self, registry: CollectorRegistry, destinations: Iterable[Destination]) -> None:
        self._outcomes = Counter(
            "pacs_deliveries",
            "Tries to deliver a study that ended, by outcome (delivered, failed, retried: to be tried again).",
            ("destination", "outcome"),
            registry=registry,
        )
        self._bytes = Counter(
            "pacs_delivery_bytes",
            "Bytes of instances, as Orthanc stores them, that were delivered and proven.",
            ("destination",),
            registry=registry,
        )
        self._duration = Histogram(
            "pacs_delivery_duration_seconds",
            "Time from taking a delivery to its proof.",
            ("destination",),
            buckets=_BUCKETS,
            registry=registry,
        )
        # Nought is a value: a rate begins with the first failure and not with the second.
        for destination in destinations:
            for outcome in ("delivered", "failed", "retried"):
                self._outcomes.labels(destination.name, outcome)
            self._bytes.labels(destination.name)
            self._duration.labels(destination.name)

    def on_outcome(self, outcome: Outcome) -> None:
        """Count one try."""
        name = outcome.claimed.destination
        self._outcomes.labels(name, "retried" if outcome.state == "waiting" else outcome.state).inc()
        if outcome.state == "delivered":
            self._bytes.labels(name).inc(outcome.size_bytes)
            self._duration.labels(name).observe(outcome.duration_s)


class Gauges(Collector):
    """How the outbox stands at the moment of the scrape."""

    def __init__(self, forwarding: Forwarding) -> None:
        self._forwarding = forwarding

    def describe(self) -> Iterable[Metric]:
        # Without this the registry would query the database to learn the names, before there is a table.
        return []

    def collect(self) -> Iterable[Metric]:
        if not self._forwarding.lines:
            return
        up = GaugeMetricFamily(
            "pacs_destination_up", "1 when a destination answers, 0 when it does not.", labels=("destination",)
        )
        for name, line in self._forwarding.lines.items():
            known = line.delivering.watch.known
            # Before the first probe nothing is known, and a restart is not an outage.
            if known.state != "unknown":
                up.add_metric((name,), float(known.state == "up"))
        yield up
        try:
            totals = self._forwarding.totals()
        except SQLAlchemyError:
            # The rest is still worth scraping; that the database is down is what /api/status is for.
            logger.exception("The database does not answer: the gauges of deliveries are missing from this scrape")
            return
        standing = GaugeMetricFamily("pacs_deliveries", "Deliveries by state.", labels=("destination", "state"))
        oldest = GaugeMetricFamily(
            "pacs_deliveries_oldest_waiting_age_seconds",
            "How long the oldest waiting delivery has waited.",
            labels=("destination",),
        )
        last = GaugeMetricFamily(
            "pacs_delivery_last_success_timestamp_seconds",
            "When a delivery was last proven.",
            labels=("destination",),
        )
        now = datetime.now(UTC)
        for name, held in totals.items():
            for state, count in held.by_state.items():
                standing.add_metric((name, state), count)
            oldest.add_metric((name,), (now - held.oldest_waiting).total_seconds() if held.oldest_waiting else 0.0)
            if held.last_success:
                last.add_metric((name,), held.last_success.timestamp())
        yield standing
        yield oldest
        yield last
