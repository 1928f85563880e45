"""DCM4CHEE's REST services as its source documents them (dcm4chee-arc-light 5.3: QidoRS, StorageRS, QueryQueues)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

#: What the archive answers that holds two studies and failed to export three times.
WELL: dict[str, object] = {
    "/dcm4chee-arc/ctrl/status": {"status": "STARTED"},
    "/dcm4chee-arc/aets/DCM4CHEE/rs/studies/count": {"count": 2},
    "/dcm4chee-arc/aets/DCM4CHEE/rs/instances/count": {"count": 350},
    "/dcm4chee-arc/aets/DCM4CHEE/rs/studies/size": {"size": 184_000_000},
    "/dcm4chee-arc/storage": [
        {
            "dcmStorageID": "fs1",
            "dcmURI": "file:///storage/fs1/",
            "dcmDigestAlgorithm": "MD5",
            "dicomAETitle": ["DCM4CHEE"],
            "usages": ["dcmObjectStorageID"],
            "usableSpace": 40_000_000_000,
            "totalSpace": 100_000_000_000,
        },
        {"dcmStorageID": "s3", "dcmURI": "jclouds:s3", "usableSpace": -1, "totalSpace": -1},
    ],
    "/dcm4chee-arc/queue": [
        {"name": "Export1", "description": "Calculate Query Attributes, Export Task Queue"},
        {"name": "HL7Send", "description": "HL7 Forward Tasks"},
        {"name": "IANSCU"},
    ],
    "/dcm4chee-arc/queue/Export1/count": {"count": 3},
    "/dcm4chee-arc/queue/HL7Send/count": {"count": 0},
    "/dcm4chee-arc/queue/IANSCU/count": {"count": 0},
}


@dataclass(frozen=True)
class Broken:
    """An answer that is not as documented."""

    status: int = 200
    content_type: str = "application/json"
    body: bytes = b""
    #: Seconds between two bytes.
    drip_s: float = 0


@dataclass
class Dcm4cheeDouble:
    """The running double: ``answers`` may be changed at any time."""

    address: str
    answers: dict[str, object] = field(default_factory=lambda: dict(WELL))
    asked: list[str] = field(default_factory=list)


@contextmanager
def dcm4chee_double(port: int = 0) -> Iterator[Dcm4cheeDouble]:
    """The double, on this port of this machine, or on a free one."""
    double = Dcm4cheeDouble("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            double.asked.append(self.path)
            address = urlsplit(self.path)
            answer = double.answers.get(address.path)
            if address.path.endswith("/count") and "/queue/" in address.path:
                assert parse_qs(address.query) == {"status": ["FAILED"]}
            if answer is None:
                answer = Broken(404, body=b'{"errorMessage":"No such Application Entity"}')
            if not isinstance(answer, Broken):
                answer = Broken(body=json.dumps(answer).encode())
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            try:
                if answer.drip_s:
                    for byte in answer.body:
                        self.wfile.write(bytes([byte]))
                        self.wfile.flush()
                        time.sleep(answer.drip_s)
                else:
                    self.wfile.write(answer.body)
            except OSError:
                # Whoever asked has gone.
                self.close_connection = True

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    double.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
