"""DCM4CHEE's web door in front of an Orthanc: its paths, its health, and its refusal of requests that bring an account.

Runs by itself: ``python -m doubles.dcm4chee --port 8080 --orthanc http://127.0.0.1:8042``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any

import requests

AET = "DCM4CHEE"
STATUS = "/dcm4chee-arc/ctrl/status"
SERVICES = f"/dcm4chee-arc/aets/{AET}/rs"
_PASSED_ON = ("Content-Type", "Accept")
_PIECE_BYTES = 65536


class Dcm4chee(ThreadingHTTPServer):
    """Passes requests below ``SERVICES`` on to the DICOMweb of an Orthanc, which must want no account or this one."""

    daemon_threads = True

    def __init__(self, orthanc: str, account: tuple[str, str] | None = None, port: int = 0) -> None:
        super().__init__(("0.0.0.0", port), _Request)
        self.orthanc = orthanc
        self.account = account

    @property
    def url(self) -> str:
        """Where a DICOMweb destination points to."""
        return f"http://127.0.0.1:{self.server_address[1]}{SERVICES}"


class _Body:
    """What is left to read of a request, of known length."""

    def __init__(self, source: BufferedIOBase, size: int) -> None:
        self._source = source
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        left = self._size
        while left and (piece := self._source.read(min(left, _PIECE_BYTES))):
            left -= len(piece)
            yield piece


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Dcm4chee

    def do_GET(self) -> None:
        if self.path == STATUS:
            self._answer(200, b'{"status":"STARTED"}', "application/json")
        elif not self.path.startswith(SERVICES):
            self._answer(404, b"", "text/plain")
        elif "Authorization" in self.headers:
            # The archive without a log-in does not know what to do with an account.
            self._answer(403, b"", "text/plain")
        else:
            self._pass_on()

    do_POST = do_GET

    def _pass_on(self) -> None:
        headers = {name: self.headers[name] for name in _PASSED_ON if name in self.headers}
        size = int(self.headers.get("Content-Length", 0))
        answer = requests.request(
            self.command,
            f"{self.server.orthanc}/dicom-web{self.path.removeprefix(SERVICES)}",
            headers=headers,
            data=_Body(self.rfile, size) if size else None,
            auth=self.server.account,
            timeout=120,
        )
        # An empty list is told without a body.
        status = 204 if self.command == "GET" and answer.content.strip() in (b"[]", b"[ ]") else answer.status_code
        self._answer(status, b"" if status == 204 else answer.content, answer.headers.get("Content-Type", "text/plain"))

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.close_connection = self.close_connection or status == 403
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Tests read answers, not a log."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--orthanc", required=True)
    options = parser.parse_args()
    Dcm4chee(options.orthanc, port=options.port).serve_forever()


if __name__ == "__main__":
    main()
