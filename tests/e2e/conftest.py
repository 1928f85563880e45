"""One stack for the whole session, started from nothing by ./pacs up in a checkout of its own."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from e2e.browser import launch
from e2e.stack import Stack

ROOT = Path(__file__).resolve().parents[2]


def copy_checkout(target: Path) -> None:
    """What a clone would hold, changes not yet committed included; .env and other ignored files stay behind."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        source = ROOT / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
    # The machine's private authorities are ignored by git, yet the image was built with them a minute ago.
    for certificate in (ROOT / "config/ca-certificates").glob("*.crt"):
        shutil.copy2(certificate, target / "config/ca-certificates")


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkout")
    copy_checkout(folder)
    return folder


@pytest.fixture(scope="session")
def test_id() -> str:
    identifier = os.environ.get("PACS_TEST_ID")
    if not identifier:
        pytest.fail("These tests need a Docker engine and a name of their own: run ./pacs test e2e")
    return identifier


@pytest.fixture(scope="session")
def first_up(checkout: Path, test_id: str) -> Iterator[tuple[Stack, str, float]]:
    """The stack, what the first ./pacs up printed, and the seconds it took."""
    stack = Stack(checkout, f"pacs-test-{test_id}-e2e")
    begin = time.monotonic()
    try:
        output = stack.pacs("up").stdout
        yield stack, output, time.monotonic() - begin
    finally:
        stack.pacs("down", "--volumes", "--yes", check=False)


@pytest.fixture(scope="session")
def stack(first_up: tuple[Stack, str, float]) -> Stack:
    return first_up[0]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; `e2e.browser.visit` opens it as one person."""
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()
