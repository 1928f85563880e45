"""What the server exposes, for promtool to judge."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

import metrics
import status


@pytest.fixture
def exposition(serve: Callable[..., TestClient]) -> str:
    """The text of ``/api/metrics`` after some requests."""
    client = serve([metrics.create, status.create])
    client.get("/api/status")
    return client.get("/api/metrics").text
