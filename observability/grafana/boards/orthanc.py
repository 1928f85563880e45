"""Orthanc and its plugins: what they hold, and what they do for whom."""

from __future__ import annotations

from panels import Panel, lines, number

ROUTES = 'route=~"$route"'
DURATION = "pacs_http_request_duration_seconds"


def quantile(q: float) -> str:
    return f"histogram_quantile({q}, sum by (le) (rate({DURATION}_bucket{{{ROUTES}}}[$__rate_interval])))"


PANELS: list[Panel] = [
    number("Studies", "Studies held now.", "short", "pacs_studies"),
    number("Series", "Series held now.", "short", "pacs_series"),
    number("Instances", "DICOM instances held now.", "short", "pacs_instances"),
    number("Structures", "Structures extracted and held now.", "short", "pacs_structures"),
    number("Stored", "Bytes that the stored instances take on disk.", "bytes", "pacs_storage_bytes"),
    number(
        "Disk full in",
        "At the pace of the last day; no value while the disk does not fill.",
        "s",
        "pacs_disk_full:seconds",
    ),
    lines(
        "Instances received",
        "Instances that Orthanc was given, per second.",
        "ops",
        ("sum(rate(pacs_instances_received_total[$__rate_interval]))", "received"),
    ),
    lines(
        "Disk",
        "Free space where Orthanc stores.",
        "bytes",
        ("pacs_disk_free_bytes", "free"),
        ("pacs_storage_bytes", "stored"),
    ),
    lines(
        "Requests",
        "Requests of /api per second, by route and status.",
        "reqps",
        (f"sum by (route, status) (rate({DURATION}_count{{{ROUTES}}}[$__rate_interval]))", "{{route}} {{status}}"),
    ),
    lines(
        "Response time",
        "Half of the answers of /api come sooner than p50, 99 of 100 sooner than p99.",
        "s",
        (quantile(0.5), "p50"),
        (quantile(0.95), "p95"),
        (quantile(0.99), "p99"),
    ),
    lines(
        "Extractions",
        "Structure sets whose extraction ended, per second and outcome.",
        "ops",
        ("sum by (outcome) (rate(pacs_extractions_total[$__rate_interval]))", "{{outcome}}"),
    ),
    lines(
        "Extraction time",
        "From taking a structure set to having its contours stored.",
        "s",
        (
            "histogram_quantile(0.5, sum by (le) (rate(pacs_extraction_duration_seconds_bucket[$__rate_interval])))",
            "p50",
        ),
        (
            "histogram_quantile(0.95, sum by (le) (rate(pacs_extraction_duration_seconds_bucket[$__rate_interval])))",
            "p95",
        ),
    ),
    lines(
        "Extraction queue",
        "Structure sets that wait or run.",
        "short",
        ('pacs_extraction_queue{state=~"pending|running"}', "{{state}}"),
    ),
    lines(
        "Jobs and requests of Orthanc",
        "Orthanc's own jobs, and its own requests under way.",
        "short",
        ("orthanc_jobs_running", "jobs running"),
        ("orthanc_jobs_pending", "jobs pending"),
        ("orthanc_rest_api_active_requests", "requests"),
    ),
    lines(
        "Deliveries",
        "Deliveries that ended or have to be tried again, per second, by destination and outcome.",
        "ops",
        (
            "sum by (destination, outcome) (rate(pacs_deliveries_total[$__rate_interval]))",
            "{{destination}} {{outcome}}",
        ),
    ),
    lines(
        "Delivery time",
        "From taking a study to having proof that the destination holds it: 95 of 100 are sooner.",
        "s",
        (
            "histogram_quantile(0.95, sum by (destination, le)"
            " (rate(pacs_delivery_duration_seconds_bucket[$__rate_interval])))",
            "{{destination}}",
        ),
    ),
]
