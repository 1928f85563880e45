"""``/volumes``: every named method, contours combined as asked, gaps filled on request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

import volumes
from unit.archive_double import ArchiveDouble
from unit.rtstruct.shapes import Points, circle, made_file, rectangle, roi_contour
from volumes.models import VolumesModel


@pytest.fixture
def client(serve: Callable[..., TestClient]) -> TestClient:
    return serve([volumes.create])


def text(points: Points) -> str:
    return "\\".join(f"{value:.2f}" for value in points.ravel())


def one(client: TestClient, identifier: str, **asked: Any) -> dict[str, Any]:
    answer = client.get(f"/api/extract-rt/{identifier}/volumes", params=asked)
    assert answer.status_code == 200, answer.text
    VolumesModel.model_validate(answer.json())
    (found,) = answer.json()["structures"]
    return dict(found)


def codes(found: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in found["warnings"]]


def test_a_sarcoma_has_one_volume_by_each_method(client: TestClient, archive: ArchiveDouble, data_folder: Path) -> None:
    folder = data_folder / "sts" / "STS_001" / "CT"
    for path in sorted((folder / "image").glob("*.dcm")):
        archive.store_instance(path.read_bytes())
    found = one(client, archive.store_instance((folder / "mask" / "RS.dcm").read_bytes()).orthanc_id)
    slabs, half, voxels = (found["volumes_cm3"][name] for name in ("full_slabs", "half_end_slabs", "voxels"))
    assert half < slabs
    assert voxels == pytest.approx(slabs, rel=0.002)
    assert len(found["areas"]) == found["plane_count"]


def test_without_images_there_are_no_voxels_and_the_reason_is_told(
    client: TestClient, archive: ArchiveDouble, data_folder: Path
) -> None:
    held = archive.store_instance((data_folder / "dicompyler" / "rtss.dcm").read_bytes()).orthanc_id
    answer = client.get(f"/api/extract-rt/{held}/volumes?structures=Heart").json()
    assert answer["no_images"]
    (heart,) = answer["structures"]
    assert heart["volumes_cm3"]["voxels"] is None
    assert heart["volumes_cm3"]["full_slabs"] == pytest.approx(439.7, abs=0.1)


def test_contours_are_combined_as_asked(client: TestClient, archive: ArchiveDouble) -> None:
    overlapping = [text(square) for z in (0, 3) for square in (rectangle(0, 0, 10, 10, z), rectangle(6, 6, 10, 10, z))]
    held = archive.store_instance(made_file([roi_contour(1, *overlapping)])).orthanc_id
    auto, union = one(client, held), one(client, held, combine="union")
    assert auto["volumes_cm3"]["full_slabs"] == pytest.approx(168 * 6 / 1000, rel=1e-3)
    assert union["volumes_cm3"]["full_slabs"] == pytest.approx(184 * 6 / 1000, rel=1e-3)
    assert "partial_overlap" in codes(auto)
    assert client.get(f"/api/extract-rt/{held}/volumes?combine=minus").status_code == 422


def test_gaps_are_filled_on_request_alone(client: TestClient, archive: ArchiveDouble) -> None:
    cylinder = [text(circle(15, z, 120)) for z in (0, 3, 12, 15)]
    held = archive.store_instance(made_file([roi_contour(1, *cylinder)])).orthanc_id
    as_drawn, filled = one(client, held), one(client, held, interpolate=True)
    assert as_drawn["volumes_cm3"]["full_slabs"] == pytest.approx(np.pi * 225 * 12 / 1000, rel=1e-3)
    assert filled["volumes_cm3"]["full_slabs"] == pytest.approx(np.pi * 225 * 18 / 1000, rel=5e-3)
    assert (as_drawn["plane_count"], filled["plane_count"]) == (4, 6)
    assert "gaps_between_planes" in codes(as_drawn)
    assert "interpolated_planes" in codes(filled)


def test_an_unknown_structure_is_named(client: TestClient, archive: ArchiveDouble) -> None:
    held = archive.store_instance(made_file([roi_contour(1, text(circle(15, 0, 12)))])).orthanc_id
    answer = client.get(f"/api/extract-rt/{held}/volumes?structures=Heart")
    assert answer.status_code == 404
    assert "Heart" in answer.json()["detail"]
