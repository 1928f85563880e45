"""Who may do what: administrators all, viewers read, Prometheus scrapes, everybody else nothing."""

from __future__ import annotations

import base64

import pytest

from host.access import is_allowed, user_of

INSTANCE = "6b9e19d9-62094390-5f9ddb01-4a191ae7-9766b715"
READS = [
    "/studies",
    "/api/studies",
    "/api/extract-rt/1.2.3",
    "/dicom-web/studies",
    f"/instances/{INSTANCE}/file",
    "/app/explorer.html",
    "/api/docs",
    "/system",
]
READING_POSTS = [
    "/tools/find",
    "/tools/lookup",
    "/tools/count-resources",
    "/tools/create-archive",
    "/tools/create-media",
    "/tools/create-media-extended",
    "/tools/bulk-content",
    f"/studies/{INSTANCE}/archive",
    f"/series/{INSTANCE}/media",
    f"/patients/{INSTANCE}/archive",
    "/api/compare-rt",
    "/api/consensus-rt",
]
WRITES = [
    ("POST", "/instances"),
    ("POST", "/api/upload"),
    ("PUT", "/api/upload"),
    ("POST", "/dicom-web/studies"),
    ("DELETE", f"/studies/{INSTANCE}"),
    ("PUT", f"/instances/{INSTANCE}/attachments/rtstruct-summary"),
    ("POST", f"/studies/{INSTANCE}/anonymize"),
    ("POST", f"/studies/{INSTANCE}/modify"),
    ("POST", "/modalities/peer/store"),
    ("POST", "/modalities/peer/echo"),
    ("POST", "/tools/execute-script"),
    ("POST", "/tools/shutdown"),
    ("POST", "/tools/reset"),
    ("DELETE", "/changes"),
    ("PUT", "/modalities/peer"),
    ("POST", f"/api/extractions/{INSTANCE}/retry"),
    ("POST", "/api/catalogue/rebuild"),
]
TRICKS = [
    ("POST", "/tools/find/"),
    ("POST", "/tools/find/../shutdown"),
    ("POST", "/tools/findx"),
    ("POST", "/x/tools/find"),
    ("POST", "//tools/find"),
    ("POST", "/tools/find\n"),
    ("POST", "/tools/FIND"),
    ("POST", f"/studies/{INSTANCE}/archive/x"),
    ("POST", f"/studies/{INSTANCE}/../../tools/shutdown/archive"),
    ("POST", "/studies//archive"),
    ("POST", f"/instances/{INSTANCE}/archive"),
    ("PATCH", "/studies"),
    ("get", "/studies"),
    ("?", "/studies"),
    ("", ""),
]


def basic(user: str, password: str = "any") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_viewer_reads_everything(method: str, path: str) -> None:
    assert is_allowed(method, path, basic("viewer"))


@pytest.mark.parametrize("path", READING_POSTS)
def test_a_viewer_may_ask_questions_that_need_a_body(path: str) -> None:
    assert is_allowed("POST", path, basic("viewer"))
    assert not is_allowed("PUT", path, basic("viewer"))
    assert not is_allowed("DELETE", path, basic("viewer"))


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_viewer_changes_nothing(method: str, path: str) -> None:
    assert not is_allowed(method, path, basic("viewer"))


@pytest.mark.parametrize(("method", "path"), TRICKS)
def test_a_path_or_method_that_is_nearly_allowed_is_not(method: str, path: str) -> None:
    assert not is_allowed(method, path, basic("viewer"))


@pytest.mark.parametrize("path", ["/api/crosswalk", "/api/crosswalk/", "/api/crosswalk.csv", "/api/crosswalk/1"])
def test_the_crosswalk_is_for_administrators_alone(path: str) -> None:
    assert is_allowed("GET", path, basic("admin"))
    assert not is_allowed("GET", path, basic("viewer"))
    assert not is_allowed("GET", path, basic("prometheus"))


@pytest.mark.parametrize(("method", "path"), [("GET", path) for path in READS] + WRITES + TRICKS)
def test_an_administrator_does_everything_and_prometheus_nothing_of_it(method: str, path: str) -> None:
    assert is_allowed(method, path, basic("admin"))
    assert not is_allowed(method, path, basic("prometheus"))


@pytest.mark.parametrize("path", ["/api/metrics", "/tools/metrics-prometheus", "/api/health"])
def test_prometheus_reads_metrics(path: str) -> None:
    assert is_allowed("GET", path, basic("prometheus"))
    assert is_allowed("HEAD", path, basic("prometheus"))
    assert not is_allowed("POST", path, basic("prometheus"))
    assert not is_allowed("GET", path + "/", basic("prometheus"))
    assert not is_allowed("GET", path + "x", basic("prometheus"))


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YWRtaW4",
        "Bearer YWRtaW46eA==",
        "YWRtaW46eA==",
        basic("Admin"),
        basic(" admin"),
        basic("admin\x00"),
        basic(""),
        basic("nobody"),
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        basic("x:admin"),
    ],
)
def test_whoever_has_no_role_is_denied_everything(authorization: str | None) -> None:
    for method, path in [("GET", "/studies"), ("GET", "/api/metrics"), ("GET", "/"), ("POST", "/tools/find")]:
        assert not is_allowed(method, path, authorization)


def test_the_account_is_what_stands_before_the_first_colon() -> None:
    assert user_of(basic("viewer", "a:b:é")) == "viewer"
    assert user_of(basic("renée", "x")) == "renée"
    assert user_of(basic("viewer").replace("Basic", "bAsIc")) == "viewer"
