"""Volumes by every named method over REST, contours combined as asked, gaps filled on request."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host.plugin import Host, Plugin


def create(host: Host) -> Plugin:
    """Measured by the workers when asked for."""
    # Not above: workers import this package for its engine, and need no web framework for that.
    from host.plugin import Plugin
    from volumes.routes import create_router

    host.workers.preload("volumes.engine")
    return Plugin("volumes", create_router(host.computations, host.sources))
