"""A double of the archive's configuration service (dcm4chee-arc 5.35): devices, unique AE titles, reloading."""

from __future__ import annotations

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ARCHIVE = "/dcm4chee-arc"


class Dcm4cheeServer(ThreadingHTTPServer):
    """The server; its state is in its attributes.

    Attributes
    ----------
    starting
        How many more times it answers that it is not there yet, as WildFly does while it unpacks the archive.
    in_force
        The devices as of the last reload.
    """

    daemon_threads = True

    def __init__(self, starting: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.starting = starting
        self.devices: dict[str, Any] = {
            "dcm4chee-arc": {"dicomDeviceName": "dcm4chee-arc", "dicomNetworkAE": [{"dicomAETitle": "DCM4CHEE"}]}
        }
        self.in_force: dict[str, Any] = {}
        self.changes: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{ARCHIVE}"


class Handler(BaseHTTPRequestHandler):
    server: Dcm4cheeServer

    def do_GET(self) -> None:
        if self.server.starting > 0:
            self.server.starting -= 1
            self._answer(404)
        elif self.path == f"{ARCHIVE}/ctrl/status":
            self._answer(200, {"status": "STARTED"})
        elif (name := self._device()) in self.server.devices:
            self._answer(200, self.server.devices[name])
        else:
            self._answer(404, {"errorMessage": f"Device with specified name {name} not found"})

    def do_POST(self) -> None:
        if self.path == f"{ARCHIVE}/ctrl/reload":
            self.server.in_force = json.loads(json.dumps(self.server.devices))
            self._answer(204)
        else:
            self._change(exists=False)

    def do_PUT(self) -> None:
        self._change(exists=True)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Tests read answers, not a log."""

    def _change(self, exists: bool) -> None:
        name = self._device()
        device = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        titles = {ae["dicomAETitle"] for ae in device["dicomNetworkAE"]}
        others = [other for known, other in self.server.devices.items() if known != name]
        taken = titles & {ae["dicomAETitle"] for other in others for ae in other["dicomNetworkAE"]}
        if device["dicomDeviceName"] != name:
            self._answer(400, {"errorMessage": "Device name in content does not match device name in URL"})
        elif (name in self.server.devices) != exists:
            self._answer(404 if exists else 409, {"errorMessage": f"Device {name}"})
        elif taken:
            self._answer(409, {"errorMessage": f"AE title {taken.pop()} already exists"})
        else:
            self.server.devices[name] = device
            self.server.changes.append(f"{self.command} {name}")
            self._answer(204)

    def _device(self) -> str:
        found = re.fullmatch(rf"{ARCHIVE}/devices/([^/?]+)", self.path)
        return found[1] if found else ""

    def _answer(self, status: int, body: Any = None) -> None:
        # Its security filter: credentials that nobody asked for are refused.
        if "Authorization" in self.headers:
            status, body = 403, None
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
