"""OHIF in a real browser, on the real stack: images, structures without a click, reasons, the log-in."""

import json
import time
from io import BytesIO

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from pydicom import dcmread

from benchmarks.synthetic import ct_series, structure_set
from e2e.browser import PATIENCE_MS, Visit, visit, wait_for, wait_for_images
from e2e.stack import Stack
from integration.datasets import (
    DATA,
    DICOMPYLER_STRUCTURES,
    STS_STRUCTURES,
    STS_STUDY,
    copy_of,
    file_of,
)

#: Pixels that are not grey.
COLOURED_PIXELS = """() => {
    const canvas = document.querySelector('canvas.cornerstone-canvas');
    if (!canvas) return 0;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let found = 0;
    for (let at = 0; at < data.length; at += 4) if (Math.abs(data[at] - data[at + 1]) > 24) found += 1;
    return found;
}"""
STRUCTURES = ".svg-layer path"
#: Whether the plane of an image is the same answer for whom asks twice in one task, and for whom asks in a later one.
PLANES = """async () => {
    const { viewportGridService, cornerstoneViewportService } = window.services;
    const viewport = cornerstoneViewportService.getCornerstoneViewport(viewportGridService.getActiveViewportId());
    const plane = () => window.cornerstone.metaData.get('imagePlaneModule', viewport.getImageIds()[0]);
    const [first, second] = [plane(), plane()];
    await new Promise(resolve => setTimeout(resolve));
    return [first === second, first === plane()];
}"""
#: The original, whatever else has come to the study.
STALE = str(dcmread(STS_STRUCTURES, stop_before_pixels=True).SOPInstanceUID)


@pytest.fixture(scope="module")
def account(stack: Stack) -> tuple[str, str]:
    return "viewer", stack.settings()["PACS_VIEWER_PASSWORD"]


def store(stack: Stack, *files: bytes) -> None:
    with stack.orthanc() as orthanc:
        for file in files:
            assert orthanc.post("/instances", content=file).status_code == 200


@pytest.fixture(scope="module")
def whole_study(stack: Stack) -> str:
    """Twenty-four slices, and thirty structures on twenty of them; the Study Instance UID.

    Of odd size: a segmentation of them fills whole words only if it is written with care.
    """
    slices = ct_series(24, rows=101, columns=99)
    datasets = [dcmread(BytesIO(file)) for file in slices]
    store(stack, *slices, structure_set("small", datasets))
    return str(datasets[0].StudyInstanceUID)


@pytest.fixture(scope="module")
def sts_study(stack: Stack) -> str:
    """A real study whose structure sets name instances that are not there."""
    store(stack, *(path.read_bytes() for path in sorted((DATA / "sts/STS_001").rglob("*.dcm"))))
    return STS_STUDY


def open_study(visitor: Visit, stack: Stack, study: str, structures: str = "") -> Page:
    query = f"StudyInstanceUIDs={study}" + (f"&structures={structures}" if structures else "")
    visitor.page.goto(f"http://127.0.0.1:{stack.ohif_port}/viewer?{query}")
    return visitor.page


def wait_for_structures(page: Page) -> None:
    wait_for(page, f"document.querySelector('{STRUCTURES}') !== null")


def test_the_study_list_shows_what_is_stored(
    stack: Stack, browser: Browser, account: tuple[str, str], sts_study: str
) -> None:
    with visit(browser, account=account) as visitor:
        visitor.page.goto(f"http://127.0.0.1:{stack.ohif_port}/")

        expect(visitor.page.get_by_text("STS_001").first).to_be_visible(timeout=PATIENCE_MS)
        visitor.screenshot("ohif-studies")
        assert visitor.complaints == [] or visitor.network_changed
        assert visitor.foreign_requests(stack.ohif_port) == []


def test_a_link_to_a_study_shows_its_images_and_structures_without_a_click(
    stack: Stack, browser: Browser, account: tuple[str, str], whole_study: str
) -> None:
    with visit(browser, account=account) as visitor:
        page = open_study(visitor, stack, whole_study)

        wait_for_images(page)
        wait_for_structures(page)
        assert page.locator(STRUCTURES).count() >= 10
        assert page.evaluate("window.services.measurementService.measurements.size") == 0, "a contour is no measurement"
        expect(page.locator("#pacs-notice")).to_have_count(0)
        visitor.screenshot("ohif-structures")
        assert visitor.complaints == [] or visitor.network_changed
        assert visitor.foreign_requests(stack.ohif_port) == []


def test_planes_of_images_are_worked_out_once_for_all_contours_and_anew_for_what_comes_later(
    stack: Stack, browser: Browser, account: tuple[str, str], whole_study: str
) -> None:
    with visit(browser, account=account) as visitor:
        page = open_study(visitor, stack, whole_study)

        wait_for_structures(page)
        assert page.evaluate(PLANES) == [True, False]


@pytest.mark.parametrize(
    ("locale", "title", "reason"),
    [
        ("en-GB", "The structures cannot be shown", "instances that are not in it"),
        ("fr-FR", "Les structures ne peuvent pas être affichées", "des instances qui n’y sont pas"),
    ],
)
def test_a_structure_set_with_stale_references_says_so_instead_of_showing_nothing(
    stack: Stack, browser: Browser, account: tuple[str, str], sts_study: str, locale: str, title: str, reason: str
) -> None:
    with visit(browser, account=account, locale=locale) as visitor:
        page = open_study(visitor, stack, sts_study, structures=STALE)

        notice = page.get_by_role("alert").filter(has_text=title)
        expect(notice).to_contain_text(reason, timeout=PATIENCE_MS)
        # What the quality report adds.
        expect(notice.locator("li").first).to_be_attached(timeout=PATIENCE_MS)
        wait_for_images(page)
        visitor.screenshot(f"ohif-stale-references-{locale[:2]}")
        assert visitor.accessibility_violations(within="#pacs-notice") == []
        assert visitor.complaints == [] or visitor.network_changed

        notice.get_by_role("button").last.click()
        expect(notice).to_have_count(0)


def test_the_repaired_copy_of_a_set_with_stale_references_is_shown(
    stack: Stack, browser: Browser, account: tuple[str, str], sts_study: str
) -> None:
    # A reader is told whom to ask.
    with visit(browser, account=account) as visitor:
        page = open_study(visitor, stack, sts_study, structures=STALE)
        page.get_by_role("button", name="Make a repaired copy").click()
        expect(page.locator("#pacs-notice")).to_contain_text("ask an administrator", timeout=PATIENCE_MS)

    with visit(browser, account=("admin", stack.settings()["PACS_ADMIN_PASSWORD"])) as visitor:
        page = open_study(visitor, stack, sts_study, structures=STALE)
        page.get_by_role("button", name="Make a repaired copy").click()
        page.get_by_role("link", name="Show the repaired copy").click()

        wait_for_structures(page)
        wait_for_images(page)
        visitor.screenshot("ohif-repaired-copy")
        expect(page.locator("#pacs-notice")).to_have_count(0)


def test_a_segmentation_made_of_the_contours_is_painted_onto_the_images(
    stack: Stack, browser: Browser, account: tuple[str, str], whole_study: str
) -> None:
    with stack.orthanc() as orthanc:
        structures = dcmread(BytesIO(structure_set("small"))).SOPInstanceUID
        path = f"/api/extract-rt/{structures}/labelmap.seg.dcm?structures=1,2,3"
        deadline = time.monotonic() + 90
        while (answer := orthanc.get(path)).status_code == 202 and time.monotonic() < deadline:
            time.sleep(0.5)
        assert answer.status_code == 200
    segmentation = dcmread(BytesIO(answer.content))
    store(stack, answer.content)

    with visit(browser, account=account) as visitor:
        page = open_study(visitor, stack, whole_study, structures=segmentation.SOPInstanceUID)

        wait_for(page, f"({COLOURED_PIXELS})() > 100")
        visitor.screenshot("ohif-segmentation")
        expect(page.locator("#pacs-notice")).to_have_count(0)


def test_a_structure_set_without_its_images_says_so(stack: Stack, browser: Browser, account: tuple[str, str]) -> None:
    alone = copy_of(DICOMPYLER_STRUCTURES, "OHIF-ALONE")
    store(stack, file_of(alone))

    with visit(browser, account=account) as visitor:
        page = open_study(visitor, stack, alone.StudyInstanceUID)

        expect(page.locator("#pacs-notice")).to_contain_text("holds a structure set alone", timeout=PATIENCE_MS)
        visitor.screenshot("ohif-structure-set-alone")
        assert visitor.complaints == [] or visitor.network_changed


def test_a_study_that_is_not_there_says_so(stack: Stack, browser: Browser, account: tuple[str, str]) -> None:
    with visit(browser, account=account) as visitor:
        page = open_study(visitor, stack, "1.2.3.4")

        expect(page.locator("#pacs-notice")).to_contain_text("There is no such study", timeout=PATIENCE_MS)


def open_from_another_door(visitor: Visit, stack: Stack, origin: str, account: tuple[str, str], path: str) -> Page:
    """What the dashboard does (docs/ohif.md), from a page of the origin given: opens OHIF, and lends it the log-in."""
    viewer = f"http://127.0.0.1:{stack.ohif_port}"
    page = f"""<!doctype html><title>door</title><button>OHIF</button><script>
        const viewer = {json.dumps(viewer)};
        addEventListener('message', ({{ origin, source, data }}) => {{
            if (origin !== viewer || data?.type !== 'pacs-log-in-wanted') return;
            source.postMessage({{
                type: 'pacs-log-in', authorization: 'Basic ' + btoa({json.dumps(":".join(account))})
            }}, viewer);
        }});
        document.querySelector('button').onclick = () => open(viewer + '/pacs/log-in.html#' + {json.dumps(path)});
    </script>"""

    def answer(route: Route) -> None:
        route.fulfill(content_type="text/html", body=page)

    visitor.context.route(f"{origin}/", answer)
    visitor.page.goto(f"{origin}/")
    with visitor.context.expect_page() as opened:
        visitor.page.get_by_role("button").click()
    return opened.value


def test_the_dashboards_log_in_opens_the_viewer(
    stack: Stack, browser: Browser, account: tuple[str, str], whole_study: str
) -> None:
    with stack.viewer(account=None) as stranger:
        dashboard = f"http://127.0.0.1:{stranger.get('/doors.json').json()['dashboard']}"

    with visit(browser) as visitor:
        path = f"/viewer?StudyInstanceUIDs={whole_study}"
        page = open_from_another_door(visitor, stack, dashboard, account, path)

        wait_for_images(page)
        wait_for_structures(page)
        assert page.url.endswith(path)
        assert page.evaluate("window.opener") is None
        assert visitor.complaints == [] or visitor.network_changed


def test_a_log_in_from_any_other_origin_is_not_taken(stack: Stack, browser: Browser, account: tuple[str, str]) -> None:
    with visit(browser) as visitor:
        page = open_from_another_door(visitor, stack, "http://127.0.0.1:1999", account, "/")

        page.wait_for_url(f"http://127.0.0.1:{stack.ohif_port}/")
        assert page.evaluate("sessionStorage.length") == 0


def test_a_log_in_that_holds_no_longer_is_forgotten(
    stack: Stack, browser: Browser, account: tuple[str, str], sts_study: str
) -> None:
    with visit(browser, account=account) as visitor:
        visitor.page.goto(f"http://127.0.0.1:{stack.ohif_port}/doors.json")
        visitor.page.evaluate("sessionStorage.setItem('pacs.authorization', 'Basic ' + btoa('viewer:old'))")
        visitor.page.goto(f"http://127.0.0.1:{stack.ohif_port}/")

        visitor.page.wait_for_function("sessionStorage.getItem('pacs.authorization') === null")
        expect(visitor.page.get_by_text("STS_001").first).to_be_visible(timeout=PATIENCE_MS)


def test_files_that_never_change_are_kept_and_all_are_sent_compressed(stack: Stack) -> None:
    with stack.viewer(account=None) as stranger:
        start = stranger.get("/")
        bundle = start.text.split('src="/app.bundle.')[1].split('"')[0]
        script = stranger.get(f"/app.bundle.{bundle}")
        settings = stranger.get("/app-config.js")

        assert start.headers["cache-control"] == "no-cache"
        assert "default-src 'self'" in start.headers["content-security-policy"]
        assert script.headers["content-encoding"] == "gzip"
        assert "immutable" in script.headers["cache-control"]
        assert settings.headers["cache-control"] == "no-cache"
        assert stranger.get("/", headers={"If-None-Match": start.headers["etag"]}).status_code == 304
        assert stranger.get("/viewer").text == start.text
        assert stranger.get("/no-such-file.js").status_code == 404
        assert stranger.get("/sw.js").status_code == 404


def test_the_viewers_door_asks_for_a_password_and_passes_nothing_but_what_the_viewer_needs(stack: Stack) -> None:
    with stack.viewer(account=None) as stranger:
        refused = stranger.get("/dicom-web/studies")
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Basic ")
        by_script = stranger.get("/dicom-web/studies", headers={"X-Requested-With": "XMLHttpRequest"})
        assert by_script.status_code == 401
        assert "www-authenticate" not in by_script.headers
    with stack.viewer("viewer") as viewer:
        assert viewer.get("/dicom-web/studies").status_code in {200, 204}
        assert viewer.get("/api/status").status_code == 200
        for path in ("/system", "/studies", "/tools/metrics-prometheus"):
            assert "<!doctype html>" in viewer.get(path).text, path
