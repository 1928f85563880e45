"""Runs the set-up scripts of DCM4CHEE and XNAT as their containers do."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import HTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

Serve = Callable[[HTTPServer], None]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts doubles, and stops them when the test ends."""
    running: list[HTTPServer] = []

    def start(server: HTTPServer) -> None:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def set_up() -> Run:
    """``set_up("xnat", NAME=value…)`` runs xnat/setup.py with these settings alone."""

    def run(service: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", str(ROOT / service / "setup.py")],
            env={"PATH": os.environ["PATH"], "NO_PROXY": "*", "PATIENCE_S": "30", **environment},
            capture_output=True,
            text=True,
            timeout=90,
        )

    return run
