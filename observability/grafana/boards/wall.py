"""Everything on one screen, for a wall."""

from __future__ import annotations

from panels import NONE_IS_WELL, ONE_IS_WELL, Panel, alerts, lines, number, share

DURATION = "pacs_http_request_duration_seconds"

PANELS: list[Panel] = [
    number(
        "Services",
        "1 when a service is up, 0 when it is degraded or down.",
        "short",
        "pacs_service_up",
        "{{service}}",
        ONE_IS_WELL,
        span=12,
        height=5,
    ),
    number(
        "Destinations",
        "1 when a destination takes deliveries, 0 when not; no value where none is configured.",
        "short",
        "pacs_destination_up",
        "{{destination}}",
        ONE_IS_WELL,
        span=4,
        height=5,
    ),
    number(
        "Alerts",
        "Alerts that fire now.",
        "short",
        'sum(ALERTS{alertstate="firing"}) or vector(0)',
        "",
        NONE_IS_WELL,
        span=4,
        height=5,
    ),
    number(
        "Targets down",
        "What Prometheus cannot scrape.",
        "short",
        "count(up == 0) or vector(0)",
        "",
        NONE_IS_WELL,
        span=4,
        height=5,
    ),
    share(
        "Disk in use",
        "Of the disk that Orthanc stores on.",
        "1 - pacs_disk_free_bytes / pacs_disk_size_bytes",
        ((None, "green"), (0.8, "yellow"), (0.95, "red")),
    ),
    share(
        "Memory in use",
        "Of this machine.",
        "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
        ((None, "green"), (0.85, "yellow"), (0.95, "red")),
    ),
    share(
        "Processor in use",
        "Of this machine, over five minutes.",
        '1 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m]))',
        ((None, "green"), (0.8, "yellow"), (0.95, "red")),
    ),
    share(
        "Errors of the API",
        "Share of the answers of /api that were the server's fault.",
        "pacs_http_errors:ratio_rate5m or vector(0)",
        ((None, "green"), (0.01, "yellow"), (0.05, "red")),
    ),
    lines(
        "Instances received",
        "Per second.",
        "ops",
        ("sum(rate(pacs_instances_received_total[$__rate_interval]))", "received"),
        span=8,
    ),
    lines(
        "Response time of the API",
        "99 of 100 answers come sooner.",
        "s",
        (f"histogram_quantile(0.99, sum by (le) (rate({DURATION}_bucket[$__rate_interval])))", "p99"),
        span=8,
    ),
    lines(
        "Waiting", "Structure sets that wait.", "short", ('pacs_extraction_queue{state="pending"}', "pending"), span=8
    ),
    lines(
        "Database",
        "Connections, and the size of the database.",
        "short",
        ('sum(pg_stat_database_numbackends{datname="pacs"})', "connections"),
        span=8,
    ),
    lines("Size of the database", "On disk.", "bytes", ('pg_database_size_bytes{datname="pacs"}', "pacs"), span=8),
    lines(
        "Doors",
        "Requests per second at each door.",
        "reqps",
        ("rate(nginx_http_requests_total[$__rate_interval])", "{{addr}}"),
        span=8,
    ),
    alerts("Firing", "What fires now: a click leads to its runbook.", span=12),
    lines(
        "Deliveries under way",
        "Deliveries that wait or run, and those that failed and wait for somebody.",
        "short",
        ('sum by (destination) (pacs_deliveries{state=~"waiting|sending|verifying"})', "{{destination}} under way"),
        ('sum by (destination) (pacs_deliveries{state="failed"})', "{{destination}} failed"),
    ),
]
