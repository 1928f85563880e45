"""A structure set at a glance: one table, one page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host.plugin import Host, Plugin


def create(host: Host) -> Plugin:
    """Answer ``/table.csv`` and ``/report.html`` of a structure set."""
    # Not above: workers import this package for its engine, and need no web framework for that.
    from host.plugin import Plugin
    from report.routes import create_router

    host.workers.preload("report.document")
    return Plugin("report", create_router(host))
