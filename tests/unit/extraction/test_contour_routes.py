"""Contours of single structures, as JSON and as float32, and the list of structures."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from rtstruct import read_flat
from unit.archive_double import ArchiveDouble
from unit.conftest import InlineWorkers

FLAT = {"Accept": "application/octet-stream"}
PAGE = Path(__file__).parents[3] / "docs" / "rtstruct" / "contours.md"


def points_of(contours: list[dict[str, object]]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.concatenate([np.array(contour["points_mm"], dtype=np.float32) for contour in contours])


def test_the_structures_are_those_of_the_whole_answer(client: TestClient, held: str) -> None:
    whole = client.get(f"/api/extract-rt/{held}?contours=false").json()["structures"]
    assert client.get(f"/api/extract-rt/{held}/structures").json() == whole
    assert client.get(f"/api/extract-rt/{held}/structures?structures=Heart").json() == [
        each for each in whole if each["name"] == "Heart"
    ]


def test_the_contours_of_a_structure_are_those_of_the_whole_answer(client: TestClient, held: str) -> None:
    for structure in client.get(f"/api/extract-rt/{held}").json()["structures"]:
        answer = client.get(f"/api/extract-rt/{held}/structures/{structure['number']}/contours")
        assert answer.headers["content-type"] == "application/json"
        found = answer.json()
        assert set(found) == {"number", "name", "color", "interpreted_type", "plane_normal", "contours"}
        assert found == {name: structure[name] for name in found}


@pytest.mark.parametrize("asked", [{"headers": FLAT}, {"params": {"format": "float32"}}], ids=["Accept", "format"])
def test_float32_says_what_the_json_says(client: TestClient, held: str, asked: dict[str, dict[str, str]]) -> None:
    path = f"/api/extract-rt/{held}/structures/6/contours"
    expected = client.get(path).json()
    answer = client.get(path, **asked)
    assert answer.headers["content-type"] == "application/octet-stream"
    found = read_flat(answer.content)
    (structure,) = found.header["structures"]
    contours = structure.pop("contours")
    assert structure == {name: value for name, value in expected.items() if name != "contours"}
    assert np.array_equal(found.points_mm, points_of(expected["contours"]))
    for flat, contour in zip(contours, expected["contours"], strict=True):
        assert flat.pop("point_count") == len(contour.pop("points_mm"))
        assert flat == contour


def test_browsers_that_accept_everything_get_json(client: TestClient, held: str) -> None:
    path = f"/api/extract-rt/{held}/structures/6/contours"
    for accept in ("*/*", "application/json, application/octet-stream", "text/html"):
        assert client.get(path, headers={"Accept": accept}).headers["content-type"] == "application/json"
    assert client.get(f"{path}?format=json", headers=FLAT).headers["content-type"] == "application/json"


def test_the_whole_set_is_one_file_and_parts_of_it_too(client: TestClient, held: str) -> None:
    whole = read_flat(client.get(f"/api/extract-rt/{held}/contours.bin").content)
    assert len(whole.points_mm) == 88_158
    assert len(whole.header["structures"]) == 10
    part = read_flat(client.get(f"/api/extract-rt/{held}/contours.bin?structures=heart,6").content)
    assert [each["name"] for each in part.header["structures"]] == ["Heart", "Lt Lung"]


def test_each_answer_has_an_entity_tag_of_its_own(client: TestClient, held: str) -> None:
    contours = f"/api/extract-rt/{held}/structures/6/contours"
    asked = [
        (f"/api/extract-rt/{held}/structures", {}),
        (contours, {}),
        (contours, FLAT),
        (f"/api/extract-rt/{held}/contours.bin", {}),
        (f"/api/extract-rt/{held}/contours.bin?structures=6", {}),
    ]
    tags = set()
    for path, headers in asked:
        answer = client.get(path, headers=headers)
        tags.add(answer.headers["ETag"])
        assert "Accept" in answer.headers["Vary"]
        again = client.get(path, headers={**headers, "If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
    assert len(tags) == len(asked)


def test_stored_contours_cost_no_worker(
    client: TestClient, held: str, workers: InlineWorkers, archive: ArchiveDouble
) -> None:
    workers.calls = 0
    client.get(f"/api/extract-rt/{held}/contours.bin")
    client.get(f"/api/extract-rt/{held}/structures/6/contours")
    assert workers.calls == 0


def test_an_unknown_structure_is_named_with_those_that_are_there(client: TestClient, held: str) -> None:
    for path in ("structures/99/contours", "structures/99/contours?format=float32", "contours.bin?structures=99"):
        answer = client.get(f"/api/extract-rt/{held}/{path}")
        assert answer.status_code == 404
        assert "99" in answer.json()["detail"]
        assert "Heart" in answer.json()["remedy"]


def test_a_number_is_never_taken_for_a_name(client: TestClient, held: str) -> None:
    assert client.get(f"/api/extract-rt/{held}/structures/Heart/contours").status_code == 422


def documented(language: str) -> str:
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(code)


def test_the_documented_python_reads_it(client: TestClient, held: str) -> None:
    content = client.get(f"/api/extract-rt/{held}/contours.bin").content
    names: dict[str, object] = {}
    exec(documented("python"), names)
    decode = names["decode"]
    assert callable(decode)
    structures = decode(content)
    lung = client.get(f"/api/extract-rt/{held}/structures/6/contours").json()
    assert np.array_equal(np.concatenate(structures[6]), points_of(lung["contours"]))
    assert sum(len(points) for contours in structures.values() for points in contours) == 88_158
