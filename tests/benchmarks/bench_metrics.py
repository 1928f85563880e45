"""What watching costs: a scrape of a large archive, the instrumentation of a route, the panels of Usage statistics."""

from __future__ import annotations

import json
import re
import statistics
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry
from sqlalchemy import Connection, make_url, text

from benchmarks.rows import Row, Runs, ms, repeat, timed
from benchmarks.servers import ROOT, postgres
from host.events import Events, RequestServed
from metrics.service import Metrics
from store import reporting
from store.database import SCHEMA, Database
from unit.archive_double import ArchiveDouble

STUDIES = 100_000
ROUTES = 100

#: 100,000 studies of ten instances in three series over a year; every fifth has a structure set of ten structures,
#: all were delivered.
FILL = f"""
SET search_path = {SCHEMA};
INSERT INTO study SELECT 'study-' || n, '1.2.' || n, 'patient-' || n / 3, 'name', NULL, NULL, '', '', '20260101',
    NULL, '', 'institution-' || n % 5, '\\CT\\RTSTRUCT\\', 3, 10, 5000000, now() - n * interval '5 minutes', now(),
    'patient-' || n / 3, 'name', '', '' FROM generate_series(1, {STUDIES}) AS n;
INSERT INTO series SELECT 'series-' || n, 'study-' || 1 + n % {STUDIES}, '1.3.' || n,
    (ARRAY['CT', 'MR', 'PT', 'RTSTRUCT', 'RTDOSE'])[1 + n % 5], 1, '', NULL, 'station-' || n % 40, '', '', 3, 1000000
    FROM generate_series(1, 3 * {STUDIES}) AS n;
INSERT INTO extraction SELECT 'instance-' || n, 'done', 1, 1, NULL, now() - n * interval '25 minutes', now(), now(),
    now() - n * interval '25 minutes', random() * 3, NULL, NULL, '1.4.' || n, '1.3', '1.2', '', 10, 500, n * 100
    FROM generate_series(1, {STUDIES} / 5) AS n;
INSERT INTO structure (orthanc_id, position, number, name, contour_count, point_count, plane_count, volume_cm3,
        warning_count)
    SELECT 'instance-' || 1 + n / 10, n % 10, n % 10, 'organ-' || n % 60, 50, 20000, 50, random() * 1000, 0
    FROM generate_series(0, {STUDIES} * 2 - 1) AS n;
INSERT INTO delivery (study_orthanc_id, destination, digest, instances, by_hand, state, attempts, proof,
        study_instance_uid, patient_id, patient_name, study_description, folded, instances_total, instances_sent,
        bytes_total, created_at, next_try_at, started_at, delivered_at, duration_s)
    SELECT 'study-' || n, 'dcm4chee', n, '', false, 'delivered', 1, 'c_find', '1.2.' || n, '', '', '', '', 10, 10,
    5000000, arrived, arrived, arrived, arrived, 3
    FROM (SELECT n, now() - n * interval '5 minutes' AS arrived FROM generate_series(1, {STUDIES}) AS n) AS studies;
ANALYZE;
"""


def rows(runs: Runs) -> Iterator[Row]:
    """PostgreSQL as the stack has it, filled by SQL."""
    with postgres() as url, tempfile.TemporaryDirectory() as folder:
        database = Database(url)
        database.migrate()
        reporting.prepare(database, "grafana", "")
        with database.begin() as connection:
            for statement in filter(str.strip, FILL.replace("%", "%%").split(";\n")):
                connection.exec_driver_sql(statement)
        yield from _scrape(database, Path(folder), runs)
        # As Grafana does: its role has settings of its own.
        grafana = Database(make_url(url).set(username="grafana", password="grafana").render_as_string(False))
        yield from _panels(grafana, runs)
        grafana.dispose()
        database.dispose()


def _scrape(database: Database, folder: Path, runs: Runs) -> Iterator[Row]:
    events = Events()
    service = Metrics(CollectorRegistry(auto_describe=True), ArchiveDouble(events), database, folder)
    routes = [f"/api/route-{number}/{{identifier}}" for number in range(ROUTES)]
    served = [RequestServed("GET", route, 200, 0.01, "admin") for route in routes]
    idle = [timed(lambda: [events.request_served.publish(each) for each in served]) for _ in range(runs.of(50))]
    events.request_served.subscribe(service.on_request)
    counted = [timed(lambda: [events.request_served.publish(each) for each in served]) for _ in range(runs.of(50))]
    cost_s = (statistics.median(counted) - statistics.median(idle)) / ROUTES
    seconds = repeat(service.exposition, runs.of(50))
    size = len(service.exposition())
    yield Row(
        f"scrape of `/api/metrics`, 1 M instances, {ROUTES} routes",
        f"{ms(statistics.median(seconds))}, {size / 1000:.0f} kB",
        "≤ 20 ms, ≤ 200 kB",
        f"median of {len(seconds)}; {STUDIES // 5:,} structure sets on PostgreSQL, without Orthanc's own `/statistics`",
    )
    yield Row(
        "instrumentation of a route",
        f"{cost_s * 1e6:.1f} µs, {cost_s / 0.001:.1%} of the quickest route's 1 ms",
        "≤ 5 %",
        "counting and timing one answer",
    )


def _panels(database: Database, runs: Runs) -> Iterator[Row]:
    board = json.loads((ROOT / "observability/grafana/dashboards/usage.json").read_text())
    slowest = (0.0, "")
    for panel in board["panels"]:
        for target in panel["targets"]:
            if "rawSql" not in target:
                continue
            statement = expand(target["rawSql"])
            with database.begin() as connection:
                connection.execute(text("SET LOCAL search_path = reporting"))
                seconds = statistics.median(repeat(partial(_execute, connection, statement), runs.of(7)))
            slowest = max(slowest, (seconds, panel["title"]))
    yield Row(
        f"slowest panel of Usage statistics, {STUDIES:,} studies",
        ms(slowest[0]),
        "≤ 200 ms",
        f"{slowest[1]}; a year, median of {runs.of(7)}",
    )


def _execute(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement.replace("%", "%%")).all()


def expand(statement: str) -> str:
    """Grafana's macros over the whole of what is held."""
    statement = re.sub(r"\$__timeFilter\((\w+)\)", r"\1 BETWEEN now() - interval '1 year' AND now()", statement)
    statement = re.sub(r"\$__timeGroup\((\w+), '1d'\)", r"date_trunc('day', \1)", statement)
    return statement.replace("$modality", "'CT', 'MR', 'PT', 'RTSTRUCT', 'RTDOSE'")
