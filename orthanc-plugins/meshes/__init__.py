"""Structures as closed surfaces over REST: STL, OBJ and GLB, and how large they are."""

from __future__ import annotations

from host.plugin import Host, Plugin
from meshes.routes import create_router


def create(host: Host) -> Plugin:
    """Meshes are made by the workers when they are asked for."""
    host.workers.preload("meshes.engine")
    return Plugin("meshes", create_router(host.computations, host.sources))
