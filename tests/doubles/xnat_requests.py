"""Requests to the XNAT double: who may ask, and how XNAT answers; and what the server remembers."""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Callable, Sequence
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from doubles.xnat_archive import Answer, Project, XnatArchive

LOG_IN_PAGE = '<!DOCTYPE html><html><body><form name="form1" method="post" action="/login"></form></body></html>'
#: The only routes that answer before the first set-up.
_SET_UP = re.compile(r"/xapi/(siteConfig|users)(/.*)?|/data/(services/auth|JSESSION|auth)|/double/.*|/")


class XnatServer(ThreadingHTTPServer):
    """The server; its state is in its attributes."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], folder: Path, requests: type[XnatRequest]) -> None:
        super().__init__(address, requests)
        self.archive = XnatArchive(folder)
        self.passwords = {"admin": "admin"}
        self.site: dict[str, Any] = {"initialized": False}
        self.anonymization: dict[str, Any] = {"script": "", "enabled": False}
        self.tickets: dict[str, str] = {}
        self.imports = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who hangs up in the middle of an answer has read enough."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def set_up(self, project: str, user: str, password: str) -> None:
        """As after the first set-up: one project, and one account that may write to it."""
        self.site["initialized"] = True
        self.passwords[user] = password
        self.archive.projects[project] = Project(project, {user: "Members"})


class XnatRequest(BaseHTTPRequestHandler):
    """One request: who asks, and how XNAT answers. The routes are those of a subclass."""

    protocol_version = "HTTP/1.1"
    server: XnatServer
    user: str | None
    routes: ClassVar[Sequence[tuple[str, str, Callable[..., None]]]] = ()

    def do_GET(self) -> None:
        self._serve()

    do_PUT = do_POST = do_DELETE = do_GET

    def log_message(self, format: str, *arguments: Any) -> None:
        """Tests read answers, not a log."""

    def _serve(self) -> None:
        url = urlsplit(self.path)
        self.query = {name: values[-1] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        # Read only when a route asks for it: an import may weigh gigabytes.
        self.unread = int(self.headers.get("Content-Length") or 0)
        self.user = self._signed_in()
        try:
            if not self.server.site["initialized"] and not _SET_UP.fullmatch(url.path):
                raise Answer(403, "Site has not yet been configured.")
            if self.user is None and url.path not in ("/", "/data/services/auth"):
                self._turn_away()
                return
            for method, pattern, route in self.routes:
                found = re.fullmatch(pattern, url.path)
                if method == self.command and found:
                    route(self, *map(unquote, found.groups()))
                    return
            raise Answer(404, "The server has not found anything matching the request URI")
        except Answer as answer:
            self._answer(answer.status, f"<html><h3>{answer.message}</h3></html>", "text/html", answer.message)

    def _signed_in(self) -> str | None:
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("JSESSIONID")
        if cookie and cookie.value in self.server.tickets:
            return self.server.tickets[cookie.value]
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        if kind != "Basic":
            return None
        user, _, password = base64.b64decode(token).decode().partition(":")
        return user if self.server.passwords.get(user) == password else None

    def _turn_away(self) -> None:
        """A browser is shown where to sign in; a program is told."""
        if "Mozilla" in self.headers.get("User-Agent", ""):
            self._answer(200, LOG_IN_PAGE, "text/html;charset=UTF-8")
        else:
            self._answer(401, "", "text/html", "Unauthorized", {"WWW-Authenticate": 'Basic realm="XNAT"'})

    def body(self) -> bytes:
        size, self.unread = self.unread, 0
        return self.rfile.read(size)

    def administrator(self) -> None:
        if self.user != "admin":
            raise Answer(403, "The user is not an administrator.")

    def say(self, body: Any = "", status: int = 200, kind: str = "text/plain") -> None:
        if not isinstance(body, str):
            body, kind = json.dumps(body), "application/json"
        self._answer(status, body, kind)

    def _answer(
        self, status: int, body: str, kind: str, reason: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        if self.unread:
            # As Tomcat does with what it will not swallow.
            self.close_connection = True
        content = body.encode()
        self.send_response(status, reason)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
