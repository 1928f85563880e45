"""``/create-rt``: by form, raw body or JSON; what is stored is read back the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

import writing as plugin
from host.archive import ArchiveError
from rtstruct import read
from rtstruct.exports.nifti import nifti
from rtstruct.images import read_image
from rtstruct.masks import mask_of
from unit.archive_double import ArchiveDouble
from unit.rtstruct.image_files import SERIES_UID, image_file

SHAPE = (3, 8, 9)
FILES = [image_file(3.0 * nth, np.zeros(SHAPE[1:], "<i2")) for nth in range(SHAPE[0])]
GRID = read_image(FILES, pixels=False).grid
REQUEST = {
    "series": SERIES_UID,
    "label": "Auto",
    "structures": {"1": {"name": "GTV", "color": [255, 0, 0], "interpreted_type": "GTV"}},
}


def labels() -> np.ndarray:
    made = np.zeros(SHAPE, np.uint8)
    made[0:2, 1:7, 1:8] = 1
    made[0:2, 3:5, 3:6] = 2
    return made


def label_map() -> bytes:
    return nifti(labels(), GRID, "test")


@pytest.fixture
def client(serve: Callable[..., TestClient], archive: ArchiveDouble) -> TestClient:
    for file in FILES:
        archive.store_instance(file)
    return serve([plugin.create])


def header(**changes: object) -> dict[str, str]:
    return {"X-Create-RT": json.dumps({**REQUEST, **changes}), "Content-Type": "application/gzip"}


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_form_makes_a_structure_set(client: TestClient, archive: ArchiveDouble, method: str) -> None:
    answer = client.request(
        method,
        "/api/create-rt",
        files={"segmentation": ("a.nii.gz", label_map())},
        data={"request": json.dumps(REQUEST)},
    )
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert answer.headers["Location"] == f"/api/extract-rt/{made['orthanc_id']}"
    assert [(each["name"], each["voxels_different"]) for each in made["structures"]] == [("GTV", 0), ("Label 2", 0)]
    found = read(archive.read_instance(made["orthanc_id"]))
    assert found.sop_instance_uid == made["sop_instance_uid"]
    assert (found.label, found.structures[0].interpreted_type) == ("Auto", "GTV")
    for structure in found.structures:
        assert np.array_equal(mask_of(structure, GRID).values, labels() == structure.number)


def test_a_raw_body_takes_its_request_from_a_header(client: TestClient, archive: ArchiveDouble) -> None:
    answer = client.post("/api/create-rt", content=label_map(), headers=header())
    assert answer.status_code == 201, answer.text
    assert answer.json()["image_series_uid"] == SERIES_UID


def test_a_long_one_says_where_to_follow_it(follow: Callable[..., Any], archive: ArchiveDouble) -> None:
    for file in FILES:
        archive.store_instance(file)
    told, answer = follow(
        plugin.create, lambda client: client.post("/api/create-rt", content=label_map(), headers=header())
    )
    assert (told["name"], told["instance"], told["state"]) == ("create-rt", None, "done")
    assert (answer.status_code, answer.json()["image_series_uid"]) == (201, SERIES_UID)
    assert answer.headers["Location"] == f"/api/extract-rt/{answer.json()['orthanc_id']}"


def test_a_stored_segmentation_is_named_by_its_instance(client: TestClient, archive: ArchiveDouble) -> None:
    from rtstruct.exports.segmentation import segmentation
    from rtstruct.labels import Segment

    first = client.post("/api/create-rt", content=label_map(), headers=header()).json()
    source = read(archive.read_instance(first["orthanc_id"]))
    image = read_image(FILES, pixels=False)
    segments = [Segment(each.number, each, mask_of(each, image.grid)) for each in source.structures]
    stored = archive.store_instance(segmentation(segments, image, FILES, source, "1")).orthanc_id
    answer = client.post("/api/create-rt", json={"instance": stored})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["image_series_uid"] == SERIES_UID
    assert [each["name"] for each in made["structures"]] == ["GTV", "Label 2"]
    assert all(each["voxels_different"] == 0 for each in made["structures"])


@pytest.mark.parametrize(
    ("request_", "status", "says"),
    [
        ({"content": b"", "headers": header()}, 400, "no segmentation"),
        ({"json": {}}, 400, "no segmentation"),
        ({"json": {"instance": "1.2.3.99"}}, 404, "1.2.3.99"),
        ({"content": label_map(), "headers": header(series="1.2.3.99")}, 404, "1.2.3.99"),
        ({"content": label_map(), "headers": header(series=None)}, 422, "which images"),
        ({"content": label_map(), "headers": header(label="x" * 17)}, 422, "label"),
        ({"content": label_map(), "headers": header(colour="red")}, 422, "colour"),
        ({"content": label_map(), "headers": {"X-Create-RT": "{"}}, 422, "the JSON"),
        ({"content": b"nonsense" * 99, "headers": header()}, 422, "neither NIfTI nor DICOM"),
        ({"content": FILES[0], "headers": header()}, 422, "no DICOM Segmentation"),
        ({"files": {"other": ("a", b"b")}}, 400, "no file `segmentation`"),
        ({"content": b"--x", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 400, "segmentation"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400, "boundary"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(
    client: TestClient, archive: ArchiveDouble, request_: dict[str, object], status: int, says: str
) -> None:
    held = len(archive.instances)
    answer = client.post("/api/create-rt", **request_)  # type: ignore[arg-type]
    assert answer.status_code == status, answer.text
    assert says in answer.json()["detail"]
    assert answer.json()["remedy"]
    assert len(archive.instances) == held


def test_a_large_body_is_refused(serve: Callable[..., TestClient]) -> None:
    client = serve([plugin.create], upload_max_bytes=100)
    assert client.post("/api/create-rt", content=label_map() + bytes(100), headers=header()).status_code == 413


def test_a_full_disk_is_told_as_passing(client: TestClient, archive: ArchiveDouble) -> None:
    archive.fail("store_instance", ArchiveError("the disk is full"))
    assert client.post("/api/create-rt", content=label_map(), headers=header()).status_code == 503
