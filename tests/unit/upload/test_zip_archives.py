"""Hostile and damaged ZIP archives cost neither memory nor the other files."""

from __future__ import annotations

import io
import random
import stat
import struct
import zipfile

import pytest
from fastapi.testclient import TestClient

from unit.archive_double import ArchiveDouble
from unit.host.dicom_files import instance_file, instance_id
from unit.upload.conftest import MEGABYTE, zipped
from unit.upload.test_upload import raw, reasons
from upload.archives import RefusedZip, ZipLimits, members_of

GOOD = ("good.dcm", instance_file())
LIMITS = ZipLimits(file_bytes=MEGABYTE, total_bytes=4 * MEGABYTE, files=20)


def rejected(client: TestClient, body: bytes) -> dict[str, str]:
    """Why which members were rejected, when the good one was stored."""
    answer = raw(client, body, "application/zip")
    assert answer.status_code == 207
    assert [file["name"] for file in answer.json()["files"] if file["result"] == "stored"] == ["upload.zip/good.dcm"]
    return {name.removeprefix("upload.zip/"): reason for name, reason in reasons(answer).items()}


@pytest.mark.parametrize(
    "name",
    [
        "../evil.dcm",
        "a/../../evil.dcm",
        "/etc/evil.dcm",
        "..\\evil.dcm",
        "C:\\evil.dcm",
        "\\\\server\\evil.dcm",
        "a/..",
    ],
)
def test_a_path_that_leads_out_is_refused_and_the_others_are_kept(
    client: TestClient, archive: ArchiveDouble, name: str
) -> None:
    found = rejected(client, zipped((name, instance_file("2")), GOOD))
    assert list(found.values()) == ["its path leads out of the ZIP archive"]
    assert set(archive.instances) == {instance_id()}


def test_a_symbolic_link_is_refused(client: TestClient) -> None:
    buffer = io.BytesIO(zipped(GOOD))
    with zipfile.ZipFile(buffer, "a") as archive:
        link = zipfile.ZipInfo("link.dcm")
        link.create_system = 3
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    assert rejected(client, buffer.getvalue()) == {"link.dcm": "it is a symbolic link"}


def test_an_encrypted_member_is_refused_with_the_remedy(client: TestClient) -> None:
    body = bytearray(zipped(("secret.dcm", instance_file("2")), GOOD))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        body[body.index(signature) + offset] |= 1
    assert rejected(client, bytes(body)) == {"secret.dcm": "it is encrypted: send the archive without a password"}


def test_a_member_over_the_limit_is_refused_unread(client: TestClient) -> None:
    found = rejected(client, zipped(("large.dcm", bytes(3 * MEGABYTE)), GOOD))
    assert found == {"large.dcm": "it unpacks to 3 MB; 2 MB are allowed for one file"}


def test_a_bomb_is_refused_as_a_whole_before_anything_is_unpacked(client: TestClient, archive: ArchiveDouble) -> None:
    body = zipped(*((f"{number}.dcm", bytes(2 * MEGABYTE)) for number in range(20)), GOOD)
    assert len(body) < 100_000
    answer = raw(client, body, "application/zip")
    assert answer.status_code == 422
    assert "unpacks to 41 MB; 32 MB are allowed" in answer.json()["detail"]
    assert archive.calls == []


def test_a_bomb_that_lies_about_its_size_is_not_unpacked_beyond_it(client: TestClient) -> None:
    body = bytearray(zipped(("bomb.dcm", bytes(8 * MEGABYTE)), GOOD))
    offset = body.index(b"PK\x01\x02") + 24
    body[offset : offset + 4] = struct.pack("<I", 1000)
    assert rejected(client, bytes(body)) == {"bomb.dcm": "its data within the ZIP archive is damaged"}


def test_too_many_members_are_refused_as_a_whole(client: TestClient, archive: ArchiveDouble) -> None:
    answer = raw(client, zipped(*((f"{number}", b"x") for number in range(51))), "application/zip")
    assert answer.status_code == 422
    assert "51 files; 50 are allowed" in answer.json()["detail"]
    assert archive.calls == []


METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_ZSTANDARD]


@pytest.mark.parametrize("method", METHODS)
def test_a_damaged_member_costs_itself_alone(client: TestClient, method: int) -> None:
    content = random.Random(7).randbytes(5000) + bytes(5000)
    body = bytearray(zipped(("bad.dcm", content), GOOD, method=method))
    body[200:300] = bytes(byte ^ 0xFF for byte in body[200:300])
    assert rejected(client, bytes(body)) == {"bad.dcm": "its data within the ZIP archive is damaged"}


@pytest.mark.parametrize("method", METHODS)
def test_every_usual_compression_is_read(client: TestClient, method: int) -> None:
    assert raw(client, zipped(GOOD, method=method)).status_code == 200


def test_a_compression_that_nobody_knows_is_refused(client: TestClient) -> None:
    body = bytearray(zipped(("odd.dcm", b"x"), GOOD))
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        body[body.index(signature) + offset] = 97
    assert rejected(client, bytes(body)) == {"odd.dcm": "its compression is not supported: use Deflate"}


def test_a_zip_within_a_zip_is_refused_and_not_opened(client: TestClient) -> None:
    found = rejected(client, zipped(("inner.zip", zipped(("a.dcm", instance_file("2")))), GOOD))
    assert found == {"inner.zip": "it is a ZIP archive within a ZIP archive: send it by itself"}


def test_what_systems_leave_in_archives_is_passed_over(client: TestClient) -> None:
    litter = [("__MACOSX/._good.dcm", b"x"), ("a/.DS_Store", b"x"), ("Thumbs.db", b"x"), ("a/desktop.ini", b"x")]
    answer = raw(client, zipped(*litter, ("folder/", b""), GOOD))
    assert answer.status_code == 200
    assert [file["name"] for file in answer.json()["files"]] == ["upload.zip/good.dcm"]


def test_an_archive_of_litter_alone_holds_no_file(client: TestClient) -> None:
    assert raw(client, zipped(("Thumbs.db", b"x"))).json()["detail"] == "upload.zip: the ZIP archive holds no file."


def test_text_dicomdir_and_empty_members_have_their_reasons(client: TestClient) -> None:
    found = rejected(client, zipped(("readme.txt", b"text"), ("empty", b""), GOOD))
    assert found == {"readme.txt": "it is not a DICOM file", "empty": "the file is empty"}


def test_an_archive_cut_off_is_refused(client: TestClient) -> None:
    answer = raw(client, zipped(GOOD)[:-30])
    assert (answer.status_code, "damaged or cut off" in answer.json()["detail"]) == (422, True)


@pytest.mark.filterwarnings("ignore:Overlapped entries:UserWarning")
def test_an_archive_with_any_byte_damaged_raises_nothing_but_a_refusal() -> None:
    sound = zipped(("a.dcm", b"a" * 300), ("é/b.dcm", b"b" * 300), method=zipfile.ZIP_DEFLATED)
    for position in range(len(sound)):
        for value in (0x00, 0xFF, sound[position] ^ 0x08):
            damaged = sound[:position] + bytes([value]) + sound[position + 1 :]
            try:
                for member in members_of(damaged, LIMITS):
                    assert len(member.content) <= LIMITS.file_bytes
            except RefusedZip:
                continue
            except Exception as error:
                pytest.fail(f"byte {position} set to {value:#x}: {error!r}")
