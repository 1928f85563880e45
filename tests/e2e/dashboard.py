"""People at the dashboard: where it is, signing in, and the studies that they look at."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, expect
from pydicom import dcmread

from e2e.browser import DESKTOP, PATIENCE_MS, Visit, visit
from e2e.stack import Stack

expect.set_options(timeout=PATIENCE_MS)

DATA = Path(__file__).resolve().parents[1] / "data"
SARCOMA = str(dcmread(DATA / "sts/STS_001/CT/image/000000.dcm").StudyInstanceUID)
BREAST = str(dcmread(DATA / "dicompyler/ct.0.dcm").StudyInstanceUID)


def address(stack: Stack, path: str = "/") -> str:
    return f"http://127.0.0.1:{stack.dashboard_port}{path}"


def sign_in(page: Page, stack: Stack, account: str = "admin", password: str | None = None) -> None:
    page.locator("input[name=user]").fill(account)
    page.locator("input[name=password]").fill(password or stack.settings()[f"PACS_{account.upper()}_PASSWORD"])
    page.locator("button[type=submit]").click()


@contextmanager
def signed_in(
    browser: Browser,
    stack: Stack,
    path: str = "/",
    account: str = "admin",
    locale: str = "en-GB",
    dark: bool = False,
    size: ViewportSize = DESKTOP,
) -> Iterator[Visit]:
    """A visit that begins at ``path``, signed in; it must end without a complaint or a request to anyone else."""
    with visit(browser, locale=locale, dark=dark, size=size) as visited:
        visited.page.goto(address(stack, path))
        sign_in(visited.page, stack, account)
        expect(visited.page.locator("main h1").first).to_be_visible()
        expect(visited.page.locator("input[name=password]")).to_have_count(0)
        yield visited
        assert visited.complaints == [] or visited.network_changed
        assert visited.foreign_requests(stack.dashboard_port) == []


def zip_of(folder: Path) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        for file in sorted(folder.rglob("*.dcm")):
            writer.write(file, file.relative_to(folder))
    return archive.getvalue()
