"""``xnat-setup`` against the double of XNAT."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import requests

from doubles.xnat import create_server
from doubles.xnat_requests import XnatServer
from unit.services.conftest import ROOT, Run, Serve

PASSWORDS = {"PACS_XNAT_PASSWORD": "of-admin", "PACS_XNAT_FORWARDER_PASSWORD": "of-forwarder"}


@pytest.fixture
def xnat(serve: Serve, tmp_path: Path) -> XnatServer:
    """As it is delivered: not set up, admin:admin."""
    server = create_server(tmp_path)
    serve(server)
    return server


def test_a_fresh_xnat_is_ready_to_receive(xnat: XnatServer, set_up: Run) -> None:
    done = set_up("xnat", XNAT_URL=xnat.url, PACS_XNAT_PORT="8081", PACS_XNAT_PROJECT="trial", **PASSWORDS)

    assert done.returncode == 0, done.stderr
    assert xnat.site["initialized"] is True
    assert xnat.site["siteUrl"] == "http://localhost:8081"
    assert xnat.passwords == {"admin": "of-admin", "forwarder": "of-forwarder"}
    assert xnat.archive.projects["trial"].users == {"forwarder": "Members"}
    assert xnat.anonymization == {"script": (ROOT / "xnat/anonymisation.das").read_text(), "enabled": True}


def test_the_second_run_changes_nothing(xnat: XnatServer, set_up: Run) -> None:
    def state() -> tuple[object, ...]:
        return dict(xnat.site), dict(xnat.passwords), repr(xnat.archive.projects), dict(xnat.anonymization)

    assert set_up("xnat", XNAT_URL=xnat.url, **PASSWORDS).returncode == 0
    first = state()

    done = set_up("xnat", XNAT_URL=xnat.url, **PASSWORDS)

    assert done.returncode == 0, done.stderr
    assert state() == first


def test_another_password_for_uploads_in_env_becomes_that_of_the_account(xnat: XnatServer, set_up: Run) -> None:
    assert set_up("xnat", XNAT_URL=xnat.url, **PASSWORDS).returncode == 0

    changed = PASSWORDS | {"PACS_XNAT_FORWARDER_PASSWORD": "another"}
    assert set_up("xnat", XNAT_URL=xnat.url, **changed).returncode == 0

    assert xnat.passwords["forwarder"] == "another"


def test_a_wrong_password_is_said_so_and_tried_a_few_times_only(xnat: XnatServer, set_up: Run) -> None:
    xnat.passwords["admin"] = "somebody-else-chose-this"

    done = set_up("xnat", XNAT_URL=xnat.url, SIGN_IN_REST_S="0", **PASSWORDS)

    assert done.returncode == 1
    assert "neither with PACS_XNAT_PASSWORD nor with the password that XNAT is delivered with" in done.stderr
    assert "somebody" not in done.stderr and "of-admin" not in done.stderr
    assert xnat.site["initialized"] is False


def test_an_xnat_that_is_slow_to_start_is_waited_for(xnat: XnatServer, set_up: Run) -> None:
    # Not even its port is open at first.
    port = xnat.server_address[1]
    folder = xnat.archive.folder
    xnat.shutdown()
    xnat.server_close()
    later: list[XnatServer] = []

    def start() -> None:
        later.append(create_server(folder, port))
        later[0].serve_forever()

    timer = threading.Timer(3.0, start)
    timer.start()
    try:
        done = set_up("xnat", XNAT_URL=f"http://127.0.0.1:{port}", **PASSWORDS)
        assert done.returncode == 0, done.stderr
        assert later[0].site["initialized"] is True
    finally:
        timer.join(0.1)
        later[0].shutdown()
        later[0].server_close()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"PACS_XNAT_PASSWORD": ""}, "PACS_XNAT_PASSWORD is not set"),
        ({"PACS_XNAT_PROJECT": "my project"}, "PACS_XNAT_PROJECT is 'my project'"),
        ({"XNAT_URL": "http://127.0.0.1:9", "PATIENCE_S": "0.1"}, "does not answer within 0.1 s"),
    ],
)
def test_what_cannot_be_is_named_before_anything_is_done(
    xnat: XnatServer, set_up: Run, given: dict[str, str], said: str
) -> None:
    done = set_up("xnat", **({"XNAT_URL": xnat.url} | PASSWORDS | given))

    assert done.returncode == 1
    assert said in done.stderr
    assert xnat.site["initialized"] is False


def test_the_default_password_is_gone_for_good(xnat: XnatServer, set_up: Run) -> None:
    assert set_up("xnat", XNAT_URL=xnat.url, **PASSWORDS).returncode == 0

    assert requests.get(f"{xnat.url}/data/projects", auth=("admin", "admin"), timeout=30).status_code == 401
