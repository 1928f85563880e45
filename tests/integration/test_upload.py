"""Uploads on Orthanc's own port: what is sound is stored, the rest refused with a reason, memory stays bounded."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import pytest
import requests
from pydicom import dcmread

from integration import datasets
from integration.conftest import BODY_MAX_MB, UPLOAD_MAX_MB
from integration.containers import Client, OrthancServer
from integration.endless_body import send_zeros

MB = 1024 * 1024
#: What refusing an archive may cost: a few copies of the largest body allowed.
MEMORY_MB = 300


@pytest.fixture
def client(orthanc: OrthancServer) -> Client:
    return orthanc.http()


def image(patient_id: str = "UPLOAD") -> bytes:
    """A CT slice of its own, of 64 × 64 pixels."""
    dataset = datasets.copy_of(datasets.DICOMPYLER_CT, patient_id)
    dataset.Rows = dataset.Columns = 64
    dataset.PixelData = dataset.PixelData[: 64 * 64 * 2]
    return datasets.file_of(dataset)


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def with_sizes(archive: bytes, announced: int) -> bytes:
    """The same archive, whose entries announce another unpacked size (APPNOTE 4.3.7 and 4.3.12)."""
    changed = bytearray(archive)
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = changed.find(signature)
        while at >= 0:
            struct.pack_into("<I", changed, at + offset, announced)
            at = changed.find(signature, at + 1)
    return bytes(changed)


def files_in(answer: requests.Response) -> list[dict[str, Any]]:
    # Orthanc calls what is not 200 text/plain, without saying that it is UTF-8.
    found: list[dict[str, Any]] = json.loads(answer.content)["files"]
    return found


def reasons(answer: requests.Response) -> dict[str, str | None]:
    return {file["name"]: file["reason"] for file in files_in(answer)}


def results(answer: requests.Response) -> dict[str, str]:
    return {file["name"]: file["result"] for file in files_in(answer)}


def test_a_raw_dicom_file_is_stored_with_its_identifiers_and_known_the_second_time(client: Client) -> None:
    content = image()
    dataset = dcmread(io.BytesIO(content))
    first = client.post("/api/upload", data=content, headers={"Content-Type": "application/dicom"})
    second = client.post("/api/upload", data=content)

    assert (first.status_code, second.status_code) == (200, 200)
    file = first.json()["files"][0]
    assert (file["result"], file["sop_instance_uid"]) == ("stored", dataset.SOPInstanceUID)
    assert file["study_instance_uid"] == dataset.StudyInstanceUID
    assert client.get(f"/instances/{file['orthanc_id']}/file").content == content
    assert (second.json()["stored"], second.json()["already_stored"]) == (0, 1)
    assert second.json()["files"][0]["orthanc_id"] == file["orthanc_id"]


def test_of_a_mixed_archive_the_good_files_are_kept_and_the_others_have_their_reasons(client: Client) -> None:
    files = {
        "study/1.dcm": image(),
        "readme.txt": b"not an image",
        "study/cut.dcm": image()[:2000],
        "empty.dcm": b"",
        "inner.zip": zipped({"2.dcm": image()}),
        "study/3.dcm": image(),
    }
    answer = client.post("/api/upload", data=zipped(files), headers={"Content-Type": "application/zip"})

    assert answer.status_code == 207
    assert answer.headers["X-Content-Type"] == "application/json"
    assert (answer.json()["stored"], answer.json()["rejected"]) == (2, 4)
    said = reasons(answer)
    assert said["upload.zip/study/1.dcm"] is None
    assert "not a DICOM file" in (said["upload.zip/readme.txt"] or "")
    assert "cut off" in (said["upload.zip/study/cut.dcm"] or "")
    assert "empty" in (said["upload.zip/empty.dcm"] or "")
    assert "ZIP archive within a ZIP archive" in (said["upload.zip/inner.zip"] or "")


def test_path_tricks_and_links_are_refused_alone(client: Client) -> None:
    buffer = io.BytesIO()
    link = zipfile.ZipInfo("link.dcm")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("good.dcm", image())
        for name in ("../../escaped.dcm", "/etc/escaped.dcm", "..\\escaped.dcm", "C:\\escaped.dcm"):
            archive.writestr(name, image())
        archive.writestr(link, "/etc/passwd")
    answer = client.post("/api/upload", data=buffer.getvalue())

    assert answer.status_code == 207
    assert (answer.json()["stored"], answer.json()["rejected"]) == (1, 5)
    assert results(answer)["upload.zip/good.dcm"] == "stored"
    said = reasons(answer)
    assert sum("leads out of the ZIP archive" in (reason or "") for reason in said.values()) == 4
    assert "symbolic link" in (said["upload.zip/link.dcm"] or "")


def test_an_encrypted_archive_is_refused_with_the_remedy(client: Client) -> None:
    archive = bytearray(zipped({"secret.dcm": image()}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        archive[archive.find(signature) + offset] |= 1
    answer = client.post("/api/upload", data=bytes(archive))

    assert answer.status_code == 422
    assert "encrypted" in (reasons(answer)["upload.zip/secret.dcm"] or "")


@pytest.mark.parametrize(
    ("body", "content_type", "status", "words"),
    [
        (b"", "application/dicom", 400, "no body"),
        (b"just text", "text/plain", 415, "text/plain"),
        (b"just text", "application/dicom", 422, "not a DICOM file"),
        (b"just text", "application/octet-stream", 422, "not a DICOM file"),
        (zipped({"1.dcm": datasets.DICOMPYLER_CT.read_bytes()})[:9000], "application/zip", 422, "damaged or cut off"),
        (zipped({}), "application/zip", 422, "holds no file"),
        (datasets.DICOMPYLER_CT.read_bytes()[:3000], "application/dicom", 422, "damaged or cut off"),
    ],
    ids=["empty", "text", "text as DICOM", "text as bytes", "cut ZIP", "empty ZIP", "cut DICOM"],
)
def test_what_cannot_be_stored_is_refused_with_the_reason(
    client: Client, body: bytes, content_type: str, status: int, words: str
) -> None:
    answer = client.post("/api/upload", data=body, headers={"Content-Type": content_type})

    assert (answer.status_code, answer.headers["X-Content-Type"]) == (status, "application/problem+json")
    assert words in answer.json()["detail"]
    assert answer.json()["remedy"]


def bombs() -> dict[str, bytes]:
    zeros = zipped({"zeros.dcm": bytes(2 * UPLOAD_MAX_MB * MB)})
    return {
        "announces 20 GB": with_sizes(zipped({f"{n}.dcm": bytes(MB) for n in range(5)}), 0xFFFFFFF0),
        "unpacks to more than a body": zeros,
        "announces less than it holds": with_sizes(zeros, 1000),
        "many files": zipped({f"{n}.dcm": bytes(UPLOAD_MAX_MB * MB) for n in range(17)}),
    }


def test_zip_bombs_are_refused_and_cost_no_memory(orthanc: OrthancServer, client: Client) -> None:
    for name, bomb in bombs().items():
        assert len(bomb) < UPLOAD_MAX_MB * MB
        used, peak = orthanc.memory_bytes("VmRSS"), orthanc.memory_bytes("VmHWM")
        answer = client.post("/api/upload", data=bomb)

        assert answer.status_code == 422, name
        assert answer.json()["stored"] == 0
        assert all(reasons(answer).values()), name
        assert orthanc.memory_bytes("VmHWM") <= max(peak, used + MEMORY_MB * MB), name
    assert client.get("/api/status").status_code == 200


def test_a_deflate_stream_that_never_ends_costs_its_own_file_only(client: Client) -> None:
    broken = bytearray(zipped({"bad.dcm": zlib.compress(bytes(range(256)) * 50), "good.dcm": image()}))
    broken[40:60] = b"\xff" * 20
    answer = client.post("/api/upload", data=bytes(broken))

    assert answer.status_code == 207
    assert results(answer) == {"upload.zip/bad.dcm": "rejected", "upload.zip/good.dcm": "stored"}


def test_a_form_by_post_is_refused_because_orthanc_would_take_it_apart(client: Client) -> None:
    answer = client.post("/api/upload", files={"files": ("1.dcm", image(), "application/dicom")})

    assert answer.status_code == 403


def test_a_form_by_put_as_the_door_sends_it_stores_every_file(client: Client) -> None:
    names = [f"Größe {n}.dcm" for n in range(24)]
    parts: list[Any] = [("files", (name, image("FORM"), "application/dicom")) for name in names]
    parts.append(("files", ("notes.txt", b"no image", "text/plain")))
    prepared = requests.Request("POST", "http://unused", files=parts).prepare()
    answer = client.put(
        "/api/upload", data=prepared.body, headers={"Content-Type": str(prepared.headers["Content-Type"])}
    )

    assert answer.status_code == 207
    assert (answer.json()["stored"], answer.json()["rejected"]) == (24, 1)
    assert [name for name, result in results(answer).items() if result == "rejected"] == ["notes.txt"]
    assert "Größe 0.dcm" in results(answer)


@pytest.mark.parametrize("cut", ["in a part", "before the closing boundary"])
def test_a_form_that_ends_too_early_is_400(client: Client, cut: str) -> None:
    prepared = requests.Request("POST", "http://unused", files=[("files", ("1.dcm", image()))]).prepare()
    assert isinstance(prepared.body, bytes)
    body = prepared.body[:500] if cut == "in a part" else prepared.body[:-6]
    headers = {"Content-Type": str(prepared.headers["Content-Type"])}
    answer = client.put("/api/upload", data=body, headers=headers)

    assert answer.status_code == 400
    assert "form" in answer.json()["detail"]


def test_a_body_beyond_the_limit_is_413(client: Client) -> None:
    answer = client.post("/api/upload", data=bytes((UPLOAD_MAX_MB + 1) * MB))
    assert answer.status_code == 413
    assert f"{UPLOAD_MAX_MB} MB are allowed" in answer.json()["detail"]

    # Beyond what Orthanc itself takes, nothing of the body reaches the plugins.
    # It may also hang up while we are still sending: RFC 9110 (15.5.14) allows that.
    with contextlib.suppress(requests.ConnectionError):
        assert client.post("/api/upload", data=bytes((BODY_MAX_MB + 1) * MB)).status_code == 413
    assert client.get("/api/status").status_code == 200


@pytest.mark.parametrize("announced", [True, False], ids=["with its length", "in chunks"])
def test_a_file_of_2_gb_is_refused_while_others_are_stored_and_costs_no_memory(
    orthanc: OrthancServer, client: Client, announced: bool
) -> None:
    used, peak = orthanc.memory_bytes("VmRSS"), orthanc.memory_bytes("VmHWM")
    small: list[requests.Response] = []
    sent, status = send_zeros(
        orthanc.http_port,
        "/api/upload",
        2048 * MB,
        announced,
        meanwhile=lambda: small.append(client.post("/api/upload", data=image())),
    )

    assert status in (413, None), "Orthanc may also hang up while we are still sending (RFC 9110, 15.5.14)"
    assert sent < 2048 * MB
    assert [answer.status_code for answer in small] == [200]
    assert orthanc.memory_bytes("VmHWM") <= max(peak, used + MEMORY_MB * MB)
    assert client.post("/api/upload", data=image()).json()["stored"] == 1
