"""The dashboard as people use it: a real browser, the real stack, nothing mocked."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from e2e.browser import DESKTOP, PATIENCE_MS, PHONE, Visit, visit
from e2e.stack import Stack, docker

expect.set_options(timeout=PATIENCE_MS)


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
        assert visited.complaints == []
        assert visited.foreign_requests(stack.dashboard_port) == []


def test_a_wrong_password_and_an_account_without_rights_are_told_apart(browser: Browser, stack: Stack) -> None:
    with visit(browser) as visited:
        page = visited.page
        page.goto(address(stack))
        sign_in(page, stack, "admin", "wrong")
        expect(page.get_by_role("alert")).to_contain_text("password is not right")
        sign_in(page, stack, "prometheus")
        expect(page.get_by_role("alert")).to_contain_text("may not use the dashboard")
        assert visited.accessibility_violations() == []

        sign_in(page, stack, "viewer")
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def test_the_log_in_is_for_this_tab_and_ends_with_it(browser: Browser, stack: Stack) -> None:
    with signed_in(browser, stack) as visited:
        visited.page.reload()
        expect(visited.page.get_by_role("heading", level=1)).to_have_text("Overview")

        other_tab = visited.context.new_page()
        other_tab.goto(address(stack))
        expect(other_tab.locator("input[name=password]")).to_be_visible()

        visited.page.get_by_role("button", name="Sign out").click()
        expect(visited.page.locator("input[name=password]")).to_be_visible()
        assert visited.page.evaluate("sessionStorage.length + document.cookie.length") == 0


def test_pages_may_run_the_sites_own_scripts_only(browser: Browser, stack: Stack) -> None:
    with signed_in(browser, stack) as visited:
        policy = visited.page.request.get(address(stack)).headers["content-security-policy"]
        scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
        assert scripts == "script-src 'self'"

        ran = visited.page.evaluate(
            "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
            " document.head.append(s); return 'ran' in window; }"
        )
        assert ran is False
        visited.complaints.clear()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_is_accessible_in_both_colour_schemes(
    browser: Browser, stack: Stack, dark: bool, size: ViewportSize
) -> None:
    look = f"{'dark' if dark else 'light'}-{'phone' if size == PHONE else 'desktop'}"
    with visit(browser, dark=dark, size=size) as visited:
        visited.page.goto(address(stack))
        expect(visited.page.locator("input[name=password]")).to_be_visible()
        visited.screenshot(f"dashboard-sign-in-{look}")
        assert visited.accessibility_violations() == []
    with signed_in(browser, stack, dark=dark, size=size) as visited:
        page = visited.page
        for path, ready in PAGES.items():
            page.goto(address(stack, path))
            expect(page.locator(ready).first).to_be_visible()
            expect(page.locator(".mantine-Skeleton-root")).to_have_count(0)
            name = path.strip("/").replace("/", "-") or "overview"
            visited.screenshot(f"dashboard-{name}-{look}", full_page=True)
            assert visited.accessibility_violations() == [], path
            wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wider <= 0, f"{path} scrolls sideways by {wider} px"


#: Each page, and what is there when it is ready.
PAGES = {"/": ".recharts-surface"}


def test_language_and_colours_are_remembered(browser: Browser, stack: Stack) -> None:
    with signed_in(browser, stack, locale="fr-FR") as visited:
        page = visited.page
        expect(page.get_by_role("heading", level=1)).to_have_text("Vue d’ensemble")
        assert page.evaluate("document.documentElement.lang") == "fr"

        page.get_by_role("button", name="Langue").click()
        page.get_by_role("menuitem", name="English").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
        page.get_by_role("button", name="Dark colours").click()
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")

        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")


def test_a_service_that_breaks_turns_red_and_its_door_closes(browser: Browser, stack: Stack) -> None:
    with signed_in(browser, stack) as visited:
        page = visited.page
        row = page.locator("[data-service=ohif]")
        expect(row.locator("[data-state=up]")).to_be_visible()
        container = stack.containers()["ohif"]
        docker("stop", container)
        try:
            expect(row.locator("[data-state=down]")).to_be_visible()
            expect(row).to_contain_text("Down")
            expect(page.locator("[data-door=ohif] button")).to_be_disabled()
        finally:
            docker("start", container)
        expect(row.locator("[data-state=up]")).to_be_visible()


def test_a_server_that_is_away_is_told_and_what_is_shown_is_marked_as_old(browser: Browser, stack: Stack) -> None:
    with visit(browser) as visited:
        page = visited.page
        page.goto(address(stack))
        sign_in(page, stack)
        studies = page.locator("[data-figure=studies] dd")
        expect(studies).not_to_be_empty()
        container = stack.containers()["orthanc"]
        # Paused, not stopped: connections are taken and never answered.
        docker("pause", container)
        try:
            expect(page.get_by_role("alert")).to_be_visible()
            expect(page.get_by_text("Out of date")).to_be_visible()
            expect(studies).not_to_be_empty()
        finally:
            docker("unpause", container)
        expect(page.get_by_text("Out of date")).to_have_count(0)
