"""Dose-volume histograms over REST: of any structure in any dose that is held, beside those stored in the dose."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host.plugin import Host, Plugin


def create(host: Host) -> Plugin:
    """Answer ``/dvh`` and ``/dvh.csv`` of a structure set."""
    # Not above: workers import this package for its engine, and need no web framework for that.
    from dose.routes import create_router
    from host.plugin import Plugin

    host.workers.preload("dose.engine")
    return Plugin("dose", create_router(host.computations, host.sources))
