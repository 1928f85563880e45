"""``/table.csv``: one row a structure, for spreadsheets and programs."""

from __future__ import annotations

import csv
import io

import pydicom
import pytest
from fastapi.testclient import TestClient

from unit.archive_double import ArchiveDouble


def rows(content: bytes, delimiter: str = ",") -> dict[str, dict[str, str]]:
    read = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter)
    return {row["name"]: row for row in read}


def test_a_plan_with_a_dose_gets_geometry_names_and_doses(client: TestClient, plan: str) -> None:
    answer = client.get(f"/api/extract-rt/{plan}/table.csv?d=95,0.1cc&v=5Gy,50%25")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].endswith('.csv"')
    table = rows(answer.content)
    assert list(table)[:3] == ["BODY", "Areola", "Borders"]
    lung = table["Lt Lung"]
    assert (lung["number"], lung["type"], lung["tg263"]) == ("6", "AVOIDANCE", "Lung_L")
    assert float(lung["volume_cm3"]) == pytest.approx(2005.1, abs=0.1)
    assert float(lung["Dmean_Gy"]) == pytest.approx(0.908, rel=0.005)
    assert float(lung["D95%_Gy"]) < float(lung["Dmean_Gy"]) < float(lung["D0.1cc_Gy"]) < float(lung["Dmax_Gy"])
    assert float(lung["V5Gy_cm3"]) > float(lung["V50%_percent"]) > 0
    assert float(lung["extent_z_mm"]) == pytest.approx(237, abs=0.1)
    assert table["Areola"]["volume_cm3"] == table["Areola"]["Dmean_Gy"] == ""
    assert table["Areola"]["warnings"] == "no_contours no_volume"
    # One slice of the CT is there.
    assert "contours_outside_image" in lung["warnings"]


def test_a_structure_set_with_images_gets_mean_intensities(client: TestClient, stored_sarcoma: str) -> None:
    (tumour,) = rows(client.get(f"/api/extract-rt/{stored_sarcoma}/table.csv").content).values()
    assert -50 < float(tumour["mean_intensity"]) < 100
    assert tumour["intensity_unit"] == "HU"
    assert tumour["Dmean_Gy"] == ""


def test_a_structure_set_alone_gets_its_geometry(client: TestClient, alone: str) -> None:
    table = rows(client.get(f"/api/extract-rt/{alone}/table.csv?separator=semicolon").content, ";")
    assert table["Heart"]["volume_cm3"] == "439,699"
    assert table["Heart"]["mean_intensity"] == table["Heart"]["Dmax_Gy"] == ""


def test_names_cannot_become_formulas(client: TestClient, archive: ArchiveDouble, small: str) -> None:
    dataset = pydicom.dcmread(io.BytesIO(archive.read_instance(small)))
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset.StructureSetROISequence[1].ROIName = "=cmd|'/c calc'!A0"
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    archive.store_instance(buffer.getvalue())
    table = rows(client.get("/api/extract-rt/1.2.3/table.csv").content)
    assert "'=cmd|'/c calc'!A0" in table and "=cmd|'/c calc'!A0" not in table


@pytest.mark.parametrize(
    ("query", "status"), [("d=x", 422), ("v=x", 422), ("series=1.2.3", 404), ("dose=1.2.3", 404), ("structures=x", 404)]
)
def test_what_was_asked_for_by_name_has_to_be_there(client: TestClient, small: str, query: str, status: int) -> None:
    answer = client.get(f"/api/extract-rt/{small}/table.csv?{query}")
    assert answer.status_code == status
    assert answer.json()["remedy"]
