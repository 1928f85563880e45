"""Structure sets held against each other over REST, and the consensus of several structures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host.plugin import Host, Plugin


def create(host: Host) -> Plugin:
    """Comparisons are computed by the workers when they are asked for."""
    # Not above: workers import this package for its engine, and need no web framework for that.
    from comparison.routes import create_router
    from host.plugin import Plugin

    host.workers.preload("comparison.engine")
    return Plugin("comparison", create_router(host.computations, host.sources, host.settings.synonyms))
