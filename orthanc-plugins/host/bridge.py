"""The one bridge between Orthanc's REST callback and the ASGI application.

What Orthanc cannot carry, it cannot carry here either: of repeated query arguments only the last arrives, and those of
a POST, PUT or DELETE not at all, unless a door repeats them in ``X-Query-String``; a HEAD, OPTIONS or PATCH never gets
here; a POST of ``multipart/form-data`` arrives in parts and is refused before (see ``host.server``). Orthanc gives
``text/plain`` to every answer whose status is not 200 and doubles the header if one is set: the true type then travels
in ``X-Content-Type``, from which the door on port 8000 restores it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal

logger = logging.getLogger("pacs.bridge")

Message = MutableMapping[str, Any]
AsgiApplication = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]

#: Orthanc writes these itself.
_WRITTEN_BY_ORTHANC = frozenset({"content-length", "content-type", "connection", "transfer-encoding", "keep-alive"})


class RestOutput(Protocol):
    """The part of ``orthanc.RestOutput`` that an answer needs."""

    def AnswerBuffer(self, body: bytes, content_type: str) -> None: ...
    def SendHttpStatus(self, status: int, body: bytes) -> None: ...
    def SendMethodNotAllowed(self, allowed: str) -> None: ...
    def SetHttpHeader(self, name: str, value: str) -> None: ...


class Bridge:
    """Calls an ASGI application for Orthanc's HTTP threads.

    Parameters
    ----------
    app
        The application; its routes see the full path, such as ``/api/status``.
    """

    def __init__(self, app: AsgiApplication) -> None:
        self._app = app
        self._portal_context: AbstractContextManager[BlockingPortal] | None = None
        self._portal: BlockingPortal | None = None

    def start(self) -> None:
        """Start the event loop's thread."""
        self._portal_context = start_blocking_portal()
        self._portal = self._portal_context.__enter__()

    def stop(self) -> None:
        """Answer 503 from now on."""
        self._portal = None

    def join(self) -> None:
        """Wait for the requests under way and end the event loop's thread."""
        if self._portal_context is not None:
            self._portal_context.__exit__(None, None, None)

    def handle(self, output: RestOutput, uri: str, **request: Any) -> None:
        """Answer one of Orthanc's REST callbacks."""
        portal = self._portal
        if portal is None:
            output.SetHttpHeader("Retry-After", "5")
            output.SendHttpStatus(503, b"The server is starting or stopping; try again in some seconds.")
            return
        status, headers, body = portal.call(self._call, uri, request)
        _answer(output, status, headers, body)

    async def _call(self, uri: str, request: Mapping[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
        received = False
        status = 500
        headers: list[tuple[str, str]] = []
        chunks: list[bytes] = []

        async def receive() -> Message:
            nonlocal received
            if received:
                # What a client that hangs up would send; Orthanc does not tell, and an answer must not be cut short.
                await anyio.sleep_forever()
            received = True
            return {"type": "http.request", "body": request.get("body") or b"", "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
            elif message["type"] == "http.response.body":
                chunks.append(message.get("body", b""))

        try:
            await self._app(_scope(uri, request), receive, send)
        except Exception:
            # The application answers its own failures: this is the failure to do so.
            logger.exception("%s %s ended without an answer", request["method"], uri)
            return 500, [], b""
        return status, headers, chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _scope(uri: str, request: Mapping[str, Any]) -> MutableMapping[str, Any]:
    headers = request.get("headers") or {}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request["method"],
        "scheme": headers.get("x-forwarded-proto", "http"),
        "path": uri,
        "raw_path": quote(uri).encode("ascii"),
        "query_string": _query_string(request, headers),
        "root_path": "",
        "headers": [(name.lower().encode("latin-1"), _header_bytes(value)) for name, value in headers.items()],
        "client": None,
        "server": None,
        "state": {},
    }


def _query_string(request: Mapping[str, Any], headers: Mapping[str, str]) -> bytes:
    # Orthanc gives the arguments of a GET alone. For the others the door sends along what the client has written.
    if request["method"] != "GET" and not request.get("get"):
        return headers.get("x-query-string", "").encode("utf-8", "surrogateescape")
    return urlencode(request.get("get") or {}).encode("ascii")


def _header_bytes(value: str) -> bytes:
    # Orthanc hands headers over as text decoded from UTF-8; HTTP itself knows bytes only.
    return value.encode("utf-8", "surrogateescape")


def _answer(output: RestOutput, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    content_type = "application/octet-stream"
    for name, value in headers:
        if name.lower() == "content-type":
            content_type = value
        if name.lower() not in _WRITTEN_BY_ORTHANC and not (status == 405 and name.lower() == "allow"):
            output.SetHttpHeader(name, value)
    if status == 200:
        output.AnswerBuffer(body, content_type)
        return
    if status == 405:
        # Orthanc has its own way for this one, without a body, and closes the connection on any other.
        allowed = next((value for name, value in headers if name.lower() == "allow"), "GET")
        output.SendMethodNotAllowed(allowed.replace(" ", ""))
        return
    if body:
        output.SetHttpHeader("X-Content-Type", content_type)
        if "json" in content_type and not body.isascii():
            # Called text/plain, it would be read by a guess at its encoding: in ASCII every guess is right.
            body = json.dumps(json.loads(body)).encode("ascii")
    output.SendHttpStatus(status, body)
