"""The bridge between Orthanc and the routes is exact: ids, codes, headers, accents."""

from __future__ import annotations

import http.client
import json
import re
from base64 import b64encode

import pytest

from integration.containers import HOST, PASSWORDS, Client, OrthancServer
from integration.polling import eventually

NO_SUCH = "1.2.3.4.5.6.7"


@pytest.fixture
def client(orthanc: OrthancServer) -> Client:
    return orthanc.http()


def raw_headers(orthanc: OrthancServer, path: str, method: str = "GET") -> tuple[int, list[tuple[str, str]]]:
    """The header lines as they come, none merged with another."""
    connection = http.client.HTTPConnection(HOST, orthanc.http_port, timeout=60)
    token = b64encode(f"admin:{PASSWORDS['admin']}".encode()).decode()
    connection.request(method, path, headers={"Authorization": f"Basic {token}"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, [(name.lower(), value) for name, value in answer.getheaders()]


def test_a_callers_request_id_comes_back(client: Client) -> None:
    for path in ("/api/status", f"/api/extract-rt/{NO_SUCH}", "/api/nowhere"):
        assert (
            client.get(path, headers={"X-Request-ID": "ward-3.import_7"}).headers["X-Request-ID"] == "ward-3.import_7"
        )


@pytest.mark.parametrize("asked", ["two words", "<script>", "x" * 65, "", "é"])
def test_a_harmful_request_id_is_replaced(client: Client, asked: str) -> None:
    given = client.get("/api/status", headers={"X-Request-ID": asked.encode()}).headers["X-Request-ID"]

    assert re.fullmatch("[0-9a-f]{32}", given)


def test_the_request_id_stands_in_the_log_and_in_the_problem(orthanc: OrthancServer, client: Client) -> None:
    problem = client.get("/api/nowhere", headers={"X-Request-ID": "trace-me-1"}).json()
    assert problem["request_id"] == "trace-me-1"

    # The service logs counts of each upload, from another thread than the bridge's.
    client.post("/api/upload", data=b"no image", headers={"X-Request-ID": "trace-me-2"})
    eventually(lambda: "[trace-me-2] pacs.upload" in orthanc.log(), 60, "the log names the request")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nowhere", 404),
        ("GET", f"/api/extract-rt/{NO_SUCH}", 404),
        ("GET", f"/api/studies/{NO_SUCH}", 404),
        ("GET", "/api/studies?limit=many", 422),
        ("GET", "/api/extract-rt/no%20identifier", 422),
        ("POST", "/api/upload", 400),
    ],
)
def test_errors_are_problem_details_with_a_remedy(
    orthanc: OrthancServer, client: Client, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["X-Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"] and problem["detail"] and problem["remedy"]


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/api/status"), ("PUT", "/api/studies")])
def test_a_method_that_a_route_does_not_know_is_405_and_the_allowed_ones_are_named(
    client: Client, method: str, path: str
) -> None:
    answer = client.request(method, path)

    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/status", 200),
        ("/api/docs", 200),
        ("/api/metrics", 200),
        ("/api/nowhere", 404),
        ("/api/studies?limit=0", 422),
    ],
)
def test_every_answer_has_one_content_type_and_one_request_id(orthanc: OrthancServer, path: str, status: int) -> None:
    code, headers = raw_headers(orthanc, path)
    names = [name for name, _ in headers]

    assert code == status
    for name in ("content-type", "content-length", "x-request-id"):
        assert names.count(name) == 1, (name, headers)
    assert ("x-content-type" in names) == (status != 200)


def test_accents_reach_the_route_whole(client: Client) -> None:
    for name in ("Müller", "François", "Łódź", "山田"):
        answer = client.get("/api/studies", params={"sort": name})
        assert answer.status_code == 422
        missing = client.get(f"/api/studies/{name}")
        assert missing.status_code == 404
        # Orthanc calls it text/plain, without saying that it is UTF-8.
        assert name in json.loads(missing.content)["detail"]


def test_the_documentation_needs_no_internet(client: Client) -> None:
    page = client.get("/api/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    assets = re.findall(r"""(?:src|href)=["']([^"']+)["']""", page.text)
    assert assets
    for asset in assets:
        assert asset.startswith("/api/"), "an external host"
        loaded = client.get(asset)
        assert loaded.status_code == 200
        assert loaded.content
    assert not re.search(r"https?://(?!127\.0\.0\.1)", page.text)
    schema = client.get("/api/openapi.json")
    assert {"/api/status", "/api/upload", "/api/extract-rt/{instance_id}", "/api/studies"} <= set(
        schema.json()["paths"]
    )
    assert not re.search(r"https?://[^/\s\"…]+\.(com|org|net|io)", schema.text)
