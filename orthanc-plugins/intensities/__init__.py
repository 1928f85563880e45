"""What the images show within each structure: statistics by IBSI names, and a histogram."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host.plugin import Host, Plugin


def create(host: Host) -> Plugin:
    """Statistics are computed by the workers when they are asked for."""
    # Not above: workers import this package for its engine, and need no web framework for that.
    from host.plugin import Plugin
    from intensities.routes import create_router
    from intensities.service import IntensityService

    host.workers.preload("intensities.measuring")
    return Plugin("intensities", create_router(IntensityService(host)))
