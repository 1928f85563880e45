"""Computed answers: kept with the instance, joined while under way, followed when they take long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from fastapi import APIRouter, Request, Response
from fastapi.testclient import TestClient

import computing
from host import computations as module
from host import kept_answers
from host.answer import Answer, Refusal
from host.application import create_application
from host.archive import ArchiveError
from host.jobs import Act, Call, Computation
from host.plugin import Host, Plugin
from host.problems import Problem
from host.workers import WorkerDied, WorkerPool
from unit.archive_double import ArchiveDouble
from unit.conftest import InlineWorkers
from unit.host import work
from unit.host.dicom_files import instance_file, instance_id

Eventually = Callable[..., None]
INSTANCE = instance_id()


def length_of(text: str) -> Answer:
    return Answer(str(len(text)).encode(), {"X-Findings": "none"})


def header_of(text: str) -> Answer:
    return Answer(b"", {"X-Findings": text})


def refuse(_text: str) -> bytes:
    raise Refusal(422, "It has no length.", "Ask for another.")


class Asked:
    """A plugin with one route that computes whatever the test puts here."""

    def __init__(self) -> None:
        self.function: Callable[..., Any] = length_of
        self.arguments: tuple[Any, ...] = ("four",)
        self.version = 1
        self.loads = 0
        self.acts = 0
        self.media_type = "text/x-length"

    def load(self) -> tuple[Any, ...]:
        self.loads += 1
        return self.arguments

    def create(self, host: Host) -> Plugin:
        router = APIRouter()

        @router.get("/length/{instance_id}")
        def length(instance_id: str, request: Request, of: str = "") -> Response:
            computation = Computation(
                "length", {"of": of}, self.version, self.load, self.function, self.media_type, f"length of {of}.txt"
            )
            return host.computations.respond(request, host.sources.instance(instance_id), computation)

        @router.post("/joins")
        def joins(request: Request, word: str = "") -> Response:
            """Something done in the archive, as far as the archive of this test goes."""

            def do(call: Call) -> Answer:
                self.acts += 1
                body = call(self.function, *self.arguments)
                return Answer(f"{word} {body.decode()} {self.acts}".encode(), {"Location": "/there"}, 201)

            return host.computations.perform(request, "", Act("join", {"word": word}, do, "text/plain"))

        return Plugin("asked", router)


@pytest.fixture
def asked() -> Asked:
    return Asked()


def another(host: Host) -> Host:
    """Another server on the same archive: it knows nothing but what is kept there."""
    return Host(host.settings, host.archive, host.database, host.events, host.workers)


def client_of(host: Host, asked: Asked) -> TestClient:
    app = create_application([asked.create(host), computing.create(host)], host.events)
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def client(host: Host, asked: Asked, archive: ArchiveDouble) -> TestClient:
    archive.store_instance(instance_file())
    return client_of(host, asked)


def slot(archive: ArchiveDouble) -> dict[str, bytes]:
    return archive.instances[INSTANCE].attachments


def test_an_answer_is_computed_once_and_kept_with_the_instance(
    client: TestClient, asked: Asked, archive: ArchiveDouble, host: Host
) -> None:
    first = client.get(f"/api/length/{INSTANCE}?of=x")
    assert (first.status_code, first.content) == (200, b"4")
    assert first.headers["content-type"].startswith("text/x-length")
    assert first.headers["content-disposition"] == 'attachment; filename="length of x.txt"'
    assert first.headers["x-findings"] == "none"
    assert len(slot(archive)) == 1

    again = client_of(another(host), asked).get(f"/api/length/{INSTANCE}?of=x")
    assert (again.content, again.headers["etag"], again.headers["x-findings"]) == (b"4", first.headers["etag"], "none")
    assert asked.loads == 1


def test_what_has_not_changed_is_answered_304(client: TestClient, asked: Asked) -> None:
    etag = client.get(f"/api/length/{INSTANCE}").headers["etag"]
    answer = client.get(f"/api/length/{INSTANCE}", headers={"If-None-Match": f'W/{etag}, "other"'})
    assert (answer.status_code, answer.content, asked.loads) == (304, b"", 1)


def test_another_question_or_version_is_computed_anew(client: TestClient, asked: Asked) -> None:
    client.get(f"/api/length/{INSTANCE}?of=x")
    client.get(f"/api/length/{INSTANCE}?of=y")
    asked.version, asked.arguments = 2, ("longer",)
    assert client.get(f"/api/length/{INSTANCE}?of=x").content == b"6"
    assert asked.loads == 3


def test_questions_that_share_a_number_never_share_an_answer(
    client: TestClient, asked: Asked, archive: ArchiveDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_answers, "_NUMBERS", 1)
    assert client.get(f"/api/length/{INSTANCE}?of=x").content == b"4"
    asked.arguments = ("longer",)
    assert client.get(f"/api/length/{INSTANCE}?of=y").content == b"6"
    assert len(slot(archive)) == 1


@pytest.mark.parametrize("left", [b"", b"\xff\xff\xff\xffnonsense", b"\x02\x00\x00\x00{}"])
def test_an_attachment_of_somebody_else_is_no_answer(
    client: TestClient, asked: Asked, archive: ArchiveDouble, left: bytes, host: Host
) -> None:
    client.get(f"/api/length/{INSTANCE}")
    (number,) = slot(archive)
    slot(archive)[number] = left
    assert client_of(another(host), asked).get(f"/api/length/{INSTANCE}").content == b"4"
    assert asked.loads == 2


def test_large_answers_are_answered_and_not_attached(
    client: TestClient, archive: ArchiveDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_answers, "LARGEST_KEPT_BYTES", 0)
    assert client.get(f"/api/length/{INSTANCE}").content == b"4"
    assert slot(archive) == {}


def test_headers_hold_one_line_whatever_a_file_says(client: TestClient, asked: Asked) -> None:
    asked.function, asked.arguments = header_of, ("1.2\r\nSet-Cookie: a=b\u2028é",)
    answer = client.get(f"/api/length/{INSTANCE}")
    assert answer.headers["x-findings"] == "1.2Set-Cookie: a=b"
    assert "set-cookie" not in answer.headers


def test_memory_holds_only_what_the_archive_could_not_keep(
    client: TestClient, archive: ArchiveDouble, host: Host
) -> None:
    client.get(f"/api/length/{INSTANCE}?of=x")
    archive.fail("attach", ArchiveError("disk full"))
    assert client.get(f"/api/length/{INSTANCE}?of=y").content == b"4"
    assert [job.answer is None for job in host.computations.jobs()] == [False, True]
    assert client.get(f"/api/length/{INSTANCE}?of=y").content == b"4"


def test_a_refusal_is_problem_details(client: TestClient, asked: Asked) -> None:
    asked.function = refuse
    answer = client.get(f"/api/length/{INSTANCE}")
    assert answer.status_code == 422
    assert (answer.json()["detail"], answer.json()["remedy"]) == ("It has no length.", "Ask for another.")


def test_a_problem_while_loading_is_answered_as_it_is(client: TestClient, asked: Asked) -> None:
    def load() -> tuple[Any, ...]:
        raise Problem(404, "There are no images.", "Send them.")

    asked.load = load  # type: ignore[method-assign]
    assert client.get(f"/api/length/{INSTANCE}").json()["detail"] == "There are no images."


@pytest.mark.parametrize(("fault", "status"), [(WorkerDied("x"), 503), (MemoryError(), 503), (ValueError("Doe"), 500)])
def test_a_fault_is_told_without_its_details_and_tried_again_when_asked_again(
    client: TestClient, workers: InlineWorkers, fault: Exception, status: int
) -> None:
    workers.faults = [fault]
    answer = client.get(f"/api/length/{INSTANCE}")
    assert answer.status_code == status
    assert "Doe" not in answer.text
    assert client.get(f"/api/length/{INSTANCE}").content == b"4"


class Server:
    """Computations with their threads and one real worker."""

    def __init__(self, host: Host, asked: Asked) -> None:
        pool = WorkerPool(1, 60)
        self.host = Host(host.settings, host.archive, host.database, host.events, pool)
        self.client = client_of(self.host, asked)
        self.parts = (pool, self.host.computations)
        for part in self.parts:
            part.start()

    def stop(self) -> None:
        for part in reversed(self.parts):
            part.stop()
        for part in reversed(self.parts):
            part.join()


@pytest.fixture
def running(
    host: Host, asked: Asked, archive: ArchiveDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    """A client of a running server whose patience ends at once; the computation waits for the file ``gate``."""
    monkeypatch.setattr(module, "PATIENCE_S", 0.0)
    archive.store_instance(instance_file())
    asked.function, asked.arguments = work.until, (str(tmp_path / "gate"), str(tmp_path / "mark"))
    server = Server(host, asked)
    yield server.client
    server.stop()


def begun(tmp_path: Path) -> bool:
    return (tmp_path / "mark").exists()


def test_a_long_computation_is_followed_and_then_answered_from_the_cache(
    running: TestClient, asked: Asked, archive: ArchiveDouble, tmp_path: Path, eventually: Eventually
) -> None:
    accepted = running.get(f"/api/length/{INSTANCE}?of=x")
    assert accepted.status_code == 202
    assert int(accepted.headers["retry-after"]) > 0
    progress = accepted.headers["location"]
    eventually(lambda: running.get(progress).json()["progress"] == 0.5, 60)
    told = running.get(progress).json()
    assert (told["state"], told["message"], told["result"]) == ("running", "half of it", f"/api/length/{INSTANCE}?of=x")

    assert running.get(f"/api/length/{INSTANCE}?of=x").headers["location"] == progress
    (tmp_path / "gate").touch()
    eventually(lambda: running.get(progress).json()["state"] == "done", 60)
    assert running.get(told["result"]).content == b"through the gate"
    assert running.get(f"{progress}/result").content == b"through the gate"
    eventually(lambda: slot(archive), 60)
    assert (tmp_path / "mark").read_text() == "begun\n", "the same question was computed twice"
    assert asked.loads == 1


def test_what_changes_the_archive_is_done_each_time_it_is_asked(client: TestClient, asked: Asked) -> None:
    asked.function, asked.arguments = work.joined, ([b"a", b"b"],)
    first, second = client.post("/api/joins?word=x"), client.post("/api/joins?word=x")
    assert (first.status_code, first.headers["location"], first.text) == (201, "/there", "x ab 1")
    assert (first.headers["cache-control"], "etag" in first.headers) == ("no-store", False)
    assert (second.status_code, second.text) == (201, "x ab 2")


def test_a_long_change_is_joined_and_followed_to_its_own_answer(
    running: TestClient, asked: Asked, tmp_path: Path, eventually: Eventually
) -> None:
    accepted = running.post("/api/joins?word=x")
    assert accepted.status_code == 202
    progress = accepted.headers["location"]
    assert running.post("/api/joins?word=x").headers["location"] == progress
    told = running.get(progress).json()
    assert (told["name"], told["instance"], told["state"]) == ("join", None, "running")
    assert running.get(told["result"]).status_code == 404
    (tmp_path / "gate").touch()
    eventually(lambda: running.get(progress).json()["state"] == "done", 60)
    answer = running.get(told["result"])
    assert (answer.status_code, answer.headers["location"], answer.text) == (201, "/there", "x through the gate 1")
    assert asked.acts == 1


def test_what_was_done_lets_go_of_what_it_was_given(client: TestClient, asked: Asked, host: Host) -> None:
    asked.function, asked.arguments = work.joined, ([b"a"],)
    client.post("/api/joins")
    (job,) = host.computations.jobs()
    assert job.do is None


def test_a_computation_can_be_cancelled(running: TestClient, tmp_path: Path, eventually: Eventually) -> None:
    progress = running.get(f"/api/length/{INSTANCE}").headers["location"]
    eventually(lambda: begun(tmp_path), 60)
    assert running.delete(progress).status_code == 204
    eventually(lambda: running.get(progress).json()["state"] == "failed", 60)
    assert "cancelled" in running.get(progress).json()["message"]
    assert running.get(f"{progress}/result").status_code == 503
    assert running.delete(progress).status_code == 204
    assert running.get(progress).status_code == 404


def test_too_many_that_wait_are_refused_with_when_to_come_back(
    running: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, eventually: Eventually
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 2)
    assert running.get(f"/api/length/{INSTANCE}?of=0").status_code == 202
    eventually(lambda: begun(tmp_path), 60)
    assert [running.get(f"/api/length/{INSTANCE}?of={n}").status_code for n in (1, 2, 3)] == [202, 202, 503]
    refused = running.get(f"/api/length/{INSTANCE}?of=4")
    assert refused.headers["retry-after"] == "5"
    assert len(running.get("/api/computations").json()) == 3
    (tmp_path / "gate").touch()


def test_a_server_that_stops_gives_up_what_runs(
    host: Host,
    asked: Asked,
    archive: ArchiveDouble,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    eventually: Eventually,
) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.0)
    archive.store_instance(instance_file())
    asked.function, asked.arguments = work.until, (str(tmp_path / "never"), str(tmp_path / "mark"))
    server = Server(host, asked)
    assert server.client.get(f"/api/length/{INSTANCE}").status_code == 202
    eventually(lambda: begun(tmp_path), 60)
    server.stop()
    (job,) = server.host.computations.jobs()
    assert job.state == "failed"


def test_what_has_ended_holds_no_file_open(client: TestClient, asked: Asked, host: Host) -> None:
    client.get(f"/api/length/{INSTANCE}?of=x")
    asked.function = refuse
    client.get(f"/api/length/{INSTANCE}?of=y")
    before = psutil.Process().num_fds()
    for number in range(20):
        client.get(f"/api/length/{INSTANCE}?of={number}")
    assert len(host.computations.jobs()) == 22
    assert psutil.Process().num_fds() < before + 10


def test_outcomes_are_counted(client: TestClient, asked: Asked, host: Host) -> None:
    for _ in range(3):
        client.get(f"/api/length/{INSTANCE}")
    asked.function = refuse
    client.get(f"/api/length/{INSTANCE}?of=y")
    counted = {
        outcome: host.metrics.get_sample_value("pacs_computations_total", {"name": "length", "outcome": outcome})
        for outcome in ("computed", "cached", "refused")
    }
    assert counted == {"computed": 1, "cached": 2, "refused": 1}
