"""All structures of all structure sets as one table: by name, TG-263 name, volume, date; JSON and CSV."""

from __future__ import annotations

from cohort.routes import create_router
from cohort.service import Cohort
from host.plugin import Host, Plugin


def create(host: Host) -> Plugin:
    """Answer ``/structures``, and bring the suggested names up to date once after each start."""
    cohort = Cohort(host.database, host.settings.synonyms)
    return Plugin("cohort", create_router(cohort), (cohort.names_keeper,))
