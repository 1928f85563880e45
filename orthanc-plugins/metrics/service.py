"""The metrics of requests, extractions and holdings."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from host.access import ROLES
from host.archive import Archive, ArchiveError
from host.events import InstanceStored, RequestServed, StructuresExtracted
from store import extractions
from store.database import Database

logger = logging.getLogger("pacs.metrics")

# Few: each is a line of every scrape for every route, method and status.
_REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30)
_EXTRACTION_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

#: Its time is the time of the last backup.
LAST_BACKUP = "last-backup"

# The moments of creation would double the number of series, and nothing here asks for them.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """Counts events as they come; what stands in the database is read when Prometheus asks."""

    def __init__(self, registry: CollectorRegistry, archive: Archive, database: Database, data_directory: Path) -> None:
        self._registry = registry
        self._received = Counter(
            "pacs_instances_received",
            "Instances that Orthanc was given and holds, those it held already included.",
            registry=registry,
        )
        self._requests = Histogram(
            "pacs_http_request_duration_seconds",
            "Time to answer a request of /api, by route, method and status.",
            ("route", "method", "status"),
            buckets=_REQUEST_BUCKETS,
            registry=registry,
        )
        self._users = Counter(
            "pacs_api_requests", "Requests of /api that were answered, by account.", ("account",), registry=registry
        )
        self._extractions = Counter(
            "pacs_extractions",
            "Extractions of structure sets that ended, by outcome (done, failed, pending: to be tried again).",
            ("outcome",),
            registry=registry,
        )
        self._extraction_duration = Histogram(
            "pacs_extraction_duration_seconds",
            "Time from taking a structure set to having its contours stored.",
            buckets=_EXTRACTION_BUCKETS,
            registry=registry,
        )
        for account in ROLES:
            self._users.labels(account)
        for outcome in ("done", "failed", "pending"):
            self._extractions.labels(outcome)
        registry.register(_Holdings(archive))
        registry.register(_Queue(database))
        registry.register(_Disk(data_directory))

    def on_stored(self, _event: InstanceStored) -> None:
        """Count one instance. Called inside the store: about a microsecond."""
        self._received.inc()

    def on_request(self, served: RequestServed) -> None:
        """Count one answered request."""
        self._users.labels(served.account).inc()
        self._requests.labels(served.route, served.method, str(served.status)).observe(served.duration_s)

    def on_extraction(self, extracted: StructuresExtracted) -> None:
        """Count one extraction that ended."""
        self._extractions.labels(extracted.state).inc()
        if extracted.state == "done":
            self._extraction_duration.observe(extracted.duration_s)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)


class _Holdings(Collector):
    """What Orthanc holds at the moment of the scrape: its own counts, which it keeps, however many there are."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def describe(self) -> Iterable[Metric]:
        # Without this the registry would ask the archive to learn the names, before it has started.
        return []

    def collect(self) -> Iterable[Metric]:
        try:
            held = self._archive.get("/statistics")
        except ArchiveError:
            # The counters are still worth scraping; that Orthanc's index is down is what /api/status is for.
            logger.exception("Orthanc's index does not answer: its gauges are missing from this scrape")
            return
        yield GaugeMetricFamily("pacs_patients", "Patients held.", value=held["CountPatients"])
        yield GaugeMetricFamily("pacs_studies", "Studies held.", value=held["CountStudies"])
        yield GaugeMetricFamily("pacs_series", "Series held.", value=held["CountSeries"])
        yield GaugeMetricFamily("pacs_instances", "Instances held.", value=held["CountInstances"])
        yield GaugeMetricFamily(
            "pacs_storage_bytes", "Bytes that the stored instances take on disk.", value=float(held["TotalDiskSize"])
        )


class _Queue(Collector):
    """The queue of extractions at the moment of the scrape."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def describe(self) -> Iterable[Metric]:
        # Without this the registry would query the database to learn the names, before there is a table.
        return []

    def collect(self) -> Iterable[Metric]:
        try:
            with self._database.begin() as connection:
                totals = extractions.totals(connection)
        except SQLAlchemyError:
            # The counters are still worth scraping; that the database is down is what /api/status is for.
            logger.exception("The database does not answer: its gauges are missing from this scrape")
            return
        queue = GaugeMetricFamily("pacs_extraction_queue", "Structure sets by state.", labels=("state",))
        for state, count in totals.by_state.items():
            queue.add_metric((state,), count)
        yield queue
        age_s = (datetime.now(UTC) - totals.oldest_pending).total_seconds() if totals.oldest_pending else 0.0
        yield GaugeMetricFamily(
            "pacs_extraction_queue_oldest_age_seconds",
            "How long the oldest structure set has waited.",
            value=age_s,
        )
        yield GaugeMetricFamily("pacs_structures", "Structures extracted and held.", value=totals.structures)


class _Disk(Collector):
    """The disk that Orthanc stores on, and when it was last backed up."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        usage = shutil.disk_usage(self._directory)
        yield GaugeMetricFamily(
            "pacs_disk_size_bytes", "Size of the disk that Orthanc stores on.", value=float(usage.total)
        )
        yield GaugeMetricFamily(
            "pacs_disk_free_bytes", "Free space on the disk that Orthanc stores on.", value=float(usage.free)
        )
        try:
            # ./pacs backup leaves this file behind when all is written.
            backed_up_at = (self._directory / LAST_BACKUP).stat().st_mtime
        except OSError:
            return
        yield GaugeMetricFamily(
            "pacs_last_backup_timestamp_seconds", "When ./pacs backup last ended well.", value=backed_up_at
        )
