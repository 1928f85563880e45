"""A plan arrives by C-STORE; with a browser and curl its histograms, its table and its report are there."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.uid import RLELossless, generate_uid

from integration import datasets
from integration.containers import Client, OrthancServer
from integration.modality import c_store
from integration.polling import eventually

READY_S = 60.0


@pytest.fixture(scope="module")
def plan() -> tuple[str, list[bytes]]:
    """The breast plan as another patient's study: the structure set's SOP Instance UID, and all files."""
    study, files = generate_uid(), []
    structures = ""
    for name in ("ct.0", "rtdose", "rtss"):
        dataset = dcmread(datasets.DATA / "dicompyler" / f"{name}.dcm")
        dataset.PatientID, dataset.PatientName, dataset.StudyInstanceUID = "DOSE-1", "Copy^Dose", study
        dataset.SeriesInstanceUID = generate_uid()
        datasets.renumber(dataset)
        files.append(datasets.file_of(dataset))
        structures = dataset.SOPInstanceUID
    return structures, files


def answered(client: Client, path: str) -> Any:
    """The answer of a computed route, once it is not 202 any more."""

    def look() -> Any:
        answer = client.get(path)
        return None if answer.status_code == 202 else answer

    answer = eventually(look, READY_S, f"{path} is computed", rest_s=0.5)
    assert answer.status_code == 200, answer.text
    return answer


def test_a_plan_gets_histograms_a_table_and_a_report(orthanc: OrthancServer, plan: tuple[str, list[bytes]]) -> None:
    structure_set, files = plan
    assert c_store(orthanc.dicom_port, *files) == [0x0000] * 3
    client = orthanc.http()
    base = f"/api/extract-rt/{structure_set}"

    dvh = answered(client, f"{base}/dvh?d=95,0.1cc&v=5Gy")
    told = dvh.json()
    assert told["dose"]["summation_type"] == "PLAN"
    lung = next(each for each in told["structures"] if each["name"] == "Lt Lung")
    assert lung["mean"] == pytest.approx(0.908, rel=0.005)
    assert next(each for each in lung["stored"]["compared"] if each["name"] == "mean")["within_bin"]
    again = client.get(f"{base}/dvh?d=95,0.1cc&v=5Gy")
    assert again.content == dvh.content
    unchanged = client.get(f"{base}/dvh?d=95,0.1cc&v=5Gy", headers={"If-None-Match": dvh.headers["ETag"]})
    assert unchanged.status_code == 304

    table = answered(client, f"{base}/table.csv")
    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"), newline="")))
    assert [row["name"] for row in rows] == [each["name"] for each in told["structures"]]
    assert table.headers["Content-Disposition"].startswith("attachment; filename=")

    report = answered(client, f"{base}/report.html?lang=fr")
    assert report.headers["Content-Type"] == "text/html; charset=utf-8"
    assert report.headers["Content-Security-Policy"].startswith("default-src 'none'")
    page = report.content.decode()
    assert "Histogrammes dose-volume" in page and "Lt Lung" in page
    assert "DOSE-1" not in page and "Copy" not in page


def test_a_compressed_dose_is_read_as_the_archive_decodes_it(
    orthanc: OrthancServer, plan: tuple[str, list[bytes]]
) -> None:
    dose = dcmread(io.BytesIO(plan[1][1]))
    # Run-length encoding is for 8 and 16 bits (PS3.5, 8.2.2).
    step = int(dose.pixel_array.max()) // 0xFFFF + 1
    values = dose.pixel_array // step
    dose.DoseGridScaling *= step
    dose.BitsAllocated = dose.BitsStored = 16
    dose.HighBit = 15
    dose.compress(RLELossless, values.astype("u2"))
    datasets.renumber(dose)
    assert c_store(orthanc.dicom_port, plan[1][2], datasets.file_of(dose)) == [0x0000] * 2
    path = f"/api/extract-rt/{plan[0]}/dvh?structures=Lt Lung&dose={dose.SOPInstanceUID}"
    (lung,) = answered(orthanc.http(), path).json()["structures"]
    assert lung["mean"] == pytest.approx(0.908, rel=0.005)


def test_without_a_dose_the_answer_says_what_to_do(orthanc: OrthancServer) -> None:
    alone = datasets.copy_of(datasets.STS_STRUCTURES, "DOSE-2")
    assert c_store(orthanc.dicom_port, datasets.file_of(alone)) == [0x0000]
    answer = orthanc.http().get(f"/api/extract-rt/{alone.SOPInstanceUID}/dvh")
    assert answer.status_code == 404
    assert "?dose=" in answer.json()["remedy"]
