"""The dashboard as people use it: a real browser, the real stack, nothing mocked."""

import base64
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect
from pydicom import dcmread
from pydicom.uid import generate_uid

from e2e.browser import DESKTOP, PATIENCE_MS, PHONE, visit, wait_for_images
from e2e.dashboard import BREAST, DATA, SARCOMA, address, sign_in, signed_in, zip_of
from e2e.stack import Stack, docker

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def filled(stack: Stack) -> Stack:
    """The stack, with the study of dicompyler and the images and structures of STS_001 in it."""
    with stack.dashboard() as client:
        for name in ("dicompyler", "sts/STS_001"):
            answer = client.post("/api/upload", content=zip_of(stack.folder / "tests/data" / name))
            assert answer.status_code == 200, answer.text[:500]
    return stack


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
    browser: Browser, filled: Stack, dark: bool, size: ViewportSize
) -> None:
    look = f"{'dark' if dark else 'light'}-{'phone' if size == PHONE else 'desktop'}"
    with visit(browser, dark=dark, size=size) as visited:
        visited.page.goto(address(filled))
        expect(visited.page.locator("input[name=password]")).to_be_visible()
        visited.screenshot(f"dashboard-sign-in-{look}")
        assert visited.accessibility_violations() == []
    with signed_in(browser, filled, dark=dark, size=size) as visited:
        page = visited.page
        for path, ready in PAGES.items():
            page.goto(address(filled, path.format(sarcoma=SARCOMA, breast=BREAST)))
            expect(page.locator(ready).first).to_be_attached()
            expect(page.locator(".mantine-Skeleton-root")).to_have_count(0)
            name = path.strip("/").replace("/", "-").translate({ord("{"): None, ord("}"): None}) or "overview"
            visited.screenshot(f"dashboard-{name}-{look}", full_page=True)
            assert visited.accessibility_violations() == [], path
            wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wider <= 0, f"{path} scrolls sideways by {wider} px"
            if path == "/studies":
                expect(page.get_by_role("button", name="More actions for STS_001")).to_be_in_viewport(ratio=1)


#: Each page, and what is there when it is ready.
PAGES = {
    "/": ".recharts-surface",
    "/studies": "[data-study]",
    "/upload": "[data-folder]",
    "/extractions": "[data-extraction=done]",
    "/deliveries": "[aria-labelledby=destinations-title]",
    "/studies/{sarcoma}": "canvas[data-picture=shown][data-structures='1']",
    "/studies/{breast}": "[data-structure=Heart]",
}


def test_language_and_colours_are_remembered(browser: Browser, stack: Stack) -> None:
    with signed_in(browser, stack, locale="fr-FR") as visited:
        page = visited.page
        expect(page.get_by_role("heading", level=1)).to_have_text("Vue d’ensemble")
        assert page.evaluate("document.documentElement.lang") == "fr"

        page.get_by_role("button", name="English").click()
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
        docker("stop", container)
        try:
            expect(page.get_by_role("alert").first).to_be_visible()
            expect(page.get_by_text("Out of date")).to_be_visible()
            expect(studies).not_to_be_empty()
        finally:
            docker("start", container)
        expect(page.get_by_text("Out of date")).to_have_count(0)


def asked_for(url: str) -> str:
    """The words of a question for studies; of any other address, none."""
    parts = urlsplit(url)
    return parse_qs(parts.query).get("q", [""])[0] if parts.path == "/api/studies" else ""


def counter(page: Page, name: str) -> int:
    return int(page.locator(f"[data-figure={name}] dd").inner_text().replace(",", ""))


def renamed(folder: Path, target: Path, name: str, patient_id: str) -> list[Path]:
    """Copies of a folder's DICOM files as a study of their own, of another patient."""
    roots: dict[str, str] = {}
    files = []
    for index, source in enumerate(sorted(folder.rglob("*.dcm"))):
        dataset = dcmread(source)
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            value = str(getattr(dataset, keyword))
            setattr(dataset, keyword, roots.setdefault(value, str(generate_uid())))
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.SpecificCharacterSet = "ISO_IR 192"
        dataset.PatientName, dataset.PatientID = name, patient_id
        file = target / source.relative_to(folder).parent / f"{index:04}.dcm"
        file.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(file)
        files.append(file)
    return files


def test_a_folder_and_a_zip_are_uploaded_counted_and_found_with_an_accent(
    browser: Browser, stack: Stack, tmp_path: Path
) -> None:
    source = stack.folder / "tests/data/sts/STS_001"
    # One of this run: a second try finds what the first has left.
    patient_id = f"ACCENT-{generate_uid()[-8:]}"
    as_folder = renamed(source, tmp_path / "Klinik", "Übelhör^Zoë", patient_id)
    (tmp_path / "Klinik" / "notes.txt").write_text("not an image")
    renamed(source / "CT", tmp_path / "second", "Núñez^Inés", f"{patient_id}-2")
    archive = tmp_path / "study.zip"
    archive.write_bytes(zip_of(tmp_path / "second"))

    with signed_in(browser, stack) as visited:
        page = visited.page
        expect(page.locator("[data-figure=studies] dd")).not_to_be_empty()
        studies, instances = counter(page, "studies"), counter(page, "instances")

        page.get_by_role("link", name="Upload").click()
        page.locator("[data-folder]").set_input_files(tmp_path / "Klinik")
        expect(page.locator("[data-count=stored] dd")).to_have_text(str(len(as_folder)))
        expect(page.locator("[data-transfer=rejected]")).to_contain_text("notes.txt")
        visited.screenshot("dashboard-upload-done", full_page=True)
        # Another page, and back: the list is still there.
        page.get_by_role("link", name="Studies").click()
        page.get_by_role("link", name="Upload").click()
        expect(page.locator("[data-transfer=rejected]")).to_contain_text("notes.txt")

        page.locator("input[type=file]:not([data-folder])").set_input_files(archive)
        expect(page.locator("[data-count=stored] dd")).to_have_text(str(len(as_folder) + 1))
        expect(page.get_by_role("link", name="Núñez, Inés").first).to_be_visible()
        assert visited.accessibility_violations() == []

        page.get_by_role("link", name="Overview").click()
        added = len(as_folder) + len(list((tmp_path / "second").rglob("*.dcm")))
        expect(page.locator("[data-figure=studies] dd")).to_have_text(f"{studies + 2:,}")
        expect(page.locator("[data-figure=instances] dd")).to_have_text(f"{instances + added:,}")
        expect(page.locator("[data-activity=extraction]").first).to_be_visible()

        page.get_by_role("link", name="Studies").click()
        for words in ("übelhör zoë", "UBELHOR", "ubelhör"):
            # The list of the words before stays until the answer to these has come.
            with page.expect_response(lambda answer, words=words: asked_for(answer.url) == f"{words} {patient_id}"):
                page.get_by_label("Search").fill(f"{words} {patient_id}")
            expect(page.locator("[data-study]")).to_have_text([re.compile("Übelhör, Zoë")])

        page.get_by_role("button", name=f"More actions for {patient_id}", exact=True).click()
        page.get_by_role("menuitem", name="Delete…").click()
        visited.screenshot("dashboard-delete")
        page.get_by_role("button", name="Delete for good").click()
        expect(page.get_by_text("No study matches")).to_be_visible()
        visited.complaints = visited.complaints_except(r"status of 422")


def test_studies_are_found_sorted_and_kept_in_the_address(browser: Browser, filled: Stack) -> None:
    with signed_in(browser, filled, "/studies?patient_id=STS_001") as visited:
        page = visited.page
        rows = page.locator("[data-study]")
        expect(rows).not_to_have_count(0)
        expect(rows).to_have_count(1)
        page.get_by_label("Search").fill("no such patient")
        expect(page.get_by_text("No study matches")).to_be_visible()

        page.get_by_label("Search").fill("sts")
        expect(rows).to_have_count(1)
        assert "q=sts" in page.url
        page.get_by_role("button", name="Patient ID").click()
        expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Patient ID")
        assert "sort=patient_id" in page.url
        page.reload()
        expect(rows).to_have_count(1)


def test_a_viewer_may_not_delete(browser: Browser, filled: Stack) -> None:
    with signed_in(browser, filled, "/studies", account="viewer") as visited:
        visited.page.get_by_role("button", name="More actions").first.click()
        expect(visited.page.get_by_role("menuitem", name="Delete (admin only)")).to_be_disabled()


#: How much of the canvas has about the colour of the structure, and a fingerprint of all of it.
LOOK = """(canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let coloured = 0, sum = 0;
    for (let i = 0; i < data.length; i += 4) {
        if (data[i] > 150 && data[i + 1] < 90 && data[i + 2] < 90) coloured++;
        sum = (sum * 31 + data[i] + 7 * data[i + 1]) % 1000003;
    }
    return [coloured, sum];
}"""


def look_at(page: Page, structures: int = 1) -> tuple[int, int]:
    canvas = page.locator(f"canvas[data-picture=shown][data-structures='{structures}']")
    expect(canvas).to_be_visible()
    coloured, fingerprint = canvas.evaluate(LOOK)
    return coloured, fingerprint


def test_structures_are_drawn_on_the_slices_and_in_space(browser: Browser, filled: Stack) -> None:
    with signed_in(browser, filled, "/studies?patient_id=STS_001") as visited:
        page = visited.page
        page.locator("[data-study] a").first.click()
        page.get_by_role("tab", name="CT_mask").click()
        structure = page.locator("[data-structure=GTV_Mass_CT]")
        expect(structure).to_contain_text("cm³")
        # From the images, with the suggestion of TG-263.
        expect(structure).to_contain_text("HU")

        canvas = page.locator("canvas[data-slice]")
        coloured, first = look_at(page)
        assert coloured > 100
        begin = int(canvas.get_attribute("data-slice") or "")

        canvas.hover()
        page.mouse.wheel(0, 100)
        expect(canvas).not_to_have_attribute("data-slice", str(begin))
        coloured, second = look_at(page)
        assert coloured > 100
        assert second != first
        before = int(canvas.get_attribute("data-slice") or "")
        canvas.press("ArrowUp")
        canvas.press("PageDown")
        expect(canvas).to_have_attribute("data-slice", str(before + 9))
        _, third = look_at(page)
        assert third not in {first, second}

        structure.get_by_role("checkbox").uncheck()
        hidden, _ = look_at(page, structures=0)
        assert hidden < coloured / 10
        structure.get_by_role("checkbox").check()
        look_at(page)

        page.get_by_text("Lung", exact=True).click()
        look_at(page)
        visited.screenshot("dashboard-slices")

        page.get_by_role("tab", name="3D").click()
        expect(page.locator("[data-scene=shown] canvas")).to_be_visible()
        visited.screenshot("dashboard-space")
        expect(page.get_by_text("OHIF would not show these structures as they are")).to_be_visible()


def test_a_dose_has_its_histogram_and_tags_can_be_read(browser: Browser, filled: Stack) -> None:
    with signed_in(browser, filled, f"/studies/{BREAST}") as visited:
        page = visited.page
        page.get_by_role("button", name="Compute the dose-volume histogram").click()
        expect(page.locator(".recharts-line-curve").first).to_be_attached()
        visited.screenshot("dashboard-histogram", full_page=True)

        page.get_by_role("button", name="DICOM tags of").first.click()
        page.get_by_role("dialog").get_by_label("Search").fill("PatientID")
        expect(page.get_by_role("dialog")).to_contain_text("123456")
        assert visited.accessibility_violations() == []


def test_ohif_opens_with_the_log_in_of_the_dashboard_and_shows_images(browser: Browser, filled: Stack) -> None:
    with visit(browser) as visited:
        page = visited.page
        page.goto(address(filled, f"/studies/{SARCOMA}"))
        sign_in(page, filled)
        with visited.context.expect_page() as opened:
            page.get_by_role("link", name="Open in OHIF").click()
        viewer = opened.value
        viewer.wait_for_url(f"http://127.0.0.1:{filled.ohif_port}/viewer?StudyInstanceUIDs={SARCOMA}")
        assert str(viewer.evaluate("sessionStorage.getItem('pacs.authorization')")).startswith("Basic ")
        assert viewer.evaluate("window.opener") is None
        # Without a question of the browser's, which nobody here would answer.
        wait_for_images(viewer)
        assert visited.foreign_requests(filled.dashboard_port, filled.ohif_port) == []


def test_the_documented_javascript_decodes_contours(browser: Browser, filled: Stack) -> None:
    structure_set = str(dcmread(DATA / "dicompyler/rtss.dcm", stop_before_pixels=True).SOPInstanceUID)
    (documented,) = re.findall(r"```js\n(.*?)```", (filled.folder / "docs/rtstruct/contours.md").read_text(), re.DOTALL)
    with filled.dashboard() as client:
        content = client.get(f"/api/extract-rt/{structure_set}/contours.bin").content
        lung = client.get(f"/api/extract-rt/{structure_set}/structures/6/contours").json()["contours"]
    with visit(browser) as visited:
        count, contours, first = visited.page.evaluate(
            f"""(encoded) => {{
                {documented.replace("export ", "")}
                const structures = decode(Uint8Array.from(atob(encoded), (each) => each.charCodeAt(0)).buffer);
                const lung = structures.find((each) => each.number === 6);
                return [structures.length, lung.contours.length, Array.from(lung.contours[0].points)];
            }}""",
            base64.b64encode(content).decode(),
        )
    assert (count, contours) == (10, len(lung))
    assert first == np.array(lung[0]["points_mm"], dtype=np.float32).ravel().tolist()
