"""``/report.html``: one page that shows a structure set and needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import numpy as np
import pydicom
import pytest
from fastapi.testclient import TestClient
from pydicom import Dataset

from report.facts import StructureFacts
from report.pictures import slice_pictures
from report.png import png_of
from report.texts import language_of
from rtstruct import analyse
from unit.archive_double import ArchiveDouble
from unit.rtstruct.shapes import encoded, structure


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data + " "

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        return [found for name, found in self.tags if name == tag and attributes.items() <= found.items()]


def page_of(client: TestClient, identifier: str, query: str = "") -> Page:
    answer = client.get(f"/api/extract-rt/{identifier}/report.html{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Page(answer.text)


def test_a_plan_shows_structures_histograms_and_slices(client: TestClient, plan: str) -> None:
    page = page_of(client, plan)
    for said in ("Lt Lung", "2005.1", "14.68", "PLAN PHYSICAL", "the only one of this study", "Areola has no contours"):
        assert said in page.text
    assert len(page.all("path", **{"class": "curve"})) == 9
    assert len(page.all("svg", **{"class": "slice"})) == 9
    assert len(page.all("path", **{"class": "own"})) == 9


def test_a_structure_set_with_images_shows_them(client: TestClient, stored_sarcoma: str) -> None:
    page = page_of(client, stored_sarcoma)
    pictures = page.all("image")
    assert len(pictures) == 3
    for picture in pictures:
        content = base64.b64decode((picture["href"] or "").removeprefix("data:image/png;base64,"))
        assert content.startswith(b"\x89PNG\r\n\x1a\n") and content.endswith(b"IEND\xaeB`\x82")
    assert "CT, 59 images" in page.text
    assert not page.all("path", **{"class": "curve"})


def test_a_structure_set_alone_still_gets_a_report(client: TestClient, alone: str) -> None:
    page = page_of(client, alone)
    assert page.text.count("none here") == 2
    assert not page.all("image")
    assert len(page.all("svg", **{"class": "slice"})) == 9
    assert "The referenced series" in page.text


def test_some_structures_can_be_asked_for(client: TestClient, small_plan: str) -> None:
    page = page_of(client, small_plan, "?structures=Heart,8")
    assert len(page.all("path", **{"class": "curve"})) == 2


def test_nothing_from_elsewhere_and_no_script_can_run(client: TestClient, small_plan: str) -> None:
    answer = client.get(f"/api/extract-rt/{small_plan}/report.html?structures=Heart,Scar")
    page = Page(answer.text)
    style = re.search("<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    assert policy == answer.headers["content-security-policy"]
    assert policy is not None and policy.startswith("default-src 'none'") and f"'sha256-{digest}'" in policy
    assert not page.all("script") and not page.all("link")
    assert not re.search(r"(?:src|href)=\"(?!data:)|url\(|@import|\sstyle=|\son\w+=", answer.text)


def test_no_name_and_no_number_of_the_patient(client: TestClient, archive: ArchiveDouble, small_plan: str) -> None:
    dataset = pydicom.dcmread(io.BytesIO(archive.read_instance(small_plan)))
    dataset.PatientName, dataset.PatientID = "Secret^Patient", "SECRET-ID"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    archive.store_instance(_written(dataset))
    answer = client.get("/api/extract-rt/1.2.3/report.html")
    assert "1.2.3" in answer.text and "ecret" not in answer.text.lower()


def test_every_text_is_escaped(client: TestClient, archive: ArchiveDouble, small: str) -> None:
    dataset = pydicom.dcmread(io.BytesIO(archive.read_instance(small)))
    attack = '<script>alert(1)</script>"><img src=x>'
    dataset.StructureSetLabel = "<b>x</b>&"
    dataset.ApprovalStatus = "<I>"
    for roi in dataset.StructureSetROISequence:
        roi.ROIName = attack
    for observation in dataset.RTROIObservationsSequence:
        observation.RTROIInterpretedType = "<U>"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    archive.store_instance(_written(dataset))
    page = page_of(client, "1.2.3")
    assert attack in page.text and "<b>x</b>&" in page.text
    assert {"script", "img", "b", "i", "u"}.isdisjoint(tag for tag, _ in page.tags)


def _written(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def test_it_speaks_the_language_asked_for(client: TestClient, small_plan: str) -> None:
    url = f"/api/extract-rt/{small_plan}/report.html?structures=Heart"
    french = client.get(url, headers={"Accept-Language": "fr-CH, fr;q=0.9, en;q=0.8"})
    assert french.headers["content-language"] == "fr"
    assert "Ensemble de structures" in french.text and "439,7" in french.text
    assert '<html lang="fr">' in french.text
    asked = client.get(f"{url}&lang=en", headers={"Accept-Language": "fr"})
    assert asked.headers["content-language"] == "en" and "439.7" in asked.text


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("de, fr;q=0.5", "fr"),
        ("en-US,fr", "en"),
        ("fr;q=0.1,en;q=0.2", "en"),
        ("fr;q=x", "en"),
        ("*", "en"),
    ],
)
def test_the_first_language_that_there_is_wins(accepted: str, language: str) -> None:
    assert language_of(None, accepted) == language


def test_a_dose_that_cannot_be_read_is_told_on_the_page(
    client: TestClient, archive: ArchiveDouble, small_plan: str
) -> None:
    dose = next(key for key, stored in archive.instances.items() if stored.sop_class_uid.endswith("481.2"))
    dataset = pydicom.dcmread(io.BytesIO(archive.read_instance(dose)))
    archive.delete("instance", dose)
    dataset.GridFrameOffsetVector = [0, 3]
    archive.store_instance(_written(dataset))
    assert "2 values for 98 planes" in page_of(client, small_plan).text
    assert client.get(f"/api/extract-rt/{small_plan}/report.html?dose={dataset.SOPInstanceUID}").status_code == 422


def test_charts_and_pictures_are_well_formed_svg(client: TestClient, small_plan: str) -> None:
    content = client.get(f"/api/extract-rt/{small_plan}/report.html?structures=Heart,Scar").text
    for drawing in re.findall("<svg.*?</svg>", content, re.DOTALL):
        ElementTree.fromstring(drawing)


def test_a_set_without_any_contour_gets_a_report(client: TestClient, archive: ArchiveDouble) -> None:
    made = Dataset()
    made.SOPClassUID, made.Modality = "1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT"
    made.SOPInstanceUID, made.StudyInstanceUID, made.SeriesInstanceUID = "1.2.3", "1.2.4", "1.2.5"
    made.PatientID = "P"
    archive.store_instance(encoded(made))
    page = page_of(client, "1.2.3")
    assert "Quality" in page.text and not page.all("svg", **{"class": "slice"})


def test_planes_of_any_direction_are_drawn_without_images() -> None:
    for axis in range(3):
        points = [
            np.roll(np.array([[0.0, 0, z], [40, 0, z], [40, 30, z], [0, 30, z]]), axis, axis=1) for z in (0, 3, 6)
        ]
        made = structure(*points)
        (picture,) = slice_pictures([StructureFacts(made, analyse(made), None, None, None)], None)
        assert picture.position_mm == pytest.approx(3)
        assert picture.window[2] == 80
        assert len(picture.outlines) == 1


def test_pictures_are_png_files_that_others_read() -> None:
    image = pytest.importorskip("PIL.Image")
    generator = np.random.default_rng(3)
    for shape in ((5, 7), (4, 6, 3), (1, 1)):
        pixels = generator.integers(0, 256, shape, dtype=np.uint8)
        assert np.array_equal(np.asarray(image.open(io.BytesIO(png_of(pixels)))), pixels)
