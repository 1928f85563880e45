"""``/compare-rt`` and ``/consensus-rt`` of one tumour drawn on CT, MR and PET."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from fastapi.testclient import TestClient

import comparison
from comparison.models import ComparisonModel, ConsensusModel
from unit.archive_double import ArchiveDouble
from unit.rtstruct.shapes import SQUARE, made_file, roi, roi_contour


@pytest.fixture
def client(serve: Callable[..., TestClient]) -> TestClient:
    return serve([comparison.create])


@pytest.fixture
def tumour(archive: ArchiveDouble, data_folder: Path) -> dict[str, str]:
    """Orthanc's identifiers of the structure sets, by the images they were drawn on."""
    folder = data_folder / "sts" / "STS_001"
    files = {kind: (folder / kind / "mask" / "RS.dcm").read_bytes() for kind in ("CT", "MR_T1", "PET")}
    return {kind: archive.store_instance(content).orthanc_id for kind, content in files.items()}


def test_explicit_pairs_are_compared(client: TestClient, tumour: dict[str, str]) -> None:
    asked = {"a": tumour["CT"], "b": tumour["MR_T1"], "pairs": "1:GTV_Mass_MR_T1", "pixel_mm": 1}
    answer = client.get("/api/compare-rt", params=asked)
    found = ComparisonModel.model_validate(answer.json())
    (pair,) = found.pairs
    assert (pair.a.name, pair.b.name, pair.matched_by) == ("GTV_Mass_CT", "GTV_Mass_MR_T1", "explicit")
    assert pair.metrics is not None and pair.metrics.dice is not None and pair.metrics.dice > 0.99
    assert pair.metrics.volume_ratio == pytest.approx(1, abs=0.01)
    assert not pair.warnings and not found.unmatched.a and not found.unmatched.b
    body = {**asked, "pairs": [{"a": 1, "b": "GTV_Mass_MR_T1"}], "tolerance_mm": 2}
    assert client.post("/api/compare-rt", json=body).json() == answer.json()
    assert (
        client.get("/api/compare-rt", params=asked, headers={"If-None-Match": answer.headers["etag"]}).status_code
        == 304
    )


def test_a_set_is_wholly_like_itself(client: TestClient, stored_breast: str) -> None:
    asked = {"a": stored_breast, "b": stored_breast, "pixel_mm": 5}
    found = ComparisonModel.model_validate(client.get("/api/compare-rt", params=asked).json())
    assert len(found.pairs) == 10 and {pair.matched_by for pair in found.pairs} == {"name"}
    for pair in found.pairs:
        if pair.metrics is None:
            assert pair.warnings[0].code == "nothing_to_compare"
        else:
            assert (pair.metrics.dice, pair.metrics.hausdorff_mm) == (1, 0)
    assert [pair.a.name for pair in found.pairs if pair.metrics is None] == ["Areola"]


def test_what_has_no_counterpart_is_listed(client: TestClient, tumour: dict[str, str], stored_breast: str) -> None:
    asked = {"a": tumour["CT"], "b": stored_breast, "match": "name"}
    found = ComparisonModel.model_validate(client.get("/api/compare-rt", params=asked).json())
    assert not found.pairs
    assert [each.name for each in found.unmatched.a] == ["GTV_Mass_CT"] and len(found.unmatched.b) == 10


def test_patients_that_are_not_the_same_are_a_warning(
    client: TestClient, tumour: dict[str, str], stored_breast: str
) -> None:
    asked = {"a": tumour["CT"], "b": stored_breast, "pairs": "1:Heart", "pixel_mm": 5}
    (pair,) = ComparisonModel.model_validate(client.get("/api/compare-rt", params=asked).json()).pairs
    assert pair.warnings[0].code == "different_frames_of_reference"
    assert pair.metrics is not None and pair.metrics.dice == 0


def test_a_table_has_a_row_for_each_pair(client: TestClient, tumour: dict[str, str]) -> None:
    asked = {"a": tumour["CT"], "b": tumour["PET"], "pairs": "1:1", "pixel_mm": 2, "format": "csv"}
    answer = client.get("/api/compare-rt", params=asked)
    assert answer.headers["content-type"].startswith("text/csv") and ".csv" in answer.headers["content-disposition"]
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert row["name_a"] == "GTV_Mass_CT" and float(row["dice"]) > 0.98 and row["warnings"] == ""


@pytest.mark.parametrize("method", ["staple", "majority", "intersection", "union"])
def test_three_drawings_make_a_consensus(client: TestClient, tumour: dict[str, str], method: str) -> None:
    body = {
        "structures": [{"instance": each, "structure": 1} for each in tumour.values()],
        "method": method,
        "pixel_mm": 2,
    }
    found = ConsensusModel.model_validate(client.post("/api/consensus-rt", json=body).json())
    assert found.volume_cm3 == pytest.approx(365.2, rel=0.02) and found.converged
    assert [rater.name for rater in found.raters] == ["GTV_Mass_CT", "GTV_Mass_MR_T1", "GTV_Mass_PET"]
    assert all(rater.dice is not None and rater.dice > 0.98 for rater in found.raters)
    mask = client.post("/api/consensus-rt", json={**body, "format": "nii.gz"})
    image: Any = nibabel.Nifti1Image.from_bytes(gzip.decompress(mask.content))
    values = np.asarray(image.dataobj)
    assert values.shape == found.grid.shape[::-1]
    voxels = int(values.sum()) * abs(np.linalg.det(image.affine[:3, :3])) / 1000
    assert voxels == pytest.approx(found.volume_cm3, rel=1e-6)


def test_two_structures_of_one_set_may_agree(client: TestClient, archive: ArchiveDouble) -> None:
    shifted = r"5\0\0\15\0\0\15\10\0\5\10\0"
    both = made_file([roi_contour(1, SQUARE), roi_contour(2, shifted)], [roi(1, "one"), roi(2, "two")])
    instance = archive.store_instance(both).orthanc_id
    body = {"structures": [{"instance": instance, "structure": name} for name in ("one", "two")], "method": "union"}
    found = ConsensusModel.model_validate(client.post("/api/consensus-rt", json=body).json())
    # 15 × 10 mm, and 1 mm thick since nothing else is said.
    assert found.volume_cm3 == pytest.approx(0.15, rel=0.05)


def test_what_cannot_be_compared_is_refused_with_the_reason(client: TestClient, tumour: dict[str, str]) -> None:
    a, b = tumour["CT"], tumour["PET"]
    unknown = client.get("/api/compare-rt", params={"a": a, "b": b, "pairs": "1:Heart"})
    assert unknown.status_code == 404 and "GTV_Mass_PET" in unknown.json()["remedy"]
    for pairs in ("1", "1:", ":1", "1:2:3"):
        assert client.get("/api/compare-rt", params={"a": a, "b": b, "pairs": pairs}).status_code == 422
    assert client.get("/api/compare-rt", params={"a": a, "b": "1.2.3"}).status_code == 404
    assert client.get("/api/compare-rt", params={"a": a}).status_code == 422
    assert client.post("/api/compare-rt", json={"a": a, "b": b, "tolerance": 3}).status_code == 422
    member = {"instance": a, "structure": 1}
    assert client.post("/api/consensus-rt", json={"structures": [member]}).status_code == 422
    missing = client.post("/api/consensus-rt", json={"structures": [member, {"instance": b, "structure": "Heart"}]})
    assert missing.status_code == 404 and missing.json()["remedy"] == "It has: GTV_Mass_PET."


def test_nothing_drawn_has_no_consensus(client: TestClient, archive: ArchiveDouble) -> None:
    empty = made_file([roi_contour(1), roi_contour(2)], [roi(1, "one"), roi(2, "two")])
    instance = archive.store_instance(empty).orthanc_id
    body = {"structures": [{"instance": instance, "structure": number} for number in (1, 2)]}
    refused = client.post("/api/consensus-rt", json=body)
    assert refused.status_code == 422 and "no consensus" in refused.json()["detail"]


def test_the_sites_own_names_find_each_other(
    serve: Callable[..., TestClient], archive: ArchiveDouble, tmp_path: Path
) -> None:
    synonyms = tmp_path / "synonyms.toml"
    synonyms.write_text('SpinalCord = ["zz top"]\n')
    client = serve([comparison.create], synonyms=synonyms)
    ours = made_file([roi_contour(1, SQUARE)], [roi(1, "ZZ_Top")])
    theirs = made_file([roi_contour(1, SQUARE)], [roi(1, "SpinalCord")]).replace(b"2.25.1", b"2.25.9")
    a, b = (archive.store_instance(content).orthanc_id for content in (ours, theirs))
    (pair,) = client.get("/api/compare-rt", params={"a": a, "b": b}).json()["pairs"]
    assert (pair["a"]["name"], pair["b"]["name"], pair["matched_by"]) == ("ZZ_Top", "SpinalCord", "tg263")
