"""Between Orthanc's callback and the application nothing is lost and nothing is added."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator

import pytest
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from host.application import create_application
from host.bridge import Bridge
from host.events import Events
from host.plugin import Plugin
from unit.host.rest_output import RecordedOutput

Call = Callable[..., RecordedOutput]
GO = threading.Event()


def router() -> APIRouter:
    made = APIRouter()

    @made.api_route("/echo/{rest:path}", methods=["GET", "POST", "PUT", "DELETE"])
    async def echo(request: Request, rest: str) -> dict[str, object]:
        body = (await request.body()).decode("latin-1")
        return {
            "method": request.method,
            "rest": rest,
            "query": dict(request.query_params),
            "names": request.query_params.getlist("name"),
            "headers": dict(request.headers),
            "raw_headers": [[k.decode("latin-1"), v.hex()] for k, v in request.headers.raw],
            "body": body,
            "scheme": request.scope["scheme"],
        }

    @made.get("/status/{code}")
    def status(code: int) -> Response:
        headers = {"Location": "/elsewhere", "ETag": '"x"'}
        return Response(b"" if code in (204, 304) else b"body", code, headers, media_type="text/csv")

    @made.get("/stream")
    def stream() -> StreamingResponse:
        return StreamingResponse(iter([b"a", b"b", b"c"]), media_type="text/x-letters")

    @made.get("/broken")
    def broken() -> None:
        raise RuntimeError("secret detail")

    @made.get("/slow")
    def slow() -> str:
        GO.wait(60)
        return "done"

    return made


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    made = Bridge(create_application([Plugin("test", router())], Events()))
    made.start()
    yield made
    made.stop()
    made.join()


@pytest.fixture
def call(bridge: Bridge) -> Call:
    def make(uri: str, method: str = "GET", **request: object) -> RecordedOutput:
        output = RecordedOutput()
        bridge.handle(output, uri, method=method, **request)
        assert output.answers == 1
        return output

    return make


def test_a_200_carries_its_type_once_and_its_headers(call: Call) -> None:
    output = call("/api/status/200")
    assert (output.status, output.body) == (200, b"body")
    assert output.content_type == "text/csv; charset=utf-8"
    assert output.header("etag") == '"x"'
    assert output.header("x-request-id")
    for name in ("content-type", "content-length", "x-content-type"):
        assert output.header(name) is None


@pytest.mark.parametrize("code", [201, 202, 207, 301, 400, 404, 413, 500, 503])
def test_any_other_status_carries_its_type_in_a_header_of_its_own(call: Call, code: int) -> None:
    output = call(f"/api/status/{code}")
    assert (output.status, output.body) == (code, b"body")
    assert output.header("content-type") is None
    assert output.header("x-content-type") == "text/csv; charset=utf-8"
    assert output.header("location") == "/elsewhere"


@pytest.mark.parametrize("code", [204, 304])
def test_an_answer_without_a_body_has_no_type_at_all(call: Call, code: int) -> None:
    output = call(f"/api/status/{code}")
    assert (output.status, output.body) == (code, b"")
    assert output.header("x-content-type") is None
    assert output.header("etag") == '"x"'


def test_a_streamed_answer_arrives_whole(call: Call) -> None:
    output = call("/api/stream")
    assert (output.body, output.content_type) == (b"abc", "text/x-letters; charset=utf-8")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_method_and_body_arrive_as_they_are(call: Call, method: str) -> None:
    body = bytes(range(256)) if method in ("POST", "PUT") else None
    answer = json.loads(call("/api/echo/x", method, body=body).body)
    assert answer["method"] == method
    assert answer["body"] == (body or b"").decode("latin-1")


def test_query_arguments_keep_accents_and_signs(call: Call) -> None:
    query = {"q": "Renée & Zoë=100%+1", "empty": "", "名": "前", "slash": "a/b?c#d"}
    assert json.loads(call("/api/echo/x", get=query).body)["query"] == query


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_query_that_orthanc_drops_comes_from_the_doors_header(call: Call, method: str) -> None:
    headers = {"x-query-string": "name=M%C3%BCller+1&name=b&empty="}
    answer = json.loads(call("/api/echo/x", method, headers=headers).body)
    assert answer["query"] == {"name": "b", "empty": ""}
    assert answer["names"] == ["Müller 1", "b"], "repeated arguments arrive as well"

    nothing = json.loads(call("/api/echo/x", method).body)
    assert nothing["query"] == {}


def test_the_query_of_a_get_is_orthancs_and_no_header_changes_it(call: Call) -> None:
    for arguments in ({}, {"a": "1"}):
        output = call("/api/echo/x", headers={"x-query-string": "a=2&b=3"}, get=arguments)
        assert json.loads(output.body)["query"] == arguments


def test_a_path_keeps_accents_and_spaces(call: Call) -> None:
    assert json.loads(call("/api/echo/é à/%41?x").body)["rest"] == "é à/%41?x"


def test_headers_arrive_as_the_bytes_that_the_client_sent(call: Call) -> None:
    headers = {"X-Name": "Renée", "if-none-match": '"a", W/"b"', "X-Odd": "\udcff"}
    raw = dict(json.loads(call("/api/echo/x", headers=headers).body)["raw_headers"])
    assert bytes.fromhex(raw["x-name"]).decode() == "Renée"
    assert bytes.fromhex(raw["if-none-match"]) == b'"a", W/"b"'
    assert bytes.fromhex(raw["x-odd"]) == b"\xff"


def test_the_scheme_is_what_the_door_says(call: Call) -> None:
    assert json.loads(call("/api/echo/x", headers={"x-forwarded-proto": "https"}).body)["scheme"] == "https"


def test_a_route_that_raises_answers_500_with_a_problem_and_no_detail(call: Call) -> None:
    output = call("/api/broken")
    assert output.status == 500
    assert output.header("x-content-type") == "application/problem+json"
    problem = json.loads(output.body)
    assert problem["status"] == 500 and problem["remedy"]
    assert b"secret" not in output.body


def test_an_unknown_route_answers_404_with_a_problem(call: Call) -> None:
    output = call("/api/nothing")
    assert output.status == 404
    assert output.header("x-content-type") == "application/problem+json"


def test_an_application_that_dies_without_an_answer_gives_500() -> None:
    async def dead(_scope: object, _receive: object, _send: object) -> None:
        raise RuntimeError("gone")

    bridge = Bridge(dead)
    bridge.start()
    output = RecordedOutput()
    bridge.handle(output, "/api/x", method="GET")
    bridge.stop()
    bridge.join()
    assert output.status == 500


def test_before_start_and_after_stop_it_answers_503() -> None:
    bridge = Bridge(create_application([Plugin("test", router())], Events()))

    def asked() -> RecordedOutput:
        output = RecordedOutput()
        bridge.handle(output, "/api/status/200", method="GET")
        return output

    before = asked()
    bridge.start()
    assert asked().status == 200
    bridge.stop()
    after = asked()
    bridge.join()
    for output in (before, after):
        assert output.status == 503
        assert output.header("retry-after") == "5"


def test_stopping_waits_for_the_requests_under_way() -> None:
    GO.clear()
    bridge = Bridge(create_application([Plugin("test", router())], Events()))
    bridge.start()
    output = RecordedOutput()
    asking = threading.Thread(target=lambda: bridge.handle(output, "/api/slow", method="GET"))
    asking.start()
    while not bridge_is_busy(asking):
        pass
    bridge.stop()
    joining = threading.Thread(target=bridge.join)
    joining.start()
    GO.set()
    joining.join(60)
    asking.join(60)
    assert (output.status, output.body) == (200, b'"done"')


def bridge_is_busy(asking: threading.Thread) -> bool:
    """Whether the slow route's own thread waits for GO."""
    return asking.is_alive() and any("AnyIO worker" in thread.name for thread in threading.enumerate())


def test_requests_are_served_side_by_side(call: Call) -> None:
    GO.clear()
    slow = threading.Thread(target=lambda: call("/api/slow"))
    slow.start()
    assert call("/api/status/200").status == 200
    assert slow.is_alive()
    GO.set()
    slow.join(60)
