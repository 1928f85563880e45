"""The plugins' life inside Orthanc: what is registered, and what starts and stops when.

The rules that keep the server alive are written where they apply. Measured on Orthanc 1.13 with its Python plugin 7.1.
"""

from __future__ import annotations

import atexit
import json
import logging
import threading
from collections.abc import Sequence
from typing import Any

import orthanc

from host import access, log
from host.application import create_application
from host.bridge import Bridge, RestOutput
from host.events import Events, InstanceStored, Level, ResourceDeleted, StudyStable
from host.lifecycle import Background
from host.orthanc_archive import OrthancArchive
from host.plugin import CreatePlugin, Host
from host.settings import Settings
from host.workers import WorkerPool
from store import reporting
from store.database import Database

logger = logging.getLogger("pacs")

#: ``docker stop`` kills after ten seconds.
_LONGEST_STOP_S = 8.0
_LEVELS: dict[int, Level] = {
    orthanc.ResourceType.PATIENT: "patient",
    orthanc.ResourceType.STUDY: "study",
    orthanc.ResourceType.SERIES: "series",
    orthanc.ResourceType.INSTANCE: "instance",
}
_METHODS = {
    orthanc.HttpMethod.GET: "GET",
    orthanc.HttpMethod.POST: "POST",
    orthanc.HttpMethod.PUT: "PUT",
    orthanc.HttpMethod.DELETE: "DELETE",
}


class Server:
    """All plugins, in one Orthanc.

    Its methods are what Orthanc calls. Orthanc keeps no reference to a function that it was given and crashes at
    shutdown when one is gone: the bound methods are kept in ``self._callbacks``, and the server in ``main``.
    """

    def __init__(self, settings: Settings, creators: Sequence[CreatePlugin]) -> None:
        self._settings = settings
        self._events = Events()
        self._database = Database(settings.database_url)
        self._database.migrate()
        reporting.prepare(self._database, settings.grafana_database_password, settings.exporter_database_password)
        # One more than computations can occupy: structure sets that arrive are extracted meanwhile.
        workers = WorkerPool(settings.extraction_workers + 1, settings.extraction_timeout_s)
        configuration = json.loads(orthanc.GetConfiguration())
        host = Host(settings, OrthancArchive(), self._database, self._events, workers, configuration=configuration)
        plugins = [create(host) for create in creators]
        self._bridge = Bridge(create_application(plugins, self._events))
        # The bridge starts last and ends first: routes may use whatever else runs.
        background = [part for plugin in plugins for part in plugin.background]
        self._background: list[Background] = [workers, host.computations, *background, self._bridge]
        # Each in a scope of its own: Orthanc takes one script for all.
        self._explorer_script = "\n".join(
            f"(function () {{\n{plugin.explorer_script}\n}})();" for plugin in plugins if plugin.explorer_script
        )
        self._started = False
        self._callbacks = (self._serve, self._refuse_reset, self._filter, self._on_stored, self._on_change)

    def register(self) -> None:
        """Register everything with Orthanc; allowed only while it loads the script."""
        serve, refuse_reset, filter_request, on_stored, on_change = self._callbacks
        orthanc.RegisterRestCallback("/api(/.*)?", serve)
        orthanc.RegisterRestCallback("/tools/reset", refuse_reset)
        orthanc.RegisterIncomingHttpRequestFilter(filter_request)
        orthanc.RegisterOnStoredInstanceCallback(on_stored)
        orthanc.RegisterOnChangeCallback(on_change)
        if self._explorer_script:
            orthanc.ExtendOrthancExplorer(self._explorer_script)

    def _serve(self, output: RestOutput, uri: str, **request: Any) -> None:
        self._bridge.handle(output, uri, **request)

    def _refuse_reset(self, output: RestOutput, _uri: str, **_request: Any) -> None:
        # Reloading the interpreter after a native module was imported kills the process.
        output.SendHttpStatus(403, b"Restart the container instead: ./pacs down && ./pacs up")

    def _filter(self, uri: str, **request: Any) -> bool:
        headers = request.get("headers") or {}
        method = _METHODS.get(request["method"], "?")
        if not access.is_allowed(method, uri, headers.get("authorization")):
            return False
        if method == "POST" and uri.startswith("/api/") and _is_multipart(headers):
            # Orthanc would call the route once per part and answer 200 with an empty body, whatever happened.
            logger.warning("A multipart POST to %s was refused: send it to the door on port 8000", uri)
            return False
        return True

    def _on_stored(self, instance: Any, orthanc_id: str) -> None:
        # Inside the store, under one lock for all modalities: nothing slow, and the instance is not kept.
        sop_class_uid = instance.GetInstanceMetadata("SopClassUid") or ""
        self._events.instance_stored.publish(InstanceStored(orthanc_id, sop_class_uid))

    def _on_change(self, change: int, level: int, identifier: str) -> None:
        if change == orthanc.ChangeType.DELETED:
            self._events.resource_deleted.publish(ResourceDeleted(_LEVELS[level], identifier))
        elif change == orthanc.ChangeType.ORTHANC_STARTED:
            self._start()
        elif change == orthanc.ChangeType.ORTHANC_STOPPED:
            self._stop()
        elif change == orthanc.ChangeType.STABLE_STUDY:
            self._events.study_stable.publish(StudyStable(identifier))
            self._events.changed.publish(None)
        elif level in _LEVELS:
            self._events.changed.publish(None)

    def _start(self) -> None:
        try:
            self._assert_database()
            for part in self._background:
                part.start()
        except Exception:
            logger.critical("The plugins cannot start, so Orthanc stops", exc_info=True)
            log.end_process(1)
        self._started = True
        logger.info("The plugins run; the routes are at /api/docs")

    def _stop(self) -> None:
        if not self._started:
            return
        _end_in_time()
        for part in reversed(self._background):
            part.stop()
        for part in reversed(self._background):
            part.join()
        self._database.dispose()
        # Changes that Orthanc emits from now on, by stores still under way, stay in a queue of its Python plugin that
        # is torn down after the interpreter: the heap is corrupted, the exit code 134 (measured with 7.1). So the
        # process ends where the interpreter would: HTTP, DICOM, jobs and the database plugins have stopped by then.
        atexit.register(log.end_process, 0)
        logger.info("The plugins have stopped")

    def _assert_database(self) -> None:
        """Refuse to run on a database other than the configured one: Orthanc falls back to SQLite in silence."""
        backend = json.loads(orthanc.RestApiGet("/system"))["DatabaseBackendPlugin"]
        if self._settings.postgres is not None and not backend:
            raise RuntimeError(
                "PostgreSQL is configured (PACS_POSTGRES_HOST), but Orthanc runs on SQLite. Its PostgreSQL plugin was "
                'not loaded: look for its error above, and at "Plugins" and "PostgreSQL" in the configuration.'
            )


def _end_in_time() -> None:
    """End the process when it does not end by itself: a peer that hangs holds Orthanc's calls and jobs for a minute.

    Nothing is lost by it: whatever counts is written before it is begun, as for a kill -9.
    """

    def end() -> None:
        logger.warning("The server ends without waiting any longer for what it does: a peer may hang")
        log.end_process(0)

    timer = threading.Timer(_LONGEST_STOP_S, end)
    timer.daemon = True
    timer.start()


def _is_multipart(headers: dict[str, str]) -> bool:
    return headers.get("content-type", "").lower().startswith("multipart/form-data")
