"""What Grafana and the database's exporter may see: views without patients, and two roles that read nothing else.

PostgreSQL only. Made anew at every start, so that a view follows its tables through every migration.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from store.database import MIGRATION_LOCK, REPORTING_SCHEMA, SCHEMA, Database

logger = logging.getLogger("pacs.store")

#: View → its query. No name, identifier or UID of a patient, study or instance stands in any of them.
VIEWS: Mapping[str, str] = {
    "study": f"""
        SELECT arrived_at, institution, modalities, series_count, instance_count, size_bytes
        FROM {SCHEMA}.study
    """,
    "series": f"""
        SELECT study.arrived_at, series.modality, series.station, series.manufacturer, series.body_part,
               series.instance_count, series.size_bytes
        FROM {SCHEMA}.series JOIN {SCHEMA}.study ON study.orthanc_id = series.study_orthanc_id
    """,
    "structure": f"""
        SELECT extraction.finished_at AS extracted_at, structure.name, structure.interpreted_type,
               structure.contour_count, structure.point_count, structure.volume_cm3, structure.warning_count
        FROM {SCHEMA}.structure JOIN {SCHEMA}.extraction ON extraction.orthanc_id = structure.orthanc_id
    """,
    "extraction": f"""
        SELECT state, attempts, enqueued_at, started_at, finished_at, duration_s,
               structure_count, contour_count, point_count
        FROM {SCHEMA}.extraction
    """,
    "delivery": f"""
        SELECT destination, state, by_hand, attempts, proof, instances_total, bytes_total,
               created_at, started_at, delivered_at, duration_s
        FROM {SCHEMA}.delivery
    """,
}


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the database, and what it may do."""

    name: str
    grants: tuple[str, ...]


#: May SELECT from the views and nothing else.
GRAFANA = Role(
    "grafana",
    (
        "GRANT USAGE ON SCHEMA {schema} TO {role}",
        "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
        "ALTER ROLE {role} SET search_path = {schema}",
        "ALTER ROLE {role} SET default_transaction_read_only = on",
        # A panel that nobody waits for any more must not hold the archive's database.
        "ALTER ROLE {role} SET statement_timeout = '15s'",
        # Compiling takes longer than any of the panels' queries.
        "ALTER ROLE {role} SET jit = off",
    ),
)
#: Sees PostgreSQL's own statistics, and no table.
EXPORTER = Role("exporter", ("GRANT pg_monitor TO {role}",))


def prepare(database: Database, grafana_password: str, exporter_password: str) -> None:
    """Make the views and both roles. PostgreSQL only; on SQLite nothing happens.

    Parameters
    ----------
    grafana_password, exporter_password
        Of the roles GRAFANA and EXPORTER; a role without a password is not made, or may no longer log in.
    """
    if database.dialect != "postgresql":
        return
    with database.begin() as connection:
        # The migrations' lock: several nodes may start at once.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {REPORTING_SCHEMA}"))
        for name, query in VIEWS.items():
            connection.exec_driver_sql(f"CREATE OR REPLACE VIEW {REPORTING_SCHEMA}.{name} AS {query}")
        for role, password in ((GRAFANA, grafana_password), (EXPORTER, exporter_password)):
            try:
                with connection.begin_nested():
                    _grant(connection, role, password)
            except DBAPIError as error:
                # The archive works without its statistics; whoever runs the database has to make the role.
                reason = type(error.orig).__name__
                logger.error("The database's role %s could not be made (%s): see docs/monitoring.md", role.name, reason)


def _grant(connection: Connection, role: Role, password: str) -> None:
    known = connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": role.name})
    if not password:
        if known:
            connection.execute(text(f"ALTER ROLE {role.name} NOLOGIN"))
        return
    if not known:
        connection.execute(text(f"CREATE ROLE {role.name}"))
    # ALTER ROLE takes no parameters: PostgreSQL itself quotes the password.
    quoted = connection.scalar(text("SELECT quote_literal(:password)"), {"password": password})
    connection.exec_driver_sql(f"ALTER ROLE {role.name} LOGIN PASSWORD {quoted}".replace("%", "%%"))
    for grant in role.grants:
        connection.execute(text(grant.format(schema=REPORTING_SCHEMA, role=role.name)))
