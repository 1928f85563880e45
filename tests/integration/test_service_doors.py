"""The doors before DCM4CHEE and XNAT (config/nginx); an echo stands where the service would."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from integration.door import door_of

PASSWORD = "of-the-archive"


@pytest.fixture(scope="module")
def archive() -> Iterator[str]:
    with door_of("dcm4chee", "dcm4chee", 8080, 8080, PASSWORD) as address:
        yield address


@pytest.fixture(scope="module")
def xnat() -> Iterator[str]:
    with door_of("xnat", "xnat", 8080, 8080, PASSWORD) as address:
        yield address


def test_the_archives_door_asks_for_the_password_and_keeps_it_to_itself(archive: str) -> None:
    pages = f"{archive}/dcm4chee-arc/ui2"

    assert requests.get(pages, timeout=60).status_code == 401
    assert requests.get(pages, auth=("admin", "guessed"), timeout=60).status_code == 401
    heard = requests.get(pages, auth=("admin", PASSWORD), timeout=60).json()
    assert heard["path"] == "/dcm4chee-arc/ui2"
    # The archive would answer 403 to it.
    assert "Authorization" not in heard["headers"]


def test_the_archives_address_alone_leads_to_its_pages(archive: str) -> None:
    answer = requests.get(archive, allow_redirects=False, timeout=60)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/dcm4chee-arc/ui2")


def test_xnats_door_hands_on_who_asks(xnat: str) -> None:
    heard = requests.get(f"{xnat}/data/projects", auth=("forwarder", "x"), timeout=60).json()
    assert heard["headers"]["Authorization"].startswith("Basic ")


def test_a_large_body_passes_whole_and_as_it_came(archive: str) -> None:
    # More than nginx takes when nobody says how much.
    body = bytes(2 * 1024 * 1024)
    related = {"Content-Type": "multipart/related"}
    studies = f"{archive}/dcm4chee-arc/aets/DCM4CHEE/rs/studies?a=b"
    heard = requests.post(studies, data=body, headers=related, auth=("admin", PASSWORD), timeout=60).json()

    assert (heard["method"], heard["size"]) == ("POST", len(body))
    assert heard["path"].endswith("/rs/studies?a=b")
