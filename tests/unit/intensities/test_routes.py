"""Statistics over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

import intensities
from unit.archive_double import ArchiveDouble
from unit.rtstruct.image_files import image_file
from unit.rtstruct.shapes import dataset, encoded, roi, roi_contour


@pytest.fixture
def client(serve: Callable[..., TestClient]) -> TestClient:
    return serve([intensities.create])


@pytest.fixture
def pet(archive: ArchiveDouble, data_folder: Path) -> str:
    folder = data_folder / "sts" / "STS_001" / "PET"
    for path in (folder / "image").glob("*.dcm"):
        archive.store_instance(path.read_bytes())
    return archive.store_instance((folder / "mask" / "RS.dcm").read_bytes()).orthanc_id


def made(archive: ArchiveDouble) -> str:
    """A square of 10 × 10 mm around values of 100 HU; one structure beside the image, one without contours."""

    def square(x: int) -> str:
        return "\\".join(f"{x + dx}\\{10 + dy}\\0" for dx, dy in ((0, 0), (10, 0), (10, 10), (0, 10)))

    content = dataset(
        [roi_contour(1, square(10)), roi_contour(2, square(500)), roi_contour(3)],
        [roi(1, "PTV"), roi(2, "far"), roi(3, "nothing")],
    )
    content.StudyInstanceUID, content.FrameOfReferenceUID = "2.25.70", "2.25.72"
    pixels = np.zeros((40, 50), "<i2")
    pixels[10:20, 10:20] = 1124
    pixels[10, 10] = 1024
    file = image_file(0, pixels, PixelSpacing=[1, 1], ImagePositionPatient=[0.5, 0.5, 0], RescaleIntercept=-1024)
    archive.store_instance(file)
    return archive.store_instance(encoded(content)).orthanc_id


def test_values_are_rescaled_and_units_said(client: TestClient, archive: ArchiveDouble) -> None:
    answer = client.get(f"/api/extract-rt/{made(archive)}/intensities").json()
    assert (answer["units"], answer["modality"]) == ("HU", "CT")
    target, far, nothing = answer["structures"]
    assert (target["name"], target["voxels"], target["volume_cm3"]) == ("PTV", 100, 0.3)
    assert (target["statistics"]["mean"], target["statistics"]["median"]) == (99, 100)
    assert target["histogram"] == {"start": 0, "bin_width": 10, "counts": [1, *[0] * 9, 99]}
    assert (far["statistics"], [each["code"] for each in far["findings"]]) == (None, ["contours_outside_image"])
    assert (nothing["voxels"], [each["code"] for each in nothing["findings"]]) == (0, ["empty_mask"])


def test_structures_and_bins_are_chosen(client: TestClient, archive: ArchiveDouble) -> None:
    identifier = made(archive)
    answer = client.get(f"/api/extract-rt/{identifier}/intensities?structures=ptv&bin_width=50").json()
    assert [each["number"] for each in answer["structures"]] == [1]
    assert answer["structures"][0]["histogram"]["counts"] == [1, 0, 99]
    for refused in ("bin_width=0", "bin_width=nan", "bin_width=1e-9"):
        assert client.get(f"/api/extract-rt/{identifier}/intensities?{refused}").status_code == 422


def test_a_pet_is_as_stored_and_says_so(client: TestClient, pet: str) -> None:
    answer = client.get(f"/api/extract-rt/{pet}/intensities")
    told = answer.json()
    assert (told["units"], told["modality"]) == ("GML", "PT")
    assert "no SUV is computed" in told["note"]
    assert told["structures"][0]["voxels"] == 5095
    assert client.get(f"/api/extract-rt/{pet}/intensities").headers["etag"] == answer.headers["etag"]


def test_without_images_there_is_a_problem_that_says_what_to_do(client: TestClient, archive: ArchiveDouble) -> None:
    identifier = archive.store_instance(encoded(dataset([roi_contour(1, "0\\0\\0")]))).orthanc_id
    answer = client.get(f"/api/extract-rt/{identifier}/intensities")
    assert answer.status_code == 404
    assert "?series=" in answer.json()["remedy"]
