"""What the images show within each structure: statistics by IBSI names, and a histogram."""

from __future__ import annotations

from host.plugin import Host, Plugin
from intensities.routes import create_router
from intensities.service import IntensityService


def create(host: Host) -> Plugin:
    """Statistics are computed by the workers when they are asked for."""
    host.workers.preload("intensities.measuring")
    return Plugin("intensities", create_router(IntensityService(host)))
