"""Who is behind a pseudonym, for administrators alone: JSON and CSV."""

from __future__ import annotations

from crosswalk.routes import create_router
from crosswalk.service import CrosswalkReader
from host.plugin import Host, Plugin


def create(host: Host) -> Plugin:
    """Answer ``/crosswalk``; `host.access` keeps everybody but administrators away from it."""
    return Plugin("crosswalk", create_router(CrosswalkReader(host.database, host.settings.crosswalk_key)))
