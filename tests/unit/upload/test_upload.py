"""Files come in one by one, many at a time or raw; each gets its own answer and none costs the others."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from fastapi.testclient import TestClient
from pydicom.data import get_testdata_file

from host.archive import ArchiveError
from unit.archive_double import ArchiveDouble
from unit.host.dicom_files import UID_ROOT, instance_file, instance_id
from unit.upload.conftest import zipped

RAW_TYPES = ["application/dicom", "application/zip", "application/octet-stream", "application/x-zip-compressed", ""]


def send(client: TestClient, *files: tuple[str, bytes]) -> Any:
    return client.post("/api/upload", files=[("files", file) for file in files])


def raw(client: TestClient, body: bytes, content_type: str = "application/dicom") -> Any:
    return client.post("/api/upload", content=body, headers={"Content-Type": content_type})


def reasons(answer: Any) -> dict[str, str]:
    return {file["name"]: file["reason"] for file in answer.json()["files"] if file["result"] == "rejected"}


def test_one_file_of_a_form_is_stored_with_its_identifiers(client: TestClient, archive: ArchiveDouble) -> None:
    answer = send(client, ("image.dcm", instance_file()))
    assert answer.status_code == 200
    assert answer.json() == {
        "files": [
            {
                "name": "image.dcm",
                "result": "stored",
                "reason": None,
                "orthanc_id": instance_id(),
                "sop_instance_uid": f"{UID_ROOT}.1.1.1",
                "study_instance_uid": f"{UID_ROOT}.1",
            }
        ],
        "stored": 1,
        "already_stored": 0,
        "rejected": 0,
    }
    assert archive.instances[instance_id()].dicom == instance_file()


def test_real_files_are_stored_unchanged(client: TestClient, archive: ArchiveDouble, data_folder: Path) -> None:
    paths = [
        *sorted((data_folder / "sts/STS_001/CT/image").glob("*.dcm"))[:5],
        data_folder / "sts/STS_001/CT/mask/RS.dcm",
    ]
    answer = send(client, *((path.name, path.read_bytes()) for path in paths))
    assert (answer.status_code, answer.json()["stored"]) == (200, 6)
    for path, file in zip(paths, answer.json()["files"], strict=True):
        assert file["name"] == path.name
        assert archive.instances[file["orthanc_id"]].dicom == path.read_bytes()
        assert file["sop_instance_uid"] == pydicom.dcmread(path).SOPInstanceUID


ENCODED = [
    "CT_small.dcm",
    "MR_small_implicit.dcm",
    "image_dfl.dcm",
    "MR_small_bigendian.dcm",
    "JPEG2000.dcm",
    "badVR.dcm",
]


@pytest.mark.parametrize("name", ENCODED)
def test_identifiers_are_those_that_pydicom_reads_however_a_file_is_encoded(client: TestClient, name: str) -> None:
    dicom = Path(str(get_testdata_file(name))).read_bytes()
    (file,) = raw(client, dicom).json()["files"]
    dataset = pydicom.dcmread(BytesIO(dicom), force=True)
    assert (file["sop_instance_uid"], file["study_instance_uid"]) == (dataset.SOPInstanceUID, dataset.StudyInstanceUID)


def test_sending_again_is_already_stored_and_still_200(client: TestClient) -> None:
    send(client, ("a", instance_file("1")))
    answer = send(client, ("a", instance_file("1")), ("b", instance_file("2")), ("c", instance_file("2")))
    assert answer.status_code == 200
    assert [file["result"] for file in answer.json()["files"]] == ["already_stored", "stored", "already_stored"]
    assert (answer.json()["stored"], answer.json()["already_stored"]) == (1, 2)


@pytest.mark.parametrize("content_type", RAW_TYPES)
def test_a_raw_body_is_stored_whatever_its_type_is_called(client: TestClient, content_type: str) -> None:
    assert raw(client, instance_file(), content_type).json()["stored"] == 1
    zip_body = zipped(("a.dcm", instance_file("2")), ("b.dcm", instance_file("3")))
    assert raw(client, zip_body, content_type).json()["stored"] == 2


def test_dicom_is_recognised_by_its_content_under_any_type(client: TestClient) -> None:
    assert raw(client, instance_file(), "image/x-odd; a=b").status_code == 200


def test_a_put_is_a_post(client: TestClient) -> None:
    assert client.put("/api/upload", files=[("files", ("a", instance_file()))]).json()["stored"] == 1


def test_a_zip_within_a_form_is_unpacked_beside_the_other_files(client: TestClient) -> None:
    body = zipped(("folder/a.dcm", instance_file("1")), ("b.dcm", instance_file("2")))
    answer = send(client, ("study.zip", body), ("c.dcm", instance_file("3")))
    assert answer.status_code == 200
    assert [file["name"] for file in answer.json()["files"]] == ["study.zip/folder/a.dcm", "study.zip/b.dcm", "c.dcm"]


def broken_files(slice_of_ct: bytes) -> dict[str, tuple[bytes, str]]:
    return {
        "empty.dcm": (b"", "the file is empty"),
        "notes.txt": (b"Dear colleague,\n" * 20, "it is not a DICOM file"),
        "page.html": (b"<html>", "it is not a DICOM file"),
        "short": (b"x", "it is not a DICOM file"),
        "cut.dcm": (slice_of_ct[: len(slice_of_ct) // 2], "the DICOM file is damaged or cut off"),
        "incomplete.dcm": (
            instance_file(StudyInstanceUID=b""),
            "it lacks its Patient ID or one of its Study, Series and SOP Instance UIDs",
        ),
        "DICOMDIR": (dicomdir(), "it is a DICOMDIR, which only lists other files: send those"),
        "cut.zip": (
            zipped(("a", b"x" * 100))[:40],
            "the ZIP archive is damaged or cut off: its list of files cannot be read",
        ),
        "empty.zip": (zipped(), "the ZIP archive holds no file"),
    }


def dicomdir() -> bytes:
    return Path(str(get_testdata_file("DICOMDIR"))).read_bytes()


def test_each_broken_file_has_its_reason_and_the_others_are_kept(
    client: TestClient, archive: ArchiveDouble, slice_of_ct: bytes
) -> None:
    broken = broken_files(slice_of_ct)
    files = [(name, content) for name, (content, _) in broken.items()]
    answer = send(client, ("first.dcm", instance_file("1")), *files, ("last.dcm", instance_file("2")))
    assert answer.status_code == 207
    assert reasons(answer) == {name: reason for name, (_, reason) in broken.items()}
    assert (answer.json()["stored"], answer.json()["rejected"]) == (2, len(broken))
    assert set(archive.instances) == {instance_id("1"), instance_id("2")}
    for file in answer.json()["files"]:
        assert (file["orthanc_id"] is None) == (file["result"] == "rejected")


@pytest.mark.parametrize("name", ["empty.dcm", "notes.txt", "cut.dcm", "DICOMDIR", "cut.zip", "empty.zip"])
def test_one_broken_file_alone_is_422_with_its_reason(client: TestClient, slice_of_ct: bytes, name: str) -> None:
    content, reason = broken_files(slice_of_ct)[name]
    answer = send(client, (name, content))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["detail"] == f"{name}: {reason}."
    assert problem["files"][0]["reason"] == reason
    assert (problem["status"], problem["rejected"], problem["stored"]) == (422, 1, 0)


def test_only_broken_files_are_422_with_all_reasons(client: TestClient) -> None:
    answer = send(client, ("a.txt", b"text"), ("b.txt", b"text"))
    assert (answer.status_code, answer.json()["detail"]) == (422, "Every file was rejected.")
    assert len(reasons(answer)) == 2


@pytest.mark.parametrize("body", [b"text", b"\x00" * 200])
def test_a_raw_body_that_is_no_dicom_is_422(client: TestClient, body: bytes) -> None:
    assert raw(client, body).status_code == 422


def test_a_raw_body_that_is_called_a_zip_and_is_none_is_400(client: TestClient) -> None:
    answer = raw(client, b"text", "application/zip")
    assert answer.status_code == 400
    assert answer.json()["detail"] == "The body is of type application/zip, but not a ZIP archive."


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "image/png", "multipart/related"])
def test_a_body_of_another_type_is_415_and_named(client: TestClient, content_type: str) -> None:
    answer = raw(client, b"some text", content_type)
    assert answer.status_code == 415
    assert content_type in answer.json()["detail"]
    assert answer.json()["remedy"]


@pytest.mark.parametrize("content_type", ["application/dicom", "multipart/form-data; boundary=x", "text/plain"])
def test_no_body_is_400(client: TestClient, content_type: str) -> None:
    assert raw(client, b"", content_type).status_code == 400


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x\r\n\r\n--x--\r\n"),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=x", b"no boundary in it"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; filename=a\r\n\r\ncut"),
        ("multipart/form-data; boundary=x", b"--x--\r\n"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nv\r\n--x--\r\n'),
        ("multipart/form-data; boundary=" + "x" * 300, b"--" + b"x" * 300 + b"--"),
    ],
)
def test_a_form_that_is_none_is_400_with_a_remedy(client: TestClient, content_type: str, body: bytes) -> None:
    answer = raw(client, body, content_type)
    assert answer.status_code == 400
    assert "curl -F" in answer.json()["remedy"]


def test_too_many_files_are_refused_before_the_first_is_stored(client: TestClient, archive: ArchiveDouble) -> None:
    answer = send(client, *((f"{number}.dcm", instance_file(str(number))) for number in range(51)))
    assert answer.status_code in (400, 413)
    assert "51" in answer.json()["detail"] and "50" in answer.json()["detail"]
    assert archive.instances == {}


def test_a_body_over_the_limit_is_413_and_says_what_is_allowed(client: TestClient, archive: ArchiveDouble) -> None:
    answer = raw(client, instance_file(PixelData=bytes(3 * 1024 * 1024)))
    assert answer.status_code == 413
    assert "2 MB are allowed" in answer.json()["detail"]
    assert archive.count("store_instance") == 0


def test_an_archive_that_cannot_store_is_503(client: TestClient, archive: ArchiveDouble) -> None:
    archive.fail("store_instance", ArchiveError("Full storage"), times=6)
    answer = send(client, ("a.dcm", instance_file("1")), ("b.dcm", instance_file("2")))
    assert answer.status_code == 503
    assert "disk may be full" in answer.json()["detail"]


def test_an_instance_that_lost_a_race_in_the_database_is_stored_at_the_next_try(
    client: TestClient, archive: ArchiveDouble
) -> None:
    archive.fail("store_instance", ArchiveError("could not serialize access due to concurrent update"), times=2)
    answer = send(client, ("a.dcm", instance_file("1")))
    assert answer.status_code == 200
    assert set(archive.instances) == {instance_id("1")}


def test_an_archive_that_fails_in_the_middle_is_207_and_says_which(client: TestClient, archive: ArchiveDouble) -> None:
    archive.fail("store_instance", ArchiveError("Full storage"), times=3)
    answer = send(client, ("a.dcm", instance_file("1")), ("b.dcm", instance_file("2")))
    assert answer.status_code == 207
    assert reasons(answer) == {"a.dcm": "the archive cannot store now: its disk may be full; try again later"}
    assert set(archive.instances) == {instance_id("2")}


@pytest.mark.parametrize(
    "name", ["Renée Dupont é.dcm", "山田.dcm", "a b;c.dcm", "a'b.dcm", "100%.dcm", "..", "a=b&c.dcm"]
)
def test_names_come_back_as_they_were_sent(client: TestClient, name: str) -> None:
    assert send(client, (name, instance_file())).json()["files"][0]["name"] == name


def test_neither_names_nor_contents_are_logged(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", logger="pacs"):
        send(client, ("Dupont.dcm", instance_file()), ("Renee.txt", b"text"))
    assert "1 stored, 0 already stored, 1 rejected" in caplog.text
    assert "Dupont" not in caplog.text and "Ren" not in caplog.text
