"""A web server that gives planned answers and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Say:
    """One answer; a status of 0 closes the connection in the middle of the request."""

    status: int = 200
    body: Any = ""
    kind: str = "application/dicom+json"
    headers: tuple[tuple[str, str], ...] = ()


class AnsweringServer(ThreadingHTTPServer):
    """Gives ``answers[method]`` one by one, the last of them again and again."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.asked: list[Asked] = []
        self.answers: dict[str, list[Say]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: AnsweringServer

    def do_GET(self) -> None:
        planned = self.server.answers.get(self.command) or [Say(404)]
        answer = planned.pop(0) if len(planned) > 1 else planned[0]
        if answer.status == 0:
            self.rfile.read(1000)
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(Asked(self.command, self.path, dict(self.headers), body))
        content = (answer.body if isinstance(answer.body, str) else json.dumps(answer.body)).encode()
        self.send_response(answer.status)
        for name, value in (("Content-Type", answer.kind), ("Content-Length", str(len(content))), *answer.headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, format: str, *arguments: Any) -> None:
        """Tests read ``asked``, not a log."""


@contextmanager
def answering() -> Iterator[AnsweringServer]:
    """A server that answers as long as the block runs."""
    server = AnsweringServer()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
