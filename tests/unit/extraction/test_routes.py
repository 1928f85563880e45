"""``/api/extract-rt`` and ``/api/extractions`` as clients see them."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from pydicom import dcmread
from pydicom.dataset import Dataset

from extraction.service import CONTOURS, SUMMARY
from host.archive import ArchiveError, UnknownResource
from host.workers import ServerStopping, WorkerDied
from unit.archive_double import ArchiveDouble
from unit.conftest import InlineWorkers
from unit.extraction.conftest import damaged, extract_all
from unit.host.dicom_files import instance_file

SET_NAMES = {
    "orthanc_id",
    "sop_instance_uid",
    "series_instance_uid",
    "study_instance_uid",
    "frame_of_reference_uid",
    "referenced_series_uid",
    "label",
    "warnings",
    "structures",
}
STRUCTURE_NAMES = {
    "number",
    "name",
    "color",
    "interpreted_type",
    "generation_algorithm",
    "contour_count",
    "point_count",
    "plane_count",
    "volume_cm3",
    "centroid_mm",
    "bounding_box_mm",
    "areas",
    "contours",
    "warnings",
}


def contours_of(dataset: Dataset) -> dict[int, list[Any]]:
    return {
        int(roi.ReferencedROINumber): [
            np.array(contour.ContourData, float).reshape(-1, 3) for contour in roi.ContourSequence
        ]
        for roi in dataset.ROIContourSequence
        if "ContourSequence" in roi
    }


def test_the_answer_has_the_names_that_clients_were_promised(client: TestClient, held: str) -> None:
    answer = client.get(f"/api/extract-rt/{held}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert set(found) >= SET_NAMES
    structure = found["structures"][0]
    assert set(structure) >= STRUCTURE_NAMES
    assert set(structure["areas"][0]) >= {"position_mm", "area_mm2"}
    assert set(structure["contours"][0]) >= {"geometric_type", "position_mm", "hole", "points_mm"}


def test_the_answer_says_what_pydicom_reads_point_for_point(client: TestClient, held: str, breast: bytes) -> None:
    dataset = dcmread(BytesIO(breast))
    found = client.get(f"/api/extract-rt/{held}").json()
    assert found["orthanc_id"] == held
    assert found["sop_instance_uid"] == dataset.SOPInstanceUID
    assert found["series_instance_uid"] == dataset.SeriesInstanceUID
    assert found["study_instance_uid"] == dataset.StudyInstanceUID
    assert found["label"] == dataset.StructureSetLabel
    assert [(each["number"], each["name"]) for each in found["structures"]] == [
        (int(roi.ROINumber), roi.ROIName) for roi in dataset.StructureSetROISequence
    ]
    drawn = contours_of(dataset)
    for structure in found["structures"]:
        expected = drawn.get(structure["number"], [])
        assert structure["contour_count"] == len(structure["contours"]) == len(expected)
        assert structure["point_count"] == sum(map(len, expected))
        for contour, points in zip(structure["contours"], expected, strict=True):
            assert np.array_equal(np.array(contour["points_mm"]), points)


def test_the_summary_agrees_with_the_contours(client: TestClient, held: str) -> None:
    for structure in client.get(f"/api/extract-rt/{held}").json()["structures"]:
        if not structure["contours"]:
            assert structure["bounding_box_mm"] is None
            continue
        points = np.concatenate([contour["points_mm"] for contour in structure["contours"]])
        assert np.array_equal(structure["bounding_box_mm"], [points.min(0), points.max(0)])
        assert len(structure["areas"]) == structure["plane_count"]


def test_a_sop_instance_uid_is_as_good_as_the_identifier(client: TestClient, held: str, breast: bytes) -> None:
    uid = dcmread(BytesIO(breast)).SOPInstanceUID
    assert client.get(f"/api/extract-rt/{uid}").content == client.get(f"/api/extract-rt/{held}").content


def test_without_contours_everything_else_is_the_same(client: TestClient, held: str) -> None:
    whole = client.get(f"/api/extract-rt/{held}").json()
    for structure in whole["structures"]:
        structure.pop("contours")
    assert client.get(f"/api/extract-rt/{held}?contours=false").json() == whole


def test_a_stored_answer_costs_no_worker_and_no_reading_of_the_file(
    client: TestClient, held: str, workers: InlineWorkers, archive: ArchiveDouble
) -> None:
    workers.calls = 0
    archive.calls.clear()
    client.get(f"/api/extract-rt/{held}")
    client.get(f"/api/extract-rt/{held}?contours=false")
    assert workers.calls == 0
    assert archive.count("read_instance") == 0


def test_what_has_just_arrived_is_computed_on_the_spot_to_the_same_answer(
    client: TestClient, archive: ArchiveDouble, breast: bytes
) -> None:
    identifier = archive.store_instance(breast).orthanc_id
    early = client.get(f"/api/extract-rt/{identifier}")
    assert early.status_code == 200
    extract_all(client)
    later = client.get(f"/api/extract-rt/{identifier}")
    assert later.content == early.content
    assert later.headers["etag"] == early.headers["etag"]


def test_contours_that_go_with_their_instance_are_404(client: TestClient, held: str, archive: ArchiveDouble) -> None:
    del archive.instances[held].attachments[CONTOURS]
    assert client.get(f"/api/extract-rt/{held}").status_code == 404
    assert client.get(f"/api/extract-rt/{held}?contours=false").status_code == 200


def test_contours_that_are_damaged_are_no_failure_of_the_server(
    client: TestClient, held: str, archive: ArchiveDouble
) -> None:
    archive.instances[held].attachments[CONTOURS] = b"damaged"
    assert client.get(f"/api/extract-rt/{held}").status_code in (200, 503)


def test_structures_are_chosen_by_number_or_name_in_the_order_of_the_file(client: TestClient, held: str) -> None:
    everything = client.get(f"/api/extract-rt/{held}").json()["structures"]
    second, first = everything[3], everything[1]
    query = {"structures": f" {second['name'].upper()} , {first['number']},{first['number']}"}
    found = client.get(f"/api/extract-rt/{held}", params=query).json()["structures"]
    assert found == [first, second]
    found = client.get(f"/api/extract-rt/{held}", params=query | {"contours": "false"}).json()["structures"]
    assert [each["number"] for each in found] == [first["number"], second["number"]]
    assert not any("contours" in each for each in found)


def test_an_unknown_structure_is_404_with_those_there_are(client: TestClient, held: str) -> None:
    answer = client.get(f"/api/extract-rt/{held}?structures=1,Nowhere")
    assert answer.status_code == 404
    assert "'Nowhere'" in answer.json()["detail"]
    names = [each["name"] for each in client.get(f"/api/extract-rt/{held}?contours=false").json()["structures"]]
    assert all(name in answer.json()["remedy"] for name in names)


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', '"a",W/{} , "b"', "*"])
def test_an_unchanged_answer_is_304_without_a_body(client: TestClient, held: str, form: str) -> None:
    etag = client.get(f"/api/extract-rt/{held}").headers["etag"]
    assert etag.startswith('"') and etag.endswith('"')
    answer = client.get(f"/api/extract-rt/{held}", headers={"If-None-Match": form.format(etag)})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == etag
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("tag", ['"other"', "", 'W/"other", "more"', "none"])
def test_any_other_tag_gets_the_answer(client: TestClient, held: str, tag: str) -> None:
    assert client.get(f"/api/extract-rt/{held}", headers={"If-None-Match": tag}).status_code == 200


def test_each_selection_has_a_tag_of_its_own(client: TestClient, held: str) -> None:
    queries = [
        "",
        "?contours=false",
        "?structures=1",
        "?structures=2",
        "?structures=1,2",
        "?structures=1&contours=false",
    ]
    tags = [client.get(f"/api/extract-rt/{held}{query}").headers["etag"] for query in queries]
    assert len(set(tags)) == len(tags)
    assert tags[0] == client.get(f"/api/extract-rt/{held}").headers["etag"]


@pytest.mark.parametrize("identifier", ["1.2.3", "0" * 44, "6b9e19d9-62094390-5f9ddb01-4a191ae7-9766b715"])
def test_an_unknown_instance_is_404_and_named(client: TestClient, identifier: str) -> None:
    answer = client.get(f"/api/extract-rt/{identifier}")
    assert answer.status_code == 404
    assert identifier in answer.json()["detail"]


@pytest.mark.parametrize("identifier", ["x", "1.2.3x", "1" * 65, "../system", "6B9E19D9", "%00", "1.2.3%0A"])
def test_what_cannot_be_an_identifier_is_refused_without_asking(
    client: TestClient, archive: ArchiveDouble, identifier: str
) -> None:
    assert client.get(f"/api/extract-rt/{identifier}").status_code in (404, 422)
    assert archive.calls == []


def test_another_modality_is_422_with_its_name(client: TestClient, archive: ArchiveDouble, slice_of_ct: bytes) -> None:
    identifier = archive.store_instance(slice_of_ct).orthanc_id
    answer = client.get(f"/api/extract-rt/{identifier}")
    assert (answer.status_code, answer.json()["modality"]) == (422, "CT")
    assert "CT" in answer.json()["detail"]


def test_a_damaged_structure_set_is_422_with_the_place(
    client: TestClient, archive: ArchiveDouble, breast: bytes
) -> None:
    identifier = archive.store_instance(damaged(breast)).orthanc_id
    answer = client.get(f"/api/extract-rt/{identifier}")
    assert answer.status_code == 422
    assert "ROIContourSequence" in answer.json()["detail"] and "(byte " in answer.json()["detail"]
    assert "modality" not in answer.json()


@pytest.mark.parametrize(
    ("error", "status"),
    [(WorkerDied("it crashed"), 503), (ServerStopping(), 503)],
)
def test_a_worker_that_fails_is_503(
    client: TestClient, archive: ArchiveDouble, breast: bytes, workers: InlineWorkers, error: Exception, status: int
) -> None:
    identifier = archive.store_instance(breast).orthanc_id
    workers.faults = [error]
    assert client.get(f"/api/extract-rt/{identifier}").status_code == status
    assert client.get(f"/api/extract-rt/{identifier}").status_code == 200


def test_an_instance_that_goes_while_it_is_read_is_404(
    client: TestClient, archive: ArchiveDouble, breast: bytes
) -> None:
    identifier = archive.store_instance(breast).orthanc_id
    archive.fail("read_instance", UnknownResource("gone"))
    assert client.get(f"/api/extract-rt/{identifier}").status_code == 404


@pytest.mark.parametrize("operation", ["find_instance", "read_attachment"])
def test_an_archive_that_fails_is_503_and_not_our_fault(
    client: TestClient, held: str, archive: ArchiveDouble, breast: bytes, operation: str
) -> None:
    archive.fail(operation, ArchiveError("Error with the database"))
    assert client.get(f"/api/extract-rt/{dcmread(BytesIO(breast)).SOPInstanceUID}").status_code == 503


def test_names_of_attachments_are_those_of_the_configuration(held: str, archive: ArchiveDouble) -> None:
    assert (SUMMARY, CONTOURS) == ("rtstruct-summary", "rtstruct-contours")
    assert set(archive.instances[held].attachments) == {SUMMARY, CONTOURS}


def test_a_structure_set_of_none_is_a_list_of_none(client: TestClient, archive: ArchiveDouble) -> None:
    empty = instance_file(SOPClassUID="1.2.840.10008.5.1.4.1.1.481.3", Modality="RTSTRUCT", StructureSetLabel="NONE")
    identifier = archive.store_instance(empty).orthanc_id
    answer = client.get(f"/api/extract-rt/{identifier}")
    assert (answer.status_code, answer.json()["structures"], answer.json()["label"]) == (200, [], "NONE")
