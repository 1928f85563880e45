"""Writes the dashboards' JSON: ``python observability/grafana/build.py``. A test compares the files with its output.

Grafana shows one title for all languages: titles are English, and each dashboard's description is in French, too.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

sys.path.insert(0, str(Path(__file__).parent))
from panels import (
    NONE_IS_WELL,
    ONE_IS_WELL,
    POSTGRES,
    PROMETHEUS,
    Panel,
    bars,
    between_dashboards,
    lines,
    link,
    number,
    ranking,
    rows,
    share,
    sql_number,
)

FOLDER = Path(__file__).parent / "dashboards"
#: Grafana cannot know under which name a browser reaches the machine: change it where that is not localhost.
DASHBOARD_URL = "http://localhost:3000"
ROUTES = 'route=~"$route"'
DURATION = "pacs_http_request_duration_seconds"


def new(uid: str, title: str, description: str, since: str = "now-24h", refresh: str = "30s") -> Any:
    """A dashboard with what all have in common."""
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["pacs"])
        .time(since, "now")
        .refresh(refresh)
        .timezone("browser")
        .readonly()
        .link(between_dashboards())
        .link(link("PACS dashboard", DASHBOARD_URL))
    )


def quantile(q: float) -> str:
    return f"histogram_quantile({q}, sum by (le) (rate({DURATION}_bucket{{{ROUTES}}}[$__rate_interval])))"


ORTHANC: list[Panel] = [
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
]

DCM4CHEE: list[Panel] = [
    number(
        "Archive",
        "1 when DCM4CHEE answers, 0 when not; no value while it is not part of the stack.",
        "short",
        'pacs_service_up{service="dcm4chee"}',
        steps=ONE_IS_WELL,
        span=12,
    ),
    number(
        "Answers in",
        "How long its last successful probe took.",
        "s",
        'pacs_service_probe_duration_seconds{service="dcm4chee"}',
        span=12,
    ),
    lines(
        "Memory of WildFly",
        "Heap in use and the most it may take.",
        "bytes",
        ('base_memory_usedHeap_bytes{job="dcm4chee"}', "used"),
        ('base_memory_maxHeap_bytes{job="dcm4chee"}', "limit"),
    ),
    lines("Threads of WildFly", "Threads alive.", "short", ('base_thread_count{job="dcm4chee"}', "threads")),
]

PERIOD = "$__timeFilter({})"
USAGE: list[Panel] = [
    sql_number(
        "Studies",
        "Studies that arrived in the period shown.",
        "short",
        f"SELECT count(*) AS studies FROM study WHERE {PERIOD.format('arrived_at')}",
        span=6,
    ),
    sql_number(
        "Instances",
        "Instances of the studies that arrived in the period shown.",
        "short",
        f"SELECT coalesce(sum(instance_count), 0) AS instances FROM study WHERE {PERIOD.format('arrived_at')}",
        span=6,
    ),
    sql_number(
        "Stored",
        "What the studies that arrived in the period shown take on disk.",
        "bytes",
        f"SELECT coalesce(sum(size_bytes), 0) AS bytes FROM study WHERE {PERIOD.format('arrived_at')}",
        span=6,
    ),
    sql_number(
        "Structures",
        "Structures extracted in the period shown.",
        "short",
        f"SELECT count(*) AS structures FROM structure WHERE {PERIOD.format('extracted_at')}",
        span=6,
    ),
    bars(
        "Studies per day",
        "Studies by the day on which they arrived.",
        "short",
        "SELECT $__timeGroup(arrived_at, '1d') AS time, count(*) AS studies FROM study"
        f" WHERE {PERIOD.format('arrived_at')} GROUP BY 1 ORDER BY 1",
    ),
    bars(
        "Series per day, by modality",
        "Series by the day on which their study arrived.",
        "short",
        "SELECT $__timeGroup(arrived_at, '1d') AS time, modality AS metric, count(*) AS series FROM series"
        f" WHERE {PERIOD.format('arrived_at')} AND modality IN ($modality) GROUP BY 1, 2 ORDER BY 1, 2",
    ),
    ranking(
        "Modalities",
        "Series of the period shown, by modality.",
        "short",
        f"SELECT modality, count(*) AS series FROM series WHERE {PERIOD.format('arrived_at')}"
        " GROUP BY 1 ORDER BY 2 DESC LIMIT 20",
    ),
    ranking(
        "Stations",
        "Series of the period shown, by the station that made them.",
        "short",
        "SELECT coalesce(nullif(station, ''), 'not named') AS station, count(*) AS series FROM series"
        f" WHERE {PERIOD.format('arrived_at')} AND modality IN ($modality) GROUP BY 1 ORDER BY 2 DESC LIMIT 20",
    ),
    bars(
        "Structures per day",
        "Structures by the day of their extraction.",
        "short",
        "SELECT $__timeGroup(extracted_at, '1d') AS time, count(*) AS structures FROM structure"
        f" WHERE {PERIOD.format('extracted_at')} GROUP BY 1 ORDER BY 1",
    ),
    rows(
        "Structure volumes across the cohort",
        "The most frequent structures of the period shown, volumes in cm³.",
        # The volumes are collected by hash, on several processors, and each name's are sorted alone: half the time of
        # sorting all of them by name.
        "SELECT name, structures, round(min_cm3::numeric, 1) AS min_cm3,"
        " round((SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY cm3) FROM unnest(volumes) AS cm3)::numeric, 1)"
        " AS median_cm3, round(max_cm3::numeric, 1) AS max_cm3"
        " FROM (SELECT name, count(*) AS structures, min(volume_cm3) AS min_cm3, max(volume_cm3) AS max_cm3,"
        " array_agg(volume_cm3) AS volumes"
        f" FROM structure WHERE {PERIOD.format('extracted_at')} GROUP BY name ORDER BY 2 DESC, 1 LIMIT 50) AS named"
        " ORDER BY 2 DESC, 1",
    ),
    rows(
        "Extraction times",
        "Seconds, by size of the structure set; of the period shown.",
        "SELECT CASE WHEN point_count < 10000 THEN '< 10 000 points' WHEN point_count < 100000 THEN '< 100 000 points'"
        " WHEN point_count < 1000000 THEN '< 1 000 000 points' ELSE 'larger' END AS size, count(*) AS structure_sets,"
        " round(percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_s)::numeric, 2) AS p50_s,"
        " round(percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_s)::numeric, 2) AS p95_s"
        f" FROM extraction WHERE state = 'done' AND {PERIOD.format('finished_at')}"
        " GROUP BY 1 ORDER BY min(point_count)",
    ),
    lines(
        "Users of the API",
        "Requests of /api per second, by route.",
        "reqps",
        (f"sum by (route) (rate({DURATION}_count[$__rate_interval]))", "{{route}}"),
    ),
]

PLATFORM: list[Panel] = [
    number(
        "Services",
        "1 when a service is up, 0 when it is degraded or down.",
        "short",
        "pacs_service_up",
        "{{service}}",
        ONE_IS_WELL,
        span=16,
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
]


def dashboards() -> dict[str, Any]:
    """File name → dashboard."""
    route = (
        dashboard.QueryVariable("route")
        .label("Route")
        .datasource(PROMETHEUS)
        .query({"query": f"label_values({DURATION}_count, route)", "refId": "route"})
        .include_all(True)
        .all_value(".*")
        .multi(True)
    )
    modality = (
        dashboard.QueryVariable("modality")
        .label("Modality")
        .datasource(POSTGRES)
        .query("SELECT DISTINCT modality FROM series ORDER BY 1")
        .include_all(True)
        .multi(True)
    )
    orthanc = new(
        "pacs-orthanc", "Orthanc", "What Orthanc and its plugins hold and do. — Ce que contient et fait Orthanc."
    )
    dcm4chee = new("pacs-dcm4chee", "DCM4CHEE", "The archive behind Orthanc. — L'archive derrière Orthanc.")
    usage = new(
        "pacs-usage",
        "Usage statistics",
        "Who sends what, and what is in it. — Qui envoie quoi, et ce qu'il contient.",
        since="now-90d",
        refresh="5m",
    )
    platform = new(
        "pacs-platform",
        "Platform",
        "Everything on one screen, for a wall. — Tout sur un écran, pour un mur.",
        since="now-6h",
    )
    made = {
        "orthanc": (orthanc.with_variable(route), ORTHANC),
        "dcm4chee": (dcm4chee, DCM4CHEE),
        "usage": (usage.with_variable(modality), USAGE),
        "platform": (platform, PLATFORM),
    }
    for board, panels in made.values():
        for panel in panels:
            board.with_panel(panel)
    return {f"{name}.json": board.build() for name, (board, _) in made.items()}


def encoded(board: Any) -> str:
    """The JSON that Grafana reads."""
    plain = json.loads(JSONEncoder(sort_keys=True).encode(board))
    return json.dumps(_without_nulls(plain), indent=2, ensure_ascii=False) + "\n"


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


if __name__ == "__main__":
    for name, board in dashboards().items():
        (FOLDER / name).write_text(encoded(board), encoding="utf-8")
