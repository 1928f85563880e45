"""The FastAPI application: every plugin's routes under ``/api``, one shape of errors, a request id in every answer."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Sequence

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel, ConfigDict
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from host import access, problems
from host.events import Events, RequestServed
from host.log import request_id
from host.plugin import Plugin

VERSION = "0.1.0"

_DESCRIPTION = """
Imaging for radiotherapy, inside Orthanc. Lengths are in mm, areas in mm², volumes in cm³, times in seconds; positions
are in the patient coordinate system of DICOM (LPS). Errors are problem details (RFC 9457) with a `remedy`.

Multipart uploads work through the door on port 8000 only; on Orthanc's own port send the file or ZIP as the raw body.
"""


class Routes(BaseModel):
    """What this server can be asked."""

    model_config = ConfigDict(frozen=True)

    paths: list[str]


def create_application(plugins: Sequence[Plugin], events: Events) -> FastAPI:
    """The application with the routes of ``plugins``."""
    app = FastAPIOffline(
        docs_url="/api/docs",
        redoc_url=None,
        static_url="/api/docs/assets",
        title="PACS API",
        version=VERSION,
        description=_DESCRIPTION,
        openapi_url="/api/openapi.json",
        swagger_ui_oauth2_redirect_url="/api/docs/oauth2-redirect",
    )
    problems.install(app)
    for plugin in plugins:
        if plugin.router is not None:
            app.include_router(plugin.router, prefix="/api")

    @app.get("/api/routes", tags=["status"])
    def routes() -> Routes:
        """The paths of this server's routes, as the OpenAPI document writes them: what its plugins can do, in 2 kB."""
        return Routes(paths=list(app.openapi()["paths"]))

    app.add_middleware(_RequestContext, events=events)
    return app


#: What a client may call its request; anything else is replaced, so that no log line can be forged.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class _RequestContext:
    """Gives each request its id and reports it as served."""

    def __init__(self, app: ASGIApp, events: Events) -> None:
        self._app = app
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        asked = headers.get("x-request-id", "")
        identifier = asked if _REQUEST_ID.fullmatch(asked) else uuid.uuid4().hex
        token = request_id.set(identifier)
        started = time.perf_counter()
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = identifier
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            # Here and not in a handler of FastAPI's, which would run after the request has lost its id.
            await problems.failure(scope["method"], scope["path"], error)(scope, receive, send_with_id)
        finally:
            duration_s = time.perf_counter() - started
            account = access.account_of(headers.get("authorization"))
            served = RequestServed(scope["method"], _route(scope), status, duration_s, account)
            self._events.request_served.publish(served)
            request_id.reset(token)


def _route(scope: Scope) -> str:
    # The template, never the path: metrics must not grow with the identifiers that people ask for.
    route = scope.get("route")
    path = getattr(route, "path_format", None) or getattr(route, "path", None)
    if path is None:
        return "unknown"
    return path if path.startswith("/api") else f"/api{path}"
