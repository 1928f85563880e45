"""Volumes by every named method over REST, contours combined as asked, gaps filled on request."""

from __future__ import annotations

from host.plugin import Host, Plugin
from volumes.routes import create_router


def create(host: Host) -> Plugin:
    """Measured by the workers when asked for."""
    host.workers.preload("volumes.engine")
    return Plugin("volumes", create_router(host.computations, host.sources))
