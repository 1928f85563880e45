"""A door of config/nginx in nginx's own image, before an echo where the service behind it would stand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from integration.containers import HOST, ROOT, START_S, labels
from integration.polling import eventually

#: Answers with what it has heard.
_ECHO = """
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

http.server.ThreadingHTTPServer(("", PORT), Echo).serve_forever()
"""


@contextmanager
def door_of(name: str, service: str, port: int, service_port: int, password: str | None = None) -> Iterator[str]:
    """The address of a door that listens at ``port``, before the echo of a service; ``password`` is that of admin."""
    network = Network(docker_network_kw={"labels": labels()})
    network.create()
    echo = DockerContainer(os.environ["PACS_TEST_IMAGE"]).with_network(network).with_network_aliases(service)
    script = _ECHO.replace("PORT", str(service_port))
    echo.with_kwargs(labels=labels(), entrypoint=["python3", "-u", "-c", script])
    nginx = DockerContainer("nginx:1.30").with_network(network)
    if password is not None:
        nginx.with_env("PACS_DOOR_PASSWORD", password)
    nginx.with_command(["sh", "/etc/nginx/pacs/start.sh", name])
    nginx.with_kwargs(labels=labels(), user="101:101")
    nginx.with_volume_mapping(str(ROOT / "config" / "nginx"), "/etc/nginx/pacs", "ro")
    nginx.ports = {f"{port}/tcp": (HOST,)}
    try:
        echo.start()
        nginx.start()

        def address() -> str | None:
            container = nginx.get_wrapped_container()
            container.reload()
            bindings = container.ports.get(f"{port}/tcp")
            assert bindings, container.logs().decode()
            base = f"http://{HOST}:{bindings[0]['HostPort']}"
            account = ("admin", password) if password is not None else None
            try:
                return base if requests.get(f"{base}/api/any", auth=account, timeout=20).status_code == 200 else None
            except requests.ConnectionError:
                return None

        yield eventually(address, START_S, "the door answers")
    finally:
        for container in (nginx, echo):
            if container._container is not None:
                container.stop()
        network.remove()
