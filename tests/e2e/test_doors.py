"""Who may do what on the two doors, and what the API door itself adds."""

import base64
import http.client
import io
import json
import select
import socket
import time
import zipfile

import httpx
import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid

from e2e.stack import UPLOAD_MAX_MB, Stack, docker
from integration.endless_body import MB, send_zeros

NO_SUCH = "00000000-00000000-00000000-00000000-00000000"


@pytest.mark.parametrize(
    "path", ["/system", "/studies", "/dicom-web/studies", "/api/status", "/api/docs", "/api/metrics"]
)
def test_orthanc_asks_everyone_for_a_password(stack: Stack, path: str) -> None:
    with stack.orthanc(account=None) as stranger:
        answer = stranger.get(path)
        wrong = stranger.get(path, auth=("admin", "wrong"))

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert wrong.status_code == 401


def test_the_api_door_asks_for_the_same_accounts(stack: Stack) -> None:
    with stack.door(account=None) as stranger:
        assert stranger.get("/api/status").status_code == 401
    for account in ("admin", "viewer"):
        with stack.door(account) as known:
            assert known.get("/api/status").status_code == 200


@pytest.mark.parametrize(
    "path", ["/system", "/studies", "/dicom-web/studies", "/api/status", "/api/studies", "/api/stats"]
)
def test_viewer_reads(stack: Stack, path: str) -> None:
    with stack.orthanc("viewer") as viewer:
        assert viewer.get(path).status_code in {200, 204}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/instances"),
        ("DELETE", f"/studies/{NO_SUCH}"),
        ("PUT", f"/studies/{NO_SUCH}/metadata/1024"),
        ("POST", f"/studies/{NO_SUCH}/anonymize"),
        ("POST", "/modalities/any/store"),
        ("POST", "/tools/reset"),
        ("POST", "/tools/shutdown"),
        ("POST", "/dicom-web/studies"),
        ("POST", "/api/upload"),
        ("PUT", "/api/upload"),
        ("POST", "/api/extractions/1/retry"),
    ],
)
def test_viewer_changes_nothing(stack: Stack, method: str, path: str) -> None:
    with stack.orthanc("viewer") as viewer:
        assert viewer.request(method, path, content=b"{}").status_code == 403


def test_viewer_uploads_nothing_through_the_api_door(stack: Stack) -> None:
    with stack.door("viewer") as viewer:
        answer = viewer.post("/api/upload", files={"files": ("a.dcm", b"DICM", "application/dicom")})

    assert answer.status_code == 403


def test_prometheus_sees_metrics_only(stack: Stack) -> None:
    with stack.orthanc("prometheus") as prometheus:
        metrics = prometheus.get("/api/metrics")
        assert metrics.status_code == 200
        assert metrics.headers["content-type"].startswith("text/plain")
        assert prometheus.get("/tools/metrics-prometheus").status_code == 200
        for path in ("/studies", "/patients", "/system", "/dicom-web/studies", "/api/status", "/api/studies"):
            assert prometheus.get(path).status_code == 403, path


def test_the_api_door_serves_only_the_api(stack: Stack) -> None:
    with stack.door() as door:
        start = door.get("/")
        assert (start.status_code, start.headers["location"]) == (302, "/api/docs")
        for path in ("/system", "/studies", "/dicom-web/studies", "/app/explorer.html", "/api/../system", "/apix"):
            answer = door.get(path)
            assert answer.status_code == 404, path
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == 404
            assert answer.json()["remedy"]


def test_the_api_door_answers_head_like_get(stack: Stack) -> None:
    with stack.door() as door:
        head, get = door.head("/api/openapi.json"), door.get("/api/openapi.json")

    assert head.status_code == get.status_code == 200
    assert head.headers["content-type"] == get.headers["content-type"]
    assert head.content == b""


@pytest.mark.parametrize("identifier", ["ward-3.import_7", None, "<script>", "x" * 65])
def test_every_answer_carries_one_request_id(stack: Stack, identifier: str | None) -> None:
    headers = {"X-Request-ID": identifier} if identifier else {}
    with stack.door() as door:
        for path in ("/api/status", "/nowhere"):
            given = door.get(path, headers=headers).headers.get_list("x-request-id")
            assert len(given) == 1
            if identifier == "ward-3.import_7":
                assert given == [identifier]
            else:
                assert given[0] != identifier
                assert len(given[0]) == 32


def test_errors_of_the_plugins_are_problem_details_with_one_content_type(stack: Stack) -> None:
    with stack.door() as door:
        answer = door.get(f"/api/extract-rt/{NO_SUCH}")

    assert answer.status_code == 404
    assert answer.headers.get_list("content-type") == ["application/problem+json"]
    assert {"title", "status", "detail"} <= set(answer.json())


def test_a_body_whose_length_is_beyond_the_limit_is_refused_with_the_remedy(stack: Stack) -> None:
    # Only the length is looked at: nothing of that size is sent.
    connection = http.client.HTTPConnection("127.0.0.1", stack.api_port, timeout=60)
    connection.putrequest("POST", "/api/upload")
    connection.putheader("Content-Length", str(3 * 1024**3))
    connection.endheaders()
    answer = connection.getresponse()

    assert answer.status == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert "PACS_UPLOAD_MAX_MB" in json.load(answer)["remedy"]


def test_2_gb_without_a_length_are_refused_while_others_are_stored_and_cost_neither_door_nor_orthanc_memory(
    stack: Stack,
) -> None:
    slice_of_its_own = new_slice(stack)
    before = {service: peak_memory(stack, service) for service in ("door", "orthanc")}
    stored: list[httpx.Response] = []

    def upload() -> None:
        with stack.door() as door:
            stored.append(door.post("/api/upload", content=slice_of_its_own))

    password = stack.settings()["PACS_ADMIN_PASSWORD"]
    sent, status = send_zeros(
        stack.api_port, "/api/upload", 2048 * MB, announced=False, meanwhile=upload, password=password
    )

    assert status == 413
    assert sent < (UPLOAD_MAX_MB + 64) * MB
    assert stored[0].json()["stored"] == 1
    for service, peak in before.items():
        assert peak_memory(stack, service) <= peak + 100 * MB, service


def test_a_zip_bomb_in_a_form_costs_its_own_file_only(stack: Stack) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.dcm", bytes(2 * UPLOAD_MAX_MB * MB))
    before = peak_memory(stack, "orthanc")
    files = [
        ("files", (name, content)) for name, content in [("bomb.zip", bomb.getvalue()), ("1.dcm", new_slice(stack))]
    ]
    with stack.door() as door:
        answer = door.post("/api/upload", files=files)

    assert answer.status_code == 207
    results = {file["name"]: file["result"] for file in answer.json()["files"]}
    assert results == {"bomb.zip/zeros.dcm": "rejected", "1.dcm": "stored"}
    assert peak_memory(stack, "orthanc") <= before + 300 * MB


def new_slice(stack: Stack) -> bytes:
    """A CT slice that nobody has sent yet."""
    dataset = dcmread(stack.folder / "tests/data/dicompyler/ct.0.dcm")
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    file = io.BytesIO()
    dataset.save_as(file)
    return file.getvalue()


def peak_memory(stack: Stack, service: str) -> int:
    """The most that the service's processes have held, in bytes. Not every engine accounts memory by container."""
    container = stack.containers()[service]
    lines = docker("exec", container, "sh", "-c", "grep -h VmHWM /proc/[0-9]*/status").splitlines()
    return max(int(line.split()[1]) for line in lines) * 1024


def test_the_access_log_keeps_no_query_strings(stack: Stack) -> None:
    with stack.door() as door:
        door.get("/api/studies", params={"search": "Przybylski"})

    logs = stack.pacs("logs", "door").stdout
    assert "GET /api/studies HTTP/1.1" in logs
    assert "Przybylski" not in logs


def test_a_fifth_upload_at_the_same_time_is_asked_to_wait(stack: Stack) -> None:
    body = bytes(200)
    connections = []
    for _ in range(6):
        connection = http.client.HTTPConnection("127.0.0.1", stack.api_port, timeout=120)
        connection.putrequest("POST", "/api/upload")
        connection.putheader("Authorization", basic(stack, "admin"))
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        connections.append(connection)

    # No body has come, so none of the four can end: the two others hear at once that they have to wait.
    told: list[socket.socket] = []
    deadline = time.monotonic() + 60
    while len(told) < 2 and time.monotonic() < deadline:
        told = select.select([connection.sock for connection in connections], [], [], 1)[0]
    assert len(told) == 2
    running = [connection for connection in connections if connection.sock not in told]
    for connection in connections:
        if connection in running:
            continue
        answer = connection.getresponse()
        assert answer.status == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) > 0
        assert "Four uploads" in json.load(answer)["detail"]

    for connection in running:
        connection.send(body)
    assert [connection.getresponse().status for connection in running] == [422] * 4


def basic(stack: Stack, account: str) -> str:
    """The header of HTTP Basic."""
    password = stack.settings()[f"PACS_{account.upper()}_PASSWORD"]
    return "Basic " + base64.b64encode(f"{account}:{password}".encode()).decode()
