"""``/dvh`` and ``/dvh.csv`` of a real plan."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydicom import dcmread

from dose.models import DvhModel
from unit.archive_double import ArchiveDouble
from unit.conftest import InlineWorkers

Plan = dict[str, bytes]


def altered(data: bytes, **elements: Any) -> bytes:
    dataset = dcmread(io.BytesIO(data))
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def of(answer: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in answer["structures"] if each["name"] == name)
    return found


def table(content: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=delimiter))


def test_every_structure_gets_its_histogram_from_the_dose_of_the_study(
    client: TestClient, structure_set: str, dose_id: str
) -> None:
    answer = client.get(f"/api/extract-rt/{structure_set}/dvh", params={"d": "95,2,0.1cc", "v": "5Gy,50%"}).json()
    DvhModel.model_validate(answer)
    assert [each["name"] for each in answer["structures"]][:3] == ["BODY", "Areola", "Borders"]
    assert answer["dose"]["orthanc_id"] == dose_id
    assert answer["dose"]["chosen_because"] == "the only one of this study and frame of reference"
    assert (answer["dose"]["units"], answer["dose"]["summation_type"]) == ("GY", "PLAN")
    assert answer["reference_dose"]["source"] == "maximum of the dose grid"
    lung = of(answer, "Lt Lung")
    assert lung["volume_cm3"] == pytest.approx(2005, rel=0.002)
    assert lung["mean"] == pytest.approx(0.908, rel=0.005)
    assert list(lung["d"]) == ["D95%", "D2%", "D0.1cc"]
    assert lung["v"]["V5Gy"]["percent"] == pytest.approx(2.05, abs=0.05)
    assert lung["v"]["V50%"]["cm3"] < lung["v"]["V5Gy"]["cm3"]
    assert lung["curve"]["cumulative"][0] == pytest.approx(lung["volume_cm3"], rel=1e-4)
    assert lung["curve"]["bin_width"] == 0.05


def test_stored_histograms_stand_beside_ours(client: TestClient, structure_set: str, dose_id: str) -> None:
    asked = {"structures": "Heart,2", "dose": dose_id}
    answer = client.get(f"/api/extract-rt/{structure_set}/dvh", params=asked).json()
    areola, heart = answer["structures"]
    compared = {each["name"]: each for each in heart["stored"]["compared"]}
    assert compared["maximum"]["within_bin"] and compared["mean"]["within_bin"]
    assert abs(compared["volume_cm3"]["difference_percent"]) < 1
    assert areola["stored"] is None and areola["curve"] is None
    assert [warning["code"] for warning in areola["warnings"]] == ["no_volume"]
    assert answer["dose"]["chosen_because"] == "asked for"


def test_an_answer_is_kept_with_the_structure_set(
    client: TestClient, structure_set: str, dose_id: str, archive: ArchiveDouble, workers: InlineWorkers
) -> None:
    url = f"/api/extract-rt/{structure_set}/dvh?structures=9"
    first = client.get(url)
    calls = workers.calls
    again = client.get(url)
    assert again.content == first.content
    # What the set says of itself is read anew, since no extraction has run here; nothing is computed.
    assert workers.calls == calls + 1
    assert archive.count("attach") == 1
    assert client.get(url, headers={"If-None-Match": first.headers["etag"]}).status_code == 304


def test_the_dose_of_the_plan_comes_before_those_of_beams(
    client: TestClient, archive: ArchiveDouble, structure_set: str, plan: Plan, dose_id: str
) -> None:
    beam = altered(plan["RTDOSE"], SOPInstanceUID="1.2.3", DoseSummationType="BEAM", DVHSequence=[])
    other = altered(plan["RTDOSE"], SOPInstanceUID="1.2.4", ReferencedStructureSetSequence=[], DVHSequence=[])
    for dose in (beam, other):
        archive.store_instance(dose)
    answer = client.get(f"/api/extract-rt/{structure_set}/dvh?structures=9").json()
    assert answer["dose"]["orthanc_id"] == dose_id
    assert answer["dose"]["others"] == ["1.2.4", "1.2.3"]
    assert "PLAN comes first of the 3" in answer["dose"]["chosen_because"]


def test_without_a_dose_the_remedy_is_named(client: TestClient, structure_set: str) -> None:
    answer = client.get(f"/api/extract-rt/{structure_set}/dvh")
    assert answer.status_code == 404
    assert "no RTDOSE in the frame of reference" in answer.json()["detail"]
    assert "?dose=" in answer.json()["remedy"]


def test_a_dose_in_another_frame_of_reference_is_used_only_when_asked_for(
    client: TestClient, archive: ArchiveDouble, structure_set: str, plan: Plan
) -> None:
    moved = altered(plan["RTDOSE"], SOPInstanceUID="1.2.5", FrameOfReferenceUID="1.2.6", DVHSequence=[])
    archive.store_instance(moved)
    assert client.get(f"/api/extract-rt/{structure_set}/dvh?structures=9").status_code == 404
    answer = client.get(f"/api/extract-rt/{structure_set}/dvh?structures=9&dose=1.2.5").json()
    assert [each["code"] for each in answer["structures"][0]["warnings"]] == ["another_frame_of_reference"]


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("d=abc", 422, "'abc' is not a volume"),
        ("v=5cc", 422, "'5cc' is not a dose"),
        ("structures=Liver", 404, "no structure 'Liver'"),
        ("dose=1.2.3.4", 404, "no instance 1.2.3.4"),
        ("dose=nonsense", 422, "dose"),
        ("outside=maybe", 422, "outside"),
        ("bin_width=0", 422, "bin_width"),
    ],
)
def test_what_cannot_be_answered_is_said(
    client: TestClient, structure_set: str, dose_id: str, query: str, status: int, said: str
) -> None:
    answer = client.get(f"/api/extract-rt/{structure_set}/dvh?{query}")
    assert answer.status_code == status
    assert said in answer.json()["detail"]
    assert answer.json()["remedy"]


def test_what_is_not_a_dose_is_refused(
    client: TestClient, archive: ArchiveDouble, structure_set: str, plan: Plan
) -> None:
    image = archive.store_instance(plan["CT"]).orthanc_id
    answer = client.get(f"/api/extract-rt/{structure_set}/dvh?dose={image}")
    assert answer.status_code == 422
    assert "is not a dose: CT" in answer.json()["detail"]


def test_a_dose_that_cannot_be_read_is_refused_in_one_sentence(
    client: TestClient, archive: ArchiveDouble, structure_set: str, plan: Plan
) -> None:
    archive.store_instance(altered(plan["RTDOSE"], SOPInstanceUID="1.2.7", GridFrameOffsetVector=[0, 3]))
    answer = client.get(f"/api/extract-rt/{structure_set}/dvh?dose=1.2.7")
    assert answer.status_code == 422
    assert "2 values for 98 planes" in answer.json()["detail"]


def test_the_curves_come_as_a_table(client: TestClient, structure_set: str, dose_id: str) -> None:
    answer = client.get(f"/api/extract-rt/{structure_set}/dvh.csv?structures=Heart,Scar&bin_width=0.5")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="')
    rows = table(answer.content)
    assert list(rows[0]) == ["number", "name", "dose_gy", "volume_cm3", "volume_percent", "differential_cm3"]
    heart = [row for row in rows if row["name"] == "Heart"]
    assert float(heart[0]["volume_percent"]) == 100
    total = sum(float(row["differential_cm3"]) for row in heart)
    assert total == pytest.approx(float(heart[0]["volume_cm3"]), rel=1e-4)
    same = client.get(f"/api/extract-rt/{structure_set}/dvh?format=csv&structures=Heart,Scar&bin_width=0.5")
    assert same.content == answer.content


def test_excel_in_europe_gets_semicolons_and_decimal_commas(
    client: TestClient, structure_set: str, dose_id: str
) -> None:
    answer = client.get(f"/api/extract-rt/{structure_set}/dvh.csv?structures=Heart&separator=semicolon")
    assert answer.content.startswith(b"\xef\xbb\xbfnumber;name;dose_gy")
    assert table(answer.content, ";")[1]["dose_gy"] == "0,05"
