"""Each kind of probe, against something that really answers, refuses or hangs."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from host.archive import ArchiveError
from status.probes import dicom_echo, http_health, orthanc_system, postgres_version
from status.service import ProbeError
from store.database import Database
from unit.archive_double import ArchiveDouble

DONE = threading.Event()
ANSWERS: dict[str, tuple[int, str, bytes]] = {
    "/well": (200, "text/plain", b"OK"),
    "/empty": (204, "text/plain", b""),
    "/version": (200, "application/json", b'{"database": "ok", "version": "13.1"}'),
    "/odd-version": (200, "application/json", b'{"version": 7}'),
    "/list": (200, "application/json", b"[1]"),
    "/no-json": (200, "application/json", b"<html>"),
    "/large": (200, "application/json", b'{"x": "' + b"x" * 100_000 + b'"}'),
    "/broken": (500, "text/plain", b"secret trace"),
    "/missing": (404, "text/plain", b""),
    "/locked": (401, "text/plain", b""),
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/hang":
            DONE.wait(90)
            self.close_connection = True
            return
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/version")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path == "/round":
            self.send_response(302)
            self.send_header("Location", "/round")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path in ("/endless", "/endless-json"):
            self.send_response(200)
            self.send_header("Content-Type", "application/json" if self.path == "/endless-json" else "text/plain")
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            self.wfile.write(b"{")
            self.wfile.flush()
            DONE.wait(90)
            self.close_connection = True
            return
        status, content_type, body = ANSWERS[self.path]
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_arguments: object) -> None:
        pass  # clients that go away are what is tested


@pytest.fixture(scope="module")
def peer() -> Iterator[str]:
    """The address of a web service with every kind of health page."""
    DONE.clear()
    server = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    DONE.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("/well", None),
        ("/empty", None),
        ("/version", "13.1"),
        ("/redirect", "13.1"),
        ("/odd-version", None),
        ("/list", None),
        ("/no-json", None),
        ("/large", None),
    ],
)
def test_a_page_that_answers_is_well_and_may_tell_its_version(peer: str, path: str, version: str | None) -> None:
    assert http_health(peer + path, 5)() == version


@pytest.mark.parametrize(("path", "status"), [("/broken", 500), ("/missing", 404), ("/locked", 401)])
def test_an_error_status_is_the_reason(peer: str, path: str, status: int) -> None:
    with pytest.raises(ProbeError, match=f"{path} answers {status}") as caught:
        http_health(peer + path, 5)()
    assert "secret" not in str(caught.value)


def test_a_page_that_hangs_is_given_up_in_time(peer: str) -> None:
    started = time.perf_counter()
    with pytest.raises(ProbeError, match=r"does not answer within 0\.3 s"):
        http_health(f"{peer}/hang", 0.3)()
    assert time.perf_counter() - started < 60


def test_of_a_page_that_never_ends_nothing_is_read(peer: str) -> None:
    started = time.perf_counter()
    assert http_health(f"{peer}/endless", 0.3)() is None
    assert time.perf_counter() - started < 60


def test_json_that_never_ends_costs_no_more_than_the_time_allowed(peer: str) -> None:
    started = time.perf_counter()
    try:
        http_health(f"{peer}/endless-json", 0.3)()
    except ProbeError as error:
        assert "within" in str(error) or "reached" in str(error)
    assert time.perf_counter() - started < 60


def test_redirects_in_a_circle_end(peer: str) -> None:
    with pytest.raises(ProbeError, match="cannot be reached"):
        http_health(f"{peer}/round", 5)()


def test_a_port_where_nobody_listens_says_so() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(ProbeError, match="is the service running"):
            http_health(f"http://127.0.0.1:{port}/", 5)()


@pytest.mark.parametrize(
    "url", ["http://", "xnat:8080/health", "http://[::1/", "http://xnat.invalid:99999/", "http://."]
)
def test_an_address_that_is_none_is_a_reason_and_no_crash(url: str) -> None:
    with pytest.raises(ProbeError):
        http_health(url, 1)()


def test_orthanc_tells_its_version_and_its_index_is_asked(archive: ArchiveDouble) -> None:
    assert orthanc_system(archive)() == "1.13.0"
    assert ("get", "/statistics") in archive.calls


@pytest.mark.parametrize("path", ["/system", "/statistics"])
def test_an_index_that_does_not_answer_is_the_reason(archive: ArchiveDouble, path: str) -> None:
    archive.fail("get", ArchiveError("Error with the database"), about=path)
    with pytest.raises(ProbeError, match="index does not answer"):
        orthanc_system(archive)()


def test_a_modality_is_asked_by_c_echo_with_a_time_limit(archive: ArchiveDouble) -> None:
    archive.modalities = ["PET"]
    assert dicom_echo(archive, "PET", 0.2)() is None
    assert archive.calls == [("post", "/modalities/PET/echo")]
    archive.fail("post", ArchiveError("network"))
    with pytest.raises(ProbeError, match="C-ECHO to PET failed: check its address"):
        dicom_echo(archive, "PET", 0.2)()


def test_a_database_that_does_not_answer_is_told_without_its_password() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"postgresql+psycopg://pacs:hunter2@127.0.0.1:{unused.getsockname()[1]}/pacs"
        database = Database(url)
        with pytest.raises(ProbeError, match="PostgreSQL does not answer") as caught:
            postgres_version(database)()
        database.dispose()
    assert "hunter2" not in str(caught.value)
