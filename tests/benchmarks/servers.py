"""Servers to measure: our image as it is, and the same image without our plugins ("bare Orthanc")."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import requests

ROOT = Path(__file__).resolve().parents[2]
IMAGE = os.environ.get("PACS_TEST_IMAGE", "pacs-orthanc:dev")
POSTGRES_IMAGE = os.environ.get("PACS_TEST_POSTGRES_IMAGE", "postgres:18")
LABEL = f"org.pacs.test={os.environ.get('PACS_TEST_ID', 'bench')}"
#: From a container, the machine on which the benchmarks run.
TESTS_HOST = "host.docker.internal"
_START_S = 180.0
_EXTRACTED_S = 300.0
_DIGESTED_S = 5.0


@dataclass
class Orthanc:
    """A running server."""

    http_port: int
    dicom_port: int
    session: requests.Session = field(default_factory=requests.Session)
    #: Docker's, in which it is called `orthanc`: for doors before it.
    network: str = ""

    def url(self, path: str) -> str:
        """The address of a route."""
        return f"http://127.0.0.1:{self.http_port}{path}"

    def get(self, path: str) -> requests.Response:
        """A GET that must succeed."""
        answer = self.session.get(self.url(path), timeout=120)
        answer.raise_for_status()
        return answer

    def post(
        self, path: str, body: bytes, content_type: str = "application/dicom", patience: int = 0
    ) -> requests.Response:
        """A POST that must succeed; `patience` is how often it is tried again when the server is busy (503)."""
        headers = {"Content-Type": content_type}
        answer = self.session.post(self.url(path), data=body, headers=headers, timeout=300)
        if answer.status_code == 503 and patience:
            time.sleep(0.5)
            return self.post(path, body, content_type, patience - 1)
        answer.raise_for_status()
        return answer

    def another_client(self) -> Orthanc:
        """The same server for another thread: a session is not meant for two."""
        other = Orthanc(self.http_port, self.dicom_port)
        other.session.auth = self.session.auth
        return other

    def wait_until_extracted(self, interval_s: float = 0.01) -> None:
        """Return once every structure set that it holds has been extracted."""
        deadline = time.monotonic() + _EXTRACTED_S
        while time.monotonic() < deadline:
            items = self.get("/api/extractions").json()["items"]
            if items and all(item["state"] == "done" for item in items):
                return
            time.sleep(interval_s)
        raise TimeoutError("the structure sets were not extracted in time")

    def empty(self) -> None:
        """Delete every patient, and wait until the deletions have been digested: Orthanc goes on for seconds."""
        for patient in self.get("/patients").json():
            self.session.delete(self.url(f"/patients/{patient}"), timeout=120).raise_for_status()
        # Idle connections end after as many seconds (KeepAliveTimeout): none may be used just then.
        self.session.close()
        time.sleep(_DIGESTED_S)

    def store(self, folder: Path) -> float:
        """C-STORE a folder in one association; returns the seconds it took."""
        # DCMTK's, by its path: pynetdicom brings a slower script of the same name.
        command = ["/usr/bin/storescu", "-aec", "ORTHANC", "+sd", "127.0.0.1", str(self.dicom_port), str(folder)]
        # DCMTK's switch for Nagle's algorithm, which Debian leaves on: half of the time would be waits of 40 ms for
        # delayed acknowledgements, and each server has its own number of them.
        environment = os.environ | {"TCP_NODELAY": "1"}
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=environment)
        return time.perf_counter() - started

    def store_anew(self, folder: Path) -> float:
        """The same, into an archive that was emptied first."""
        self.empty()
        return self.store(folder)


@contextmanager
def orthanc(
    plugins: bool = True, postgres: bool = True, sections: Mapping[str, object] | None = None, **settings: str
) -> Iterator[Orthanc]:
    """A fresh server, with or without our plugins, on PostgreSQL or SQLite; gone at the end.

    ``sections`` replace whole files of the configuration: ``{"modalities.json": {...}}``.
    """
    name = f"pacs-bench-{secrets.token_hex(4)}"
    configuration = Path(tempfile.mkdtemp(prefix="pacs-bench-"))
    configuration.chmod(0o755)
    shutil.copytree(ROOT / "config" / "orthanc", configuration, dirs_exist_ok=True)
    for file, content in (sections or {}).items():
        (configuration / file).write_text(json.dumps(content))
    if not plugins:
        main = configuration / "orthanc.json"
        without = re.sub(r',\s*"/usr/share/orthanc/plugins/libOrthancPython.so"', "", main.read_text())
        main.write_text(without)
    http_port, dicom_port = _free_port(), _free_port()
    password = secrets.token_hex(8)
    try:
        _docker("network", "create", "--label", LABEL, name)
        environment = {"PACS_ADMIN_PASSWORD": password} | settings
        if postgres:
            _run(f"{name}-postgres", POSTGRES_IMAGE, name, {"POSTGRES_USER": "pacs", "POSTGRES_PASSWORD": password})
            environment |= {"PACS_POSTGRES_HOST": f"{name}-postgres", "PACS_POSTGRES_PASSWORD": password}
        ports = ["-p", f"127.0.0.1:{http_port}:8042", "-p", f"127.0.0.1:{dicom_port}:4242"]
        ports += ["--network-alias", "orthanc"]
        mount = ["-v", f"{configuration}:/etc/pacs/orthanc:ro", "--init", "--add-host", f"{TESTS_HOST}:host-gateway"]
        _run(name, IMAGE, name, environment, *ports, *mount)
        server = Orthanc(http_port, dicom_port, network=name)
        server.session.auth = ("admin", password)
        _wait(server, "/api/health" if plugins else "/system")
        yield server
    finally:
        _docker("rm", "--force", "--volumes", name, f"{name}-postgres", check=False)
        _docker("network", "rm", name, check=False)
        shutil.rmtree(configuration, ignore_errors=True)


def introduce(server: Orthanc, peer: Orthanc, name: str) -> None:
    """Let a server reach another one under this host name."""
    _docker("network", "connect", "--alias", name, server.network, peer.network)


@contextmanager
def door(server: Orthanc, name: Literal["dashboard", "ohif"]) -> Iterator[str]:
    """One of the two web doors before a server: its address."""
    image, port = f"{server.network}-{name}", _free_port()
    arguments = ["--build-arg", f"NPM_REGISTRY={os.environ.get('PACS_NPM_REGISTRY', '')}", "--tag", image]
    _docker("build", "--quiet", "--file", str(ROOT / name / "Dockerfile"), *arguments, str(ROOT))
    mount = ["-v", f"{ROOT / 'config/nginx'}:/etc/nginx/pacs:ro", "-v", f"{ROOT / 'config/ohif'}:/etc/pacs/ohif:ro"]
    inside = {"dashboard": 3000, "ohif": 3001}[name]
    try:
        _run(image, image, server.network, {}, *mount, "-p", f"127.0.0.1:{port}:{inside}")
        client = Orthanc(port, 0)
        client.session.auth = server.session.auth
        _wait(client, "/api/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        _docker("rm", "--force", image, check=False)
        _docker("image", "rm", "--force", image, check=False)


def folder_of(files: Sequence[bytes]) -> tempfile.TemporaryDirectory[str]:
    """A temporary folder that holds these files."""
    folder = tempfile.TemporaryDirectory(prefix="pacs-bench-")
    for number, content in enumerate(files):
        (Path(folder.name) / f"{number:04}.dcm").write_bytes(content)
    return folder


def machine() -> str:
    """What was measured on, in one line."""
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    memory_kb = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    gib = int(memory_kb[1]) / 2**20 if memory_kb else 0
    return f"{os.cpu_count()} cores {model[1] if model else ''}, {gib:.0f} GiB, Orthanc in Docker on PostgreSQL"


def _run(name: str, image: str, network: str, environment: dict[str, str], *options: str) -> None:
    variables = [part for key, value in environment.items() for part in ("-e", f"{key}={value}")]
    _docker("run", "-d", "--name", name, "--label", LABEL, "--network", network, *variables, *options, image)


def _docker(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(["docker", *arguments], check=False, capture_output=True, text=True)
    if check and done.returncode:
        raise RuntimeError(f"docker {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout


def _wait(server: Orthanc, path: str) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        try:
            if server.session.get(server.url(path), timeout=2).status_code == 200:
                return
        except (requests.RequestException, json.JSONDecodeError):
            pass
        time.sleep(0.2)
    raise TimeoutError(f"the server did not answer {path} within {_START_S:g} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgres() -> Iterator[str]:
    """A fresh PostgreSQL; its SQLAlchemy URL. Gone at the end."""
    name, port, password = f"pacs-bench-{secrets.token_hex(4)}", _free_port(), secrets.token_hex(8)
    try:
        _docker("network", "create", "--label", LABEL, name)
        settings = {"POSTGRES_USER": "pacs", "POSTGRES_PASSWORD": password}
        _run(name, POSTGRES_IMAGE, name, settings, "-p", f"127.0.0.1:{port}:5432", "--shm-size", "256m")
        deadline = time.monotonic() + _START_S
        while "accepting" not in _docker("exec", name, "pg_isready", "--host=127.0.0.1", check=False):
            if time.monotonic() > deadline:
                raise TimeoutError("PostgreSQL did not start in time")
            time.sleep(0.2)
        yield f"postgresql+psycopg://pacs:{password}@127.0.0.1:{port}/pacs"
    finally:
        _docker("rm", "--force", "--volumes", name, check=False)
        _docker("network", "rm", name, check=False)
