"""Orthanc's own pages lead to OHIF, and send studies on."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from pydicom import dcmread

from e2e.browser import PATIENCE_MS, visit
from e2e.stack import Stack
from integration.containers import PASSWORDS, TESTS_HOST, OrthancServer, configuration
from integration.datasets import STS_CT, STS_STRUCTURES, STS_STUDY
from integration.destination import DestinationArchive


@pytest.mark.parametrize(
    ("locale", "open_label", "structures_label"),
    [("en-GB", "Open in OHIF", "See structures"), ("fr-FR", "Ouvrir dans OHIF", "Voir les structures")],
)
def test_explorers_pages_of_studies_and_instances_lead_to_ohif(
    stack: Stack, browser: Browser, locale: str, open_label: str, structures_label: str
) -> None:
    with stack.orthanc() as orthanc:
        ct = orthanc.post("/instances", content=STS_CT[0].read_bytes()).json()
        structures = orthanc.post("/instances", content=STS_STRUCTURES.read_bytes()).json()
    explorer = f"http://127.0.0.1:{stack.http_port}/app/explorer.html"
    viewer = f"http://127.0.0.1:{stack.ohif_port}/viewer?StudyInstanceUIDs={STS_STUDY}"

    with visit(browser, account=("viewer", stack.settings()["PACS_VIEWER_PASSWORD"]), locale=locale) as visitor:
        page = visitor.page
        page.goto(f"{explorer}#study?uuid={structures['ParentStudy']}")
        link = page.locator("#study").get_by_role("link", name=structures_label)
        expect(link).to_have_attribute("href", viewer, timeout=PATIENCE_MS)

        page.goto(f"{explorer}#instance?uuid={structures['ID']}")
        link = page.locator("#instance").get_by_role("link", name=structures_label)
        address = f"{viewer}&structures={dcmread(STS_STRUCTURES).SOPInstanceUID}"
        expect(link).to_have_attribute("href", address, timeout=PATIENCE_MS)
        visitor.screenshot(f"explorer-structure-set-{locale[:2]}")

        # By way of another page to another instance: not the button of the one before.
        page.goto(f"{explorer}#study?uuid={structures['ParentStudy']}")
        expect(page.locator("#study")).to_be_visible(timeout=PATIENCE_MS)
        page.goto(f"{explorer}#instance?uuid={ct['ID']}")
        expect(link).to_have_count(0, timeout=PATIENCE_MS)
        with visitor.context.expect_page() as opened:
            page.locator("#instance").get_by_role("link", name=open_label).click()
        assert opened.value.url == viewer
        assert visitor.complaints == []


def test_a_study_is_sent_from_its_page_and_where_it_is_stands_there(browser: Browser, tmp_path: Path) -> None:
    with DestinationArchive("ARCHIVE") as archive:
        config = configuration(tmp_path, {"archive": [archive.aet, TESTS_HOST, archive.port]})
        by_hand = {"archive": {"Kind": "dicom", "Modality": "archive"}}
        (config / "forwarding.json").write_text(json.dumps({"Forwarding": {"Destinations": by_hand}}))
        with OrthancServer(config) as orthanc, visit(browser, account=("admin", PASSWORDS["admin"])) as visitor:
            with orthanc.http() as client:
                study = client.post("/instances", data=STS_CT[0].read_bytes()).json()["ParentStudy"]
            page = visitor.page
            page.goto(f"http://127.0.0.1:{orthanc.http_port}/app/explorer.html#study?uuid={study}")
            deliveries = page.locator(".pacs-deliveries")
            deliveries.get_by_role("link", name="Send to archive").click(timeout=PATIENCE_MS)
            expect(deliveries.locator("li[data-state=delivered]")).to_contain_text(
                "archive: delivered, 1/1", timeout=PATIENCE_MS
            )
            expect(deliveries.get_by_role("link", name="Send again to archive")).to_be_visible(timeout=PATIENCE_MS)
            visitor.screenshot("explorer-deliveries")
            assert visitor.complaints == []
        assert len(archive.arrivals) == 1
