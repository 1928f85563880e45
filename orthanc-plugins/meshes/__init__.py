"""Structures as closed surfaces over REST: STL, OBJ and GLB, and how large they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host.plugin import Host, Plugin


def create(host: Host) -> Plugin:
    """Meshes are made by the workers when they are asked for."""
    # Not above: workers import this package for its engine, and need no web framework for that.
    from host.plugin import Plugin
    from meshes.routes import create_router

    host.workers.preload("meshes.engine")
    return Plugin("meshes", create_router(host.computations, host.sources))
