"""The web doors in Chromium: weight and time of a first view, wheel steps, upload, OHIF, lists of many studies."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from pydicom import dcmread

from benchmarks import synthetic
from benchmarks.rows import Row, Runs, ratio_of, repeat, timed
from benchmarks.servers import ROOT, Orthanc, door, folder_of, orthanc
from e2e.browser import GREY_LEVELS, PATIENCE_MS, launch, visit

#: Turns the wheel a hundred times, one step for every frame, and answers how long each frame took, in ms.
WHEEL = """async (canvas) => {
    const frame = () => new Promise(requestAnimationFrame);
    const times = [];
    await frame();
    for (let step = 0; step < 100; step++) {
        const begin = performance.now();
        canvas.dispatchEvent(new WheelEvent('wheel', { deltaY: step < 50 ? 50 : -50, cancelable: true }));
        await frame();
        times.push(performance.now() - begin);
    }
    return times;
}"""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def rows(runs: Runs) -> Iterator[Row]:
    """Weight, times and rates; each visit has a cache of its own."""
    slices = synthetic.ct_series(100)
    structures = synthetic.structure_set("moderate", [dcmread(BytesIO(each)) for each in slices])
    with orthanc() as server, door(server, "dashboard") as address, sync_playwright() as playwright:
        browser = launch(playwright)
        for dicom in [*slices, structures]:
            server.post("/api/upload", dicom)
        server.wait_until_extracted()
        yield from _first_view(browser, server, address, runs)
        yield _wheel(browser, server, address)
        with door(server, "ohif") as viewer:
            yield _ohif(browser, server, viewer, synthetic.STUDY_UID, "30 ROIs × 100 slices of 512²", runs)
            yield _ohif(browser, server, viewer, _real_study(server), "a patient's tumour on 59 slices", runs)
        yield _upload(browser, server, address, runs)
        browser.close()
        yield _studies(server, 1000 if runs.quick else 10_000)


def _sign_in(page: Page, server: Orthanc) -> None:
    user, password = server.session.auth  # type: ignore[misc]
    page.locator("input[name=user]").fill(user)
    page.locator("input[name=password]").fill(password)
    page.locator("button[type=submit]").click()


def _first_view(browser: Browser, server: Orthanc, address: str, runs: Runs) -> Iterator[Row]:
    weights, painted, interactive = [], [], []
    for _ in range(runs.of(7)):
        with visit(browser) as visited:
            sizes: list[int] = []
            page = visited.page
            page.on("requestfinished", lambda request: sizes.append(_transferred(request)))  # noqa: B023
            seconds = timed(lambda: (page.goto(address), page.locator("input[name=user]").wait_for()))  # noqa: B023
            interactive.append(seconds)
            # The form can be there a moment before the browser has drawn it.
            painted.append(float(page.wait_for_function(PAINTED).json_value()) / 1000)
            _sign_in(page, server)
            page.locator(".recharts-surface").first.wait_for()
            weights.append(sum(sizes))
    weight, first, ready = (statistics.median(values) for values in (weights, painted, interactive))
    what = "dashboard: transferred until the overview with its charts is there, gzip"
    yield Row(what, f"{weight / 1000:.0f} kB", "≤ 350 kB", "all files and answers with their headers")
    note = f"median of {len(painted)} visits with an empty cache"
    yield Row("first contentful paint / form ready", f"{first:.2f} s / {ready:.2f} s", "≤ 1.0 s / ≤ 1.5 s", note)


def _transferred(request: object) -> int:
    sizes = request.sizes()  # type: ignore[attr-defined]
    return int(sizes["responseBodySize"] + sizes["responseHeadersSize"])


def _wheel(browser: Browser, server: Orthanc, address: str) -> Row:
    with visit(browser) as visited:
        page = visited.page
        page.goto(f"{address}/studies/{synthetic.STUDY_UID}")
        _sign_in(page, server)
        page.locator("canvas[data-picture=shown]:not([data-structures='0'])").wait_for()
        canvas = page.locator("canvas[data-slice]")
        # The second time round every slice is here, as it is for somebody who reads.
        canvas.evaluate(WHEEL)
        page.wait_for_timeout(3000)
        times = canvas.evaluate(WHEEL)
    median_ms = statistics.median(times)
    slow = sorted(times)[94]
    result = f"{1000 * len(times) / sum(times):.0f} frames/s (median {median_ms:.0f} ms, 95 % {slow:.0f} ms)"
    return Row("100 wheel steps, 30 ROIs × 100 slices of 512²", result, "≥ 30 frames/s", "software rendering")


def _real_study(server: Orthanc) -> str:
    """The CT of STS_001 with a repaired copy of its structures, which is the one that OHIF can show."""
    folder = ROOT / "tests/data/sts/STS_001/CT"
    for file in sorted(folder.rglob("*.dcm")):
        server.post("/api/upload", file.read_bytes())
    original = dcmread(next(folder.glob("mask/*.dcm")))
    while (
        server.post(f"/api/extract-rt/{original.SOPInstanceUID}/repair", b"{}", "application/json").status_code == 202
    ):
        time.sleep(0.5)
    return str(original.StudyInstanceUID)


def _ohif(browser: Browser, server: Orthanc, address: str, study: str, what: str, runs: Runs) -> Row:
    user, password = server.session.auth  # type: ignore[misc]
    pixels, structures = [], []
    for _ in range(runs.of(5)):
        with visit(browser, account=(user, password)) as visited:
            page = visited.page

            def look(page: Page = page) -> None:
                page.goto(f"{address}/viewer?StudyInstanceUIDs={study}")
                page.wait_for_function(f"({GREY_LEVELS})() > 10", timeout=PATIENCE_MS)

            pixels.append(timed(look))
            structures.append(timed(lambda: page.wait_for_selector(".svg-layer path", state="attached")))  # noqa: B023
    result = f"{statistics.median(pixels):.1f} s / {statistics.median(structures):.1f} s later"
    note = f"median of {len(pixels)} visits with an empty cache"
    return Row(f"OHIF: first pixels / structures, {what}", result, "≤ 5 s / ≤ 2 s later", note)


def _upload(browser: Browser, server: Orthanc, address: str, runs: Runs) -> Row:
    slices = synthetic.ct_series(500, 256, 256)
    times: list[tuple[float, float]] = []
    with folder_of(slices) as folder, visit(browser) as visited:
        page = visited.page
        page.goto(f"{address}/upload")
        _sign_in(page, server)
        for _ in range(runs.of(5)):
            server.empty()
            stored_s = server.store(Path(folder))
            server.empty()
            page.locator("[data-folder]").set_input_files(folder)
            seconds = timed(lambda: page.get_by_text("Clear the list").wait_for(timeout=10 * PATIENCE_MS))
            times.append((seconds, stored_s))
            page.get_by_text("Clear the list").click()
    return Row("upload of 500 slices from the browser : storescu", ratio_of(times), "≤ 2.0", f"{len(times)} pairs")


def _studies(server: Orthanc, many: int) -> Row:
    server.empty()
    template = dcmread(BytesIO(synthetic.ct_series(1, 8, 8)[0]))

    def store(first: int, last: int) -> None:
        def one(number: int) -> None:
            dataset = dcmread(BytesIO(blank))
            dataset.StudyInstanceUID = f"{synthetic.UID_ROOT}.9.{number}.1"
            dataset.SeriesInstanceUID = f"{synthetic.UID_ROOT}.9.{number}.2"
            dataset.SOPInstanceUID = f"{synthetic.UID_ROOT}.9.{number}.3"
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            dataset.PatientID, dataset.PatientName = f"P{number:06}", f"Family{number % 997}^Given{number % 31}"
            buffer = BytesIO()
            dataset.save_as(buffer)
            server.another_client().post("/instances", buffer.getvalue(), patience=20)

        saved = BytesIO()
        template.save_as(saved)
        blank = saved.getvalue()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(one, range(first, last)))
        while server.get("/api/studies?limit=1").json()["total"] < last:
            pass

    def page() -> float:
        path = "/api/studies?limit=25&sort=patient_name&order=asc"
        return statistics.median(repeat(lambda: server.get(path), 20)) * 1000

    store(0, 100)
    few = page()
    store(100, many)
    result = f"{few:.0f} ms → {page():.0f} ms"
    return Row(f"first page of the studies, 100 → {many:,} studies", result, "≤ 300 ms", "server time, median of 20")
