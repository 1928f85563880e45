"""Progress resources: what is being computed, how far it is, its answer, and how to give it up."""

from __future__ import annotations

from computing.routes import create_router
from host.plugin import Host, Plugin


def create(host: Host) -> Plugin:
    """Show what ``host.computations`` does; it runs with the server."""
    return Plugin("computing", create_router(host.computations))
