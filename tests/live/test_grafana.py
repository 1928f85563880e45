"""The real Grafana on a stack that has work: ``./pacs test live``.

Grafana comes from image registries only. Where none answers these tests are skipped with what ./pacs up says of it; the
queries themselves are then still tried by ``tests/e2e/test_monitoring.py``.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from e2e.browser import PATIENCE_MS, visit
from e2e.conftest import browser, copy_checkout, test_id
from e2e.stack import Stack

__all__ = ["browser", "test_id"]

ROOT = Path(__file__).resolve().parents[2]
BOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in (ROOT / "observability/grafana/dashboards").glob("*.json")
}
#: Grafana draws a panel when it comes into view: all of a dashboard's panels are in this window.
TALL: ViewportSize = {"width": 1600, "height": 6000}
#: Grafana's own names for tests (@grafana/e2e-selectors 12.3, components.Panels.Panel).
PANEL, FAILED, LOADING = "data-testid Panel header {}", "data-testid Panel status error", "Panel loading bar"


@pytest.fixture(scope="module")
def grafana(tmp_path_factory: pytest.TempPathFactory, test_id: str) -> Iterator[Stack]:
    """A stack with the profile, and one patient through it."""
    folder = tmp_path_factory.mktemp("grafana")
    copy_checkout(folder)
    stack = Stack(folder, f"pacs-test-{test_id}-grafana")
    try:
        output = stack.pacs("up", "--profile", "monitoring").stdout
        left_out = [line for line in output.splitlines() if "Left out:" in line]
        if left_out:
            pytest.skip("Grafana's image cannot be had on this machine: " + " ".join(left_out))
        stack.pacs("send", str(ROOT / "tests/data/dicompyler"))
        yield stack
    finally:
        stack.pacs("down", "--volumes", "--yes", check=False)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def api(grafana: Stack) -> Iterator[httpx.Client]:
    """Grafana's HTTP API, as its administrator."""
    account = ("admin", grafana.settings()["PACS_GRAFANA_PASSWORD"])
    with httpx.Client(base_url=f"http://127.0.0.1:{grafana.grafana_port}", auth=account, timeout=60) as client:
        yield client


def eventually(condition: Callable[[], object], what: str, within_s: float = 180) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(1)


def test_every_dashboard_is_provisioned_as_it_was_made(api: httpx.Client) -> None:
    eventually(lambda: len(api.get("/api/search?tag=pacs").json()) == len(BOARDS), "the dashboards are there")
    for board in BOARDS.values():
        held = api.get(f"/api/dashboards/uid/{board['uid']}").raise_for_status().json()
        assert held["meta"]["provisioned"]
        made = [panel["title"] for panel in board["panels"]]
        assert [panel["title"] for panel in held["dashboard"]["panels"]] == made


@pytest.mark.parametrize("uid", ["prometheus", "postgres"])
def test_each_datasource_is_well(api: httpx.Client, uid: str) -> None:
    told = api.get(f"/api/datasources/uid/{uid}/health").json()
    assert told["status"] == "OK", told


@pytest.mark.parametrize("board", sorted(BOARDS))
def test_no_panel_shows_an_error(grafana: Stack, api: httpx.Client, browser: Browser, board: str) -> None:
    account = {"user": "admin", "password": grafana.settings()["PACS_GRAFANA_PASSWORD"]}
    address = f"http://127.0.0.1:{grafana.grafana_port}"
    with visit(browser, size=TALL) as person:
        assert person.context.request.post(f"{address}/login", data=account).ok
        person.page.goto(f"{address}/d/{BOARDS[board]['uid']}?kiosk")
        wait_until_drawn(person.page, BOARDS[board])
        person.screenshot(f"grafana-{board}", full_page=True)
        expect(person.page.get_by_test_id(FAILED)).to_have_count(0)
        assert not person.foreign_requests(grafana.grafana_port)


def wait_until_drawn(page: Page, board: dict[str, Any]) -> None:
    for panel in board["panels"]:
        expect(page.get_by_test_id(PANEL.format(panel["title"])).first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_label(LOADING)).to_have_count(0, timeout=PATIENCE_MS)
