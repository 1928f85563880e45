"""A structure set at a glance: one table, one page."""

from __future__ import annotations

from host.plugin import Host, Plugin
from report.routes import create_router


def create(host: Host) -> Plugin:
    """Answer ``/table.csv`` and ``/report.html`` of a structure set."""
    host.workers.preload("report.document")
    return Plugin("report", create_router(host))
