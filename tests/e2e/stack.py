"""A checkout of this project somewhere else, and the stack that its own ./pacs starts there."""

import os
import re
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import httpx

#: Small, so that bodies beyond it are quickly made; larger than what the tests of this folder store.
UPLOAD_MAX_MB = 64
ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass
class Stack:
    """What a user has: a folder with ./pacs in it, and the settings of its environment."""

    folder: Path
    project: str
    http_port: int = field(default_factory=free_port)
    dicom_port: int = field(default_factory=free_port)
    api_port: int = field(default_factory=free_port)
    ohif_port: int = field(default_factory=free_port)
    dashboard_port: int = field(default_factory=free_port)
    prometheus_port: int = field(default_factory=free_port)
    grafana_port: int = field(default_factory=free_port)

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "COMPOSE_PROJECT_NAME": self.project,
            "PACS_BIND": "127.0.0.1",
            "PACS_HTTP_PORT": str(self.http_port),
            "PACS_DICOM_PORT": str(self.dicom_port),
            "PACS_API_PORT": str(self.api_port),
            "PACS_OHIF_PORT": str(self.ohif_port),
            "PACS_DASHBOARD_PORT": str(self.dashboard_port),
            "PACS_PROMETHEUS_PORT": str(self.prometheus_port),
            "PACS_GRAFANA_PORT": str(self.grafana_port),
            "PACS_STABLE_AGE": "2",
            "PACS_UPLOAD_MAX_MB": str(UPLOAD_MAX_MB),
            # The largest file within an archive as well.
            "PACS_MAX_BODY_MB": str(UPLOAD_MAX_MB),
            # Should the tests be killed, it does not come back with the engine.
            "PACS_RESTART": "no",
            "PACS_START_TIMEOUT": "600",
        }

    def pacs(
        self, *arguments: str, check: bool = True, cwd: Path | None = None, **changes: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs ./pacs as a user would; output and errors together, as they would see them."""
        done = subprocess.run(
            [str(self.folder / "pacs"), *arguments],
            cwd=cwd or self.folder,
            env=self.environment | changes,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=3600,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"./pacs {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}")
        return done

    def settings(self) -> dict[str, str]:
        """The lines of .env."""
        lines = (self.folder / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    def containers(self) -> dict[str, str]:
        """Service → container id."""
        text = docker(
            "ps",
            "--no-trunc",
            "--filter",
            f"label=com.docker.compose.project={self.project}",
            "--format",
            '{{.Label "com.docker.compose.service"}} {{.ID}}',
        )
        return dict(line.split() for line in text.splitlines())

    def client(self, account: str | None, port: int) -> httpx.Client:
        """An HTTP client for one door, signed in as `account`."""
        auth = None
        if account is not None:
            auth = (account, self.settings()[f"PACS_{account.upper()}_PASSWORD"])
        return httpx.Client(base_url=f"http://127.0.0.1:{port}", auth=auth, timeout=60)

    def orthanc(self, account: str | None = "admin") -> httpx.Client:
        return self.client(account, self.http_port)

    def door(self, account: str | None = "admin") -> httpx.Client:
        return self.client(account, self.api_port)

    def dashboard(self, account: str | None = "admin") -> httpx.Client:
        """The dashboard's door."""
        return self.client(account, self.dashboard_port)

    def viewer(self, account: str | None = "admin") -> httpx.Client:
        """OHIF's door."""
        return self.client(account, self.ohif_port)


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout
