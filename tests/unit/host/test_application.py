"""The application as a whole: one shape of errors, a request id everywhere, documentation that works offline."""

from __future__ import annotations

import ast
import importlib
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urljoin

import pytest
from fastapi import APIRouter, Query
from fastapi.testclient import TestClient

from host.application import create_application
from host.events import Events, RequestServed
from host.log import request_id
from host.plugin import Host, Plugin
from host.problems import Problem

OURS = re.compile("[0-9a-f]{32}")
served: list[RequestServed] = []
logger = logging.getLogger("pacs.test")


def router() -> APIRouter:
    made = APIRouter()

    @made.get("/items/{number}")
    def item(number: int, patient: Annotated[str, Query(max_length=5)] = "") -> dict[str, Any]:
        return {"number": number, "request_id": request_id.get()}

    @made.get("/known")
    def known() -> None:
        raise Problem(409, "It runs.", "Wait.", extra=[1])

    @made.get("/broken")
    def broken() -> None:
        raise RuntimeError("Dupont^Renée")

    return made


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    events = Events()
    events.request_served.subscribe(served.append)
    app = create_application([Plugin("test", router()), Plugin("silent")], events)
    with TestClient(app, raise_server_exceptions=False) as made:
        yield made


def plugin_names() -> list[str]:
    """What main.py loads; it can be imported inside Orthanc only."""
    source = ast.parse((Path(__file__).parents[3] / "orthanc-plugins/main.py").read_text())
    assigned = [
        node for node in source.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PLUGINS"
    ]
    return [ast.unparse(name) for name in assigned[0].value.elts]  # type: ignore[attr-defined]


@pytest.fixture
def whole(host: Host) -> TestClient:
    """A client of the application with every plugin."""
    plugins = [importlib.import_module(name).create(host) for name in plugin_names()]
    return TestClient(create_application(plugins, host.events), raise_server_exceptions=False)


def problem_of(client: TestClient, method: str, path: str, expected: int) -> dict[str, Any]:
    answer = client.request(method, path)
    assert answer.status_code == expected
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == expected
    assert problem["type"] == "about:blank"
    assert problem["title"] and problem["detail"] and problem["remedy"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    return problem


def test_a_problem_carries_detail_remedy_and_its_own_members(client: TestClient) -> None:
    problem = problem_of(client, "GET", "/api/known", 409)
    assert (problem["title"], problem["detail"], problem["remedy"]) == ("Conflict", "It runs.", "Wait.")
    assert problem["extra"] == [1]


def test_a_rejected_value_is_named_by_its_place_and_never_repeated(client: TestClient) -> None:
    problem = problem_of(client, "GET", "/api/items/Dupont?patient=Dupont%5ERen", 422)
    assert [error["where"] for error in problem["errors"]] == ["path.number", "query.patient"]
    assert "Dupont" not in str(problem)


def test_an_unknown_route_says_so(client: TestClient) -> None:
    assert problem_of(client, "GET", "/api/nothing", 404)["detail"] == "There is no route /api/nothing."


def test_a_wrong_method_says_so_and_which_are_right(client: TestClient) -> None:
    assert "/api/known does not answer DELETE" in problem_of(client, "DELETE", "/api/known", 405)["detail"]
    assert client.delete("/api/known").headers["allow"] == "GET"


def test_a_failure_of_ours_is_logged_whole_and_answered_without_detail(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        problem = problem_of(client, "GET", "/api/broken", 500)
    assert "Dupont" not in str(problem)
    assert OURS.fullmatch(problem["request_id"])
    assert "GET /api/broken failed" in caplog.text
    assert "RuntimeError" in caplog.text


def test_a_failure_of_ours_is_counted_once(client: TestClient) -> None:
    served.clear()
    client.get("/api/broken")
    assert [(event.route, event.status) for event in served] == [("/api/broken", 500)]


def test_the_request_id_is_the_same_inside_and_in_the_answer(client: TestClient) -> None:
    answer = client.get("/api/items/1")
    assert OURS.fullmatch(answer.headers["x-request-id"])
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert client.get("/api/items/1").headers["x-request-id"] != answer.headers["x-request-id"]


def test_the_id_of_a_client_is_kept(client: TestClient) -> None:
    answer = client.get("/api/items/1", headers={"X-Request-ID": "nightly-7.a_b"})
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "nightly-7.a_b"


@pytest.mark.parametrize("forged", ["a b", "a\tERROR", "é", "x" * 65, "a\\n", "{}", "-\x85"])
def test_an_id_that_could_forge_a_log_line_is_replaced(client: TestClient, forged: str) -> None:
    answer = client.get("/api/items/1", headers={"X-Request-ID": forged.encode()})
    assert OURS.fullmatch(answer.headers["x-request-id"])


def test_outside_a_request_there_is_no_id(client: TestClient) -> None:
    client.get("/api/items/1")
    assert request_id.get() == "-"


@pytest.mark.parametrize(
    ("method", "path", "route", "expected"),
    [
        ("GET", "/api/items/12345", "/api/items/{number}", 200),
        ("GET", "/api/items/Dupont", "/api/items/{number}", 422),
        ("GET", "/api/nothing/Dupont", "unknown", 404),
    ],
)
def test_requests_are_reported_by_the_routes_template(
    client: TestClient, method: str, path: str, route: str, expected: int
) -> None:
    served.clear()
    client.request(method, path)
    assert [(event.method, event.route, event.status) for event in served] == [(method, route, expected)]
    assert 0 < served[0].duration_s < 10


def test_every_route_of_every_plugin_is_described(whole: TestClient) -> None:
    paths = whole.get("/api/openapi.json").json()["paths"]
    assert {
        "/api/status",
        "/api/health",
        "/api/upload",
        "/api/extract-rt/{instance_id}",
        "/api/extractions",
        "/api/extractions/{instance_id}/retry",
        "/api/studies",
        "/api/studies/{identifier}",
        "/api/stats",
        "/api/metrics",
    } <= set(paths)
    for path, operations in paths.items():
        for method, operation in operations.items():
            assert len(operation.get("description", "")) > 20, f"{method} {path} has no description"
            assert operation["summary"] and operation["tags"]


def test_what_the_server_can_do_is_told_in_few_bytes(whole: TestClient) -> None:
    answer = whole.get("/api/routes")
    assert set(answer.json()["paths"]) == set(whole.get("/api/openapi.json").json()["paths"])
    assert len(answer.content) < 10_000


def test_no_route_but_a_get_takes_a_query_string(whole: TestClient) -> None:
    # On port 8042 Orthanc drops it without a word (docs/operations.md).
    paths = whole.get("/api/openapi.json").json()["paths"]
    for path, operations in paths.items():
        for method, operation in operations.items():
            asked = [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]
            assert method == "get" or not asked, f"{method} {path}: take {asked} in the body"


def test_the_documentation_asks_nothing_of_the_internet(whole: TestClient) -> None:
    page = whole.get("/api/docs")
    assert page.status_code == 200
    found = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)["']""", page.text)
    assert len(found) >= 3
    for reference in found:
        assert reference.startswith("/"), f"{reference} is not local"
        answer = whole.get(urljoin("http://testserver/api/docs", reference))
        assert answer.status_code == 200, reference
        assert answer.content
    assert "://" not in page.text
