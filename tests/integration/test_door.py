"""What the door (config/nginx) makes of a request on its way to Orthanc; an echo stands where Orthanc would."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from integration.door import door_of


@pytest.fixture(scope="module")
def door() -> Iterator[str]:
    """The door's address."""
    with door_of("api", "orthanc", 8000, 8042) as address:
        yield address


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
