"""An XNAT double that serves while a test runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from doubles.xnat import create_server
from doubles.xnat_requests import XnatServer


@pytest.fixture
def xnat_server(tmp_path: Path) -> Iterator[XnatServer]:
    """An XNAT as after its first start: not set up."""
    server = create_server(tmp_path)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def xnat(xnat_server: XnatServer) -> XnatServer:
    """An XNAT with the project RESEARCH, to which the account forwarder may write."""
    xnat_server.set_up("RESEARCH", "forwarder", "secret")
    return xnat_server
