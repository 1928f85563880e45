"""Masks over HTTP: a structure set and its images are stored, files come back."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import highdicom
import nibabel
import numpy as np
import pytest
from fastapi.testclient import TestClient

import masks
from unit.archive_double import ArchiveDouble
from unit.conftest import InlineWorkers
from unit.rtstruct.image_files import image_file
from unit.rtstruct.shapes import dataset, encoded, roi, roi_contour


@pytest.fixture
def client(serve: Callable[..., TestClient]) -> TestClient:
    return serve([masks.create])


def store_sts(archive: ArchiveDouble, data_folder: Path, modality: str) -> str:
    folder = data_folder / "sts" / "STS_001" / modality
    for path in (folder / "image").glob("*.dcm"):
        archive.store_instance(path.read_bytes())
    return archive.store_instance((folder / "mask" / "RS.dcm").read_bytes()).orthanc_id


@pytest.fixture
def pet(archive: ArchiveDouble, data_folder: Path) -> str:
    """The structure set of a PET, with its images."""
    return store_sts(archive, data_folder, "PET")


def volume(content: bytes) -> nibabel.Nifti1Image:
    return nibabel.Nifti1Image.from_bytes(gzip.decompress(content))


@pytest.mark.parametrize("modality", ["CT", "PET"])
def test_the_mask_of_a_real_structure_is_the_published_one(
    client: TestClient, archive: ArchiveDouble, data_folder: Path, modality: str
) -> None:
    identifier = store_sts(archive, data_folder, modality)
    published = nibabel.load(data_folder / "sts" / "STS_001" / "reference" / f"{modality}_mask.nii.gz")
    for route in ("structures/1/mask.nii.gz", "labelmap.nii.gz"):
        answer = client.get(f"/api/extract-rt/{identifier}/{route}")
        assert answer.status_code == 200, answer.text
        found = volume(answer.content)
        np.testing.assert_allclose(found.affine, published.affine, atol=1e-4)
        assert (np.asarray(found.dataobj) == np.asarray(published.dataobj)).all()
        assert answer.headers["content-type"] == "application/gzip"
        assert answer.headers["x-findings"] == ""


def test_downloads_are_named_after_set_and_structure_never_after_the_patient(client: TestClient, pet: str) -> None:
    mask = client.get(f"/api/extract-rt/{pet}/structures/1/mask.nii.gz").headers["content-disposition"]
    slicer = client.get(f"/api/extract-rt/{pet}/labelmap.nrrd").headers["content-disposition"]
    assert "_GTV-Mass-PET_" in mask and mask.endswith('.nii.gz"')
    assert slicer.endswith('.seg.nrrd"')
    assert "STS" not in mask + slicer


def test_every_format_holds_the_same_voxels(client: TestClient, pet: str) -> None:
    base = f"/api/extract-rt/{pet}/labelmap"
    seg = highdicom.seg.segread(BytesIO(client.get(f"{base}.seg.dcm").content))
    nrrd = client.get(f"{base}.nrrd").content
    with np.load(BytesIO(client.get(f"{base}.npz").content)) as npz:
        counts = [int(npz["mask_1"].sum())]
    counts.append(int(seg.pixel_array.sum()))
    counts.append(np.count_nonzero(np.frombuffer(gzip.decompress(nrrd.partition(b"\n\n")[2]), np.uint8)))
    counts.append(client.get(f"{base}.json").json()["labels"][0]["voxels"])
    assert counts == [5095] * 4


def test_an_answer_is_kept_until_images_come_or_go(
    client: TestClient, archive: ArchiveDouble, pet: str, workers: InlineWorkers, data_folder: Path
) -> None:
    url = f"/api/extract-rt/{pet}/labelmap.json"
    first = client.get(url)
    calls = workers.calls
    assert client.get(url, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    gone = next(
        identifier for identifier, stored in archive.instances.items() if stored.tags["series"]["Modality"] == "PT"
    )
    archive.delete("instance", gone)
    changed = client.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    # The structure set is read for its references as well, since it was never extracted here.
    assert workers.calls >= calls + 2


def made(archive: ArchiveDouble, *, with_images: bool = True) -> str:
    """Two overlapping squares on three slices of 40 × 50 pixels."""

    def square(low: int, high: int) -> list[str]:
        corners = [(low, low), (high, low), (high, high), (low, high)]
        return ["\\".join(f"{x}\\{y}\\{z}" for x, y in corners) for z in (0, 3, 6)]

    structures = [roi_contour(5, *square(12, 22)), roi_contour(9, *square(20, 26)), roi_contour(11)]
    content = dataset(structures, [roi(5, "PTV"), roi(9, "Cord"), roi(11, "nothing")])
    content.StudyInstanceUID, content.FrameOfReferenceUID = "2.25.70", "2.25.72"
    content.StructureSetLabel = "Plan B"
    if with_images:
        for z in (0, 3, 6):
            pixels = np.zeros((40, 50), "<i2")
            file = image_file(z, pixels, PixelSpacing=[1, 1], ImagePositionPatient=[0.5, 0.5, z])
            archive.store_instance(file)
    return archive.store_instance(encoded(content)).orthanc_id


def test_overlap_and_empty_structures_are_told(client: TestClient, archive: ArchiveDouble) -> None:
    identifier = made(archive)
    told = client.get(f"/api/extract-rt/{identifier}/labelmap.json")
    labels = {each["name"]: each for each in told.json()["labels"]}
    assert (labels["PTV"]["label"], labels["PTV"]["voxels"], labels["PTV"]["hidden_voxels"]) == (5, 300, 12)
    assert (labels["Cord"]["voxels"], labels["Cord"]["hidden_voxels"]) == (108, 0)
    assert {each["code"] for each in told.json()["findings"]} == {"structures_overlap", "empty_mask"}

    answer = client.get(f"/api/extract-rt/{identifier}/labelmap.nii.gz")
    assert answer.headers["x-hidden-voxels"] == "12"
    values = np.asarray(volume(answer.content).dataobj)
    assert {int(each): int((values == each).sum()) for each in np.unique(values)} == {0: 6000 - 396, 5: 288, 9: 108}
    assert b'"name":"Cord"' in gzip.decompress(answer.content)


def test_structures_are_chosen_by_number_or_name(client: TestClient, archive: ArchiveDouble) -> None:
    identifier = made(archive)
    answer = client.get(f"/api/extract-rt/{identifier}/labelmap.json?structures=cord")
    assert [each["number"] for each in answer.json()["labels"]] == [9]
    unknown = client.get(f"/api/extract-rt/{identifier}/labelmap.json?structures=Heart")
    assert (unknown.status_code, "9 (Cord)" in unknown.json()["remedy"]) == (404, True)
    assert client.get(f"/api/extract-rt/{identifier}/structures/4/mask.nii.gz").status_code == 404


def test_a_grid_of_its_own_needs_no_images(client: TestClient, archive: ArchiveDouble) -> None:
    identifier = made(archive, with_images=False)
    missing = client.get(f"/api/extract-rt/{identifier}/structures/5/mask.nii.gz")
    assert missing.status_code == 404
    assert "spacing_mm" in missing.json()["remedy"]
    answer = client.get(f"/api/extract-rt/{identifier}/structures/5/mask.nii.gz?spacing_mm=0.5,0.5,1")
    found = volume(answer.content)
    assert found.header.get_zooms() == (0.5, 0.5, 1.0)
    # Three planes of 100 mm², 3 mm apart: slabs of 3 mm.
    assert np.asarray(found.dataobj).sum() * 0.25 == 900
    assert client.get(f"/api/extract-rt/{identifier}/labelmap.seg.dcm?spacing_mm=1").status_code == 422


@pytest.mark.parametrize("spacing", ["0", "1,2", "nan", "x", "-1,1,1", "0.1", "1e9"])
def test_a_spacing_that_is_none_or_too_fine_is_refused(
    client: TestClient, archive: ArchiveDouble, spacing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rtstruct.grids.MOST_VOXELS", 100_000)
    answer = client.get(f"/api/extract-rt/{made(archive)}/structures/5/mask.nii.gz?spacing_mm={spacing}")
    assert answer.status_code == 422
    assert answer.json()["remedy"]


def test_coverage_gives_shares(client: TestClient, archive: ArchiveDouble) -> None:
    identifier = made(archive)
    answer = client.get(f"/api/extract-rt/{identifier}/structures/5/mask.nii.gz?coverage=4")
    values = np.asarray(volume(answer.content).dataobj)
    assert values.dtype == np.float32
    assert values.sum() == 300
    assert client.get(f"/api/extract-rt/{identifier}/structures/5/mask.nii.gz?coverage=3").status_code == 422


def test_images_that_make_no_volume_are_a_problem_that_says_why(client: TestClient, archive: ArchiveDouble) -> None:
    identifier = made(archive, with_images=False)
    for z in (0, 3, 7):
        archive.store_instance(image_file(z))
    answer = client.get(f"/api/extract-rt/{identifier}/labelmap.nrrd")
    assert answer.status_code == 422
    assert "unevenly spaced" in answer.json()["detail"]
    assert "Secret" not in answer.text


def test_images_of_another_frame_of_reference_are_told(client: TestClient, archive: ArchiveDouble) -> None:
    identifier = made(archive)
    for z in (0, 3):
        file = image_file(z, FrameOfReferenceUID="2.25.6", SeriesInstanceUID="2.25.5", SOPInstanceUID=f"2.25.5.{z}")
        archive.store_instance(file)
    answer = client.get(f"/api/extract-rt/{identifier}/labelmap.json?series=2.25.5")
    assert "other_frame_of_reference" in answer.headers["x-findings"]
    assert answer.headers["x-image-series"] == "2.25.5"


def test_the_routes_are_documented(client: TestClient) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    route = paths["/api/extract-rt/{instance_id}/labelmap.{form}"]["get"]
    assert {parameter["name"] for parameter in route["parameters"]} >= {"structures", "series", "combine", "spacing_mm"}
    assert "202" in route["responses"]
