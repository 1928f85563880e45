"""What a plugin is, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fastapi import APIRouter
from prometheus_client import CollectorRegistry

from host.archive import Archive
from host.computations import Computations
from host.events import Events
from host.lifecycle import Background
from host.settings import Settings
from host.sources import Sources
from host.workers import WorkerPool
from store.database import Database


@dataclass(frozen=True)
class Host:
    """Everything a plugin may use."""

    settings: Settings
    archive: Archive
    database: Database
    events: Events
    workers: WorkerPool
    #: Metrics that a plugin registers here appear in ``/api/metrics``.
    metrics: CollectorRegistry = field(default_factory=lambda: CollectorRegistry(auto_describe=True))
    #: Orthanc's own, all files of it: for sections that belong to a plugin (host.configuration).
    configuration: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def computations(self) -> Computations:
        """Answers that take a while, computed by the workers and kept with their instance."""
        return Computations(self.archive, self.workers, self.metrics, self.settings.extraction_workers)

    @cached_property
    def sources(self) -> Sources:
        """Structure sets, images and doses, found in the archive."""
        return Sources(self.archive, self.workers)


@dataclass(frozen=True)
class Plugin:
    """One plugin: its routes, mounted under ``/api``, what it runs beside them, what it adds to Explorer."""

    name: str
    router: APIRouter | None = None
    background: Sequence[Background] = ()
    #: JavaScript that Orthanc Explorer runs when it starts; jQuery Mobile 1.1 and what Explorer defines are there.
    explorer_script: str = ""


CreatePlugin = Callable[[Host], Plugin]
