"""The doors before DCM4CHEE and XNAT (config/nginx); an echo stands where the service would."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from integration.containers import HOST, ROOT, START_S, labels
from integration.polling import eventually
from integration.test_door import ECHO

PASSWORD = "of-the-archive"


@contextmanager
def door_of(name: str) -> Iterator[str]:
    """The address of the door before an echo of this name."""
    network = Network(docker_network_kw={"labels": labels()})
    network.create()
    echo = DockerContainer(os.environ["PACS_TEST_IMAGE"]).with_network(network).with_network_aliases(name)
    script = ECHO.replace("8042", "8080")
    echo.with_kwargs(labels=labels(), entrypoint=["python3", "-u", "-c", script])
    nginx = DockerContainer("nginx:1.30").with_network(network).with_env("PACS_DOOR_PASSWORD", PASSWORD)
    nginx.with_command(["sh", "/etc/nginx/pacs/start.sh", name])
    nginx.with_kwargs(labels=labels(), user="101:101")
    nginx.with_volume_mapping(str(ROOT / "config" / "nginx"), "/etc/nginx/pacs", "ro")
    nginx.ports = {"8080/tcp": (HOST,)}
    try:
        echo.start()
        nginx.start()

        def address() -> str | None:
            container = nginx.get_wrapped_container()
            container.reload()
            bindings = container.ports.get("8080/tcp")
            assert bindings, container.logs().decode()
            base = f"http://{HOST}:{bindings[0]['HostPort']}"
            try:
                signed_in = requests.get(f"{base}/any", auth=("admin", PASSWORD), timeout=20)
                return base if signed_in.status_code == 200 else None
            except requests.ConnectionError:
                return None

        yield eventually(address, START_S, "the door answers")
    finally:
        for container in (nginx, echo):
            if container._container is not None:
                container.stop()
        network.remove()


@pytest.fixture(scope="module")
def archive() -> Iterator[str]:
    with door_of("dcm4chee") as address:
        yield address


@pytest.fixture(scope="module")
def xnat() -> Iterator[str]:
    with door_of("xnat") as address:
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
