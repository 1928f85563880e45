"""What the door (config/nginx) makes of a request on its way to Orthanc; an echo stands where Orthanc would."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import requests
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from integration.containers import HOST, ROOT, START_S, labels
from integration.polling import eventually

ECHO = """
import http.server, json

class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        said = json.dumps({"method": self.command, "path": self.path, "headers": dict(self.headers), "size": len(body)})
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said.encode())

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer

http.server.ThreadingHTTPServer(("", 8042), Echo).serve_forever()
"""


@pytest.fixture(scope="module")
def door() -> Iterator[str]:
    """The door's address."""
    network = Network(docker_network_kw={"labels": labels()})
    network.create()
    echo = DockerContainer(os.environ["PACS_TEST_IMAGE"]).with_network(network).with_network_aliases("orthanc")
    echo.with_kwargs(labels=labels(), entrypoint=["python3", "-u", "-c", ECHO])
    nginx = DockerContainer("nginx:1.30").with_network(network)
    nginx.with_command(["sh", "/etc/nginx/pacs/start.sh", "api"])
    nginx.with_kwargs(labels=labels(), user="101:101")
    nginx.with_volume_mapping(str(ROOT / "config" / "nginx"), "/etc/nginx/pacs", "ro")
    nginx.ports = {"8000/tcp": (HOST,)}
    try:
        echo.start()
        nginx.start()

        def address() -> str | None:
            container = nginx.get_wrapped_container()
            container.reload()
            bindings = container.ports.get("8000/tcp")
            assert bindings, container.logs().decode()
            base = f"http://{HOST}:{bindings[0]['HostPort']}"
            try:
                return base if requests.get(f"{base}/api/any", timeout=20).status_code == 200 else None
            except requests.ConnectionError:
                return None

        yield eventually(address, START_S, "the door answers")
    finally:
        for container in (nginx, echo):
            if container._container is not None:
                container.stop()
        network.remove()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_the_query_string_travels_in_a_header_too_and_that_of_a_client_is_replaced(door: str, method: str) -> None:
    query = "name=M%C3%BCller+1&name=b&empty="
    forged = {"X-Query-String": "name=forged"}
    heard = requests.request(method, f"{door}/api/any?{query}", headers=forged, timeout=60).json()

    assert heard["method"] == method
    assert heard["path"] == f"/api/any?{query}"
    assert heard["headers"]["X-Query-String"] == query
    nothing = requests.request(method, f"{door}/api/any", headers=forged, timeout=60).json()
    assert "X-Query-String" not in nothing["headers"], "an empty one is not sent"


def test_a_form_becomes_a_put_and_arrives_whole(door: str) -> None:
    files = [("files", ("1.dcm", bytes(300_000)))]
    heard = requests.post(f"{door}/api/upload?x=1", files=files, timeout=60).json()

    assert heard["method"] == "PUT"
    assert heard["size"] > 300_000
    assert heard["headers"]["X-Query-String"] == "x=1"
