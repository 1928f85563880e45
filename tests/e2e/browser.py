"""Debian's Chromium as a person's browser: what a page shows, what it complains of, and whom it talks to.

No wait for "networkidle": viewers keep connections open. Tests wait for what a person would wait for.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    TimeoutError,
    ViewportSize,
)

CHROMIUM = "/usr/bin/chromium"
#: WebGL in software, as no test machine has a graphics card; no sandbox, as the tests run as root in a container.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
#: Generous: the machine that runs the tests has two cores and other things to do.
PATIENCE_MS = 90_000

#: Distinct grey levels on the canvas of the first viewport of OHIF.
GREY_LEVELS = """() => {
    const canvas = document.querySelector('canvas.cornerstone-canvas');
    if (!canvas) return 0;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const levels = new Set();
    for (let at = 0; at < data.length; at += 4) levels.add(data[at]);
    return levels.size;
}"""


@dataclass
class Visit:
    """One person at one browser: a profile of its own, its first page, and a record of what went on."""

    context: BrowserContext
    page: Page
    #: Console messages of level error, and exceptions that no script caught.
    complaints: list[str] = field(default_factory=list)
    #: The address of every request.
    requests: list[str] = field(default_factory=list)
    #: Chromium drops what is under way when an interface comes or goes, as when Docker starts a container. What pages
    #: then complain of is no fault of theirs.
    network_changed: bool = False

    def complaints_except(self, *patterns: str) -> list[str]:
        """The complaints that match none of the regular expressions."""
        return [text for text in self.complaints if not any(re.search(pattern, text) for pattern in patterns)]

    def foreign_requests(self, *ports: int) -> list[str]:
        """Requests to anything but these ports of this machine."""
        own = {f"127.0.0.1:{port}" for port in ports}
        addresses = [urlsplit(address) for address in self.requests]
        return [a.geturl() for a in addresses if a.scheme not in {"data", "blob", "about"} and a.netloc not in own]

    def screenshot(self, name: str, page: Page | None = None, full_page: bool = False) -> None:
        """Kept as NAME.png in the folder PACS_SCREENSHOTS, if there is one."""
        folder = os.environ.get("PACS_SCREENSHOTS")
        if folder:
            (page or self.page).screenshot(path=Path(folder) / f"{name}.png", full_page=full_page)

    def accessibility_violations(self, page: Page | None = None, within: str | None = None) -> list[str]:
        """What axe finds wrong with the page (or the element `within`) as it is now: rule, remedy, elements."""
        found = Axe().run(page or self.page, context=within).response["violations"]
        return [
            f"{rule['id']}: {rule['help']} – {'; '.join(str(node['html'])[:120] for node in rule['nodes'][:3])}"
            for rule in found
        ]


def launch(playwright: Playwright) -> Browser:
    """Chromium, without a window."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE_MS)


@contextmanager
def visit(
    browser: Browser,
    *,
    account: tuple[str, str] | None = None,
    locale: str = "en-GB",
    dark: bool = False,
    size: ViewportSize = DESKTOP,
    reduced_motion: bool = True,
) -> Iterator[Visit]:
    """A person's visit.

    Parameters
    ----------
    account
        Name and password, given when the browser's own prompt would come up; None closes the prompt.
    locale
        The language the browser asks for.
    dark
        Whether the person's system is set to dark.
    size
        Of the window, in pixels.
    reduced_motion
        Whether pages are asked to do without animations.
    """
    context = browser.new_context(
        locale=locale,
        color_scheme="dark" if dark else "light",
        viewport=size,
        reduced_motion="reduce" if reduced_motion else "no-preference",
        http_credentials={"username": account[0], "password": account[1]} if account else None,
    )
    context.set_default_timeout(PATIENCE_MS)
    context.set_default_navigation_timeout(PATIENCE_MS)
    visited = Visit(context, context.new_page())
    context.on("request", lambda request: visited.requests.append(request.url))
    context.on("weberror", lambda error: visited.complaints.append(str(error.error.stack or error.error)))

    def note(message: ConsoleMessage) -> None:
        if "ERR_NETWORK_CHANGED" in message.text:
            visited.network_changed = True
        elif message.type == "error":
            visited.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    context.on("console", note)
    try:
        yield visited
    finally:
        # A context that is closed while a page still loads may never say that it is closed.
        for page in context.pages:
            with suppress(Error):
                page.goto("about:blank", timeout=10_000)
        context.close()


def wait_for(page: Page, expression: str) -> None:
    """Until it is true; with one reload, as a person would (`Visit.network_changed`)."""
    try:
        page.wait_for_function(expression, timeout=PATIENCE_MS)
    except TimeoutError:
        page.reload()
        page.wait_for_function(expression, timeout=PATIENCE_MS)


def wait_for_images(page: Page) -> None:
    """Until OHIF shows an image."""
    wait_for(page, f"({GREY_LEVELS})() > 10")
