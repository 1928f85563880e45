"""The double of XNAT answers as XNAT does: to the independent client ``xnat``, and where XNAT's answers are traps."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests

from doubles.xnat_requests import XnatServer

IMPORT = "/data/services/import"
DESTINATION = "/archive/projects/RESEARCH/subjects/P1/experiments/S1"


def zipped(*files: Path | bytes, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for number, file in enumerate(files):
            archive.writestr(f"{number}.dcm", file if isinstance(file, bytes) else file.read_bytes())
    return buffer.getvalue()


@pytest.fixture
def images(data_folder: Path) -> list[Path]:
    return sorted((data_folder / "sts" / "STS_001" / "CT" / "image").glob("*.dcm"))[:3]


def post(server: XnatServer, body: bytes, user: str = "forwarder", **query: str) -> requests.Response:
    query = {"import-handler": "DICOM-zip", "dest": DESTINATION, "overwrite": "append", **query}
    return requests.post(
        server.url + IMPORT,
        params=query,
        data=body,
        auth=(user, server.passwords[user]),
        headers={"Content-Type": "application/zip"},
        timeout=30,
    )


def files_of(server: XnatServer, session: str) -> list[dict[str, str]]:
    url = f"{server.url}/data/experiments/{session}/scans/ALL/resources/DICOM/files?format=json"
    rows: list[dict[str, str]] = requests.get(url, auth=("forwarder", "secret"), timeout=30).json()["ResultSet"][
        "Result"
    ]
    return rows


@pytest.fixture
def client(xnat: XnatServer) -> Iterator[Any]:
    """The client of PyPI, signed in; not the model of XNAT's data, which would need its schemas."""
    from xnat import connect

    with connect(xnat.url, user="forwarder", password="secret", no_parse_model=True) as session:
        yield session


def test_the_independent_client_signs_in_uploads_and_reads_back(client: Any, images: list[Path]) -> None:
    assert client.xnat_version == "1.9.3.5"
    query = {"import-handler": "DICOM-zip", "dest": DESTINATION, "overwrite": "append"}
    answer = client.upload_stream(
        IMPORT, BytesIO(zipped(*images)), query=query, content_type="application/zip", method="post"
    )
    assert answer.text == f"/data{DESTINATION}\r\n"
    session = client.get_json("/data/experiments?project=RESEARCH&format=json")["ResultSet"]["Result"][0]
    listed = client.get_json(f"{session['URI']}/scans/ALL/resources/DICOM/files")["ResultSet"]["Result"]
    content = client.get(listed[0]["URI"]).content
    assert (session["label"], session["xsiType"]) == ("S1", "xnat:ctSessionData")
    assert len(listed) == 3
    assert content in [image.read_bytes() for image in images]


def test_the_independent_client_finds_its_prearchive_session(client: Any, images: list[Path]) -> None:
    found = client.services.import_(
        data=BytesIO(zipped(*images)),
        project="RESEARCH",
        experiment="S1",
        destination="/prearchive",
        content_type="application/zip",
        import_handler="DICOM-zip",
    )
    assert found.uri.startswith("/data/prearchive/projects/RESEARCH/")


def test_a_wrong_password_is_told_to_a_program_and_shown_to_a_browser(xnat: XnatServer) -> None:
    url = f"{xnat.url}/data/projects"
    assert requests.get(url, auth=("forwarder", "wrong"), timeout=30).status_code == 401
    seen = requests.get(url, auth=("forwarder", "wrong"), headers={"User-Agent": "Mozilla/5.0"}, timeout=30)
    assert (seen.status_code, seen.headers["Content-Type"]) == (200, "text/html;charset=UTF-8")


def test_nothing_is_answered_before_the_first_set_up(xnat_server: XnatServer) -> None:
    url, admin = xnat_server.url, ("admin", "admin")
    before = requests.get(f"{url}/data/projects", auth=admin, timeout=30)
    assert (before.status_code, before.reason) == (403, "Site has not yet been configured.")
    assert requests.post(f"{url}/xapi/siteConfig", json={"initialized": True}, auth=admin, timeout=30).ok
    assert requests.get(f"{url}/data/projects", auth=admin, timeout=30).json()["ResultSet"]["Result"] == []
    codes = [requests.put(f"{url}/data/projects/{name}", auth=admin, timeout=30).status_code for name in "AAé"]
    assert codes == [200, 409, 417]


@pytest.mark.parametrize(
    ("query", "body", "status", "answer"),
    [
        ({"import-handler": "unknown"}, None, 404, "Unsupported import-handler unknown"),
        ({}, b"", 400, "In-body File posts must include"),
        ({}, b"no ZIP", 400, "unable to read data from file"),
        ({}, zipped(b"not DICOM"), 400, "unable to read DICOM object 0.dcm"),
        ({"Ignore-Unparsable": "true"}, zipped(b"not DICOM"), 400, "no DICOM object"),
    ],
)
def test_an_import_that_cannot_be_says_why_in_the_reason_phrase(
    xnat: XnatServer, images: list[Path], query: dict[str, str], body: bytes | None, status: int, answer: str
) -> None:
    said = post(xnat, zipped(*images) if body is None else body, **query)
    assert said.status_code == status
    assert answer in said.reason


def test_a_body_of_unknown_size_counts_as_none(xnat: XnatServer, images: list[Path]) -> None:
    said = requests.post(
        xnat.url + IMPORT,
        params={"import-handler": "DICOM-zip"},
        data=iter([zipped(*images)]),
        auth=("forwarder", "secret"),
        headers={"Content-Type": "application/zip"},
        timeout=30,
    )
    assert said.status_code == 400


def test_a_project_that_is_missing_or_not_writable_is_a_success_in_unassigned(
    xnat: XnatServer, images: list[Path]
) -> None:
    xnat.passwords["reader"] = "secret"
    xnat.archive.projects["RESEARCH"].users["reader"] = "Collaborators"
    elsewhere = DESTINATION.replace("RESEARCH", "ELSEWHERE")
    for said in (post(xnat, zipped(*images), dest=elsewhere), post(xnat, zipped(*images), user="reader")):
        assert said.status_code == 200
        assert said.text.startswith("/data/prearchive/projects/Unassigned/")
    assert not xnat.archive.sessions


def test_the_same_files_again_are_a_conflict_unless_they_may_be_overwritten(
    xnat: XnatServer, images: list[Path]
) -> None:
    assert post(xnat, zipped(*images)).status_code == 200
    again = post(xnat, zipped(*images))
    assert (again.status_code, again.reason.split(":")[0]) == (400, "Failed to archive 1 of 1 session(s)")
    assert post(xnat, zipped(*images), overwrite_files="true").status_code == 200
    assert len(files_of(xnat, "XNAT_E00001")) == 3


def test_planned_faults_come_one_by_one(xnat: XnatServer, images: list[Path]) -> None:
    plan = requests.post(
        f"{xnat.url}/double/faults", json=["busy", "locked", "filtered"], auth=("admin", "admin"), timeout=30
    )
    assert plan.ok
    answers = [post(xnat, zipped(*images)) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [409, 423, 200, 200]
    assert [answer.text for answer in answers[2:]] == ["", f"/data{DESTINATION}\r\n"]
