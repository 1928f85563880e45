"""Answers that take a while: computed once in a worker, kept with the instance, followed by a progress resource.

A computation that is not done after two seconds answers 202 and goes on; the same question meanwhile joins it.
"""

from __future__ import annotations

import hashlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote

import orjson
from fastapi import Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from host.answer import Answer, Refusal
from host.archive import Archive, ArchiveError, UnknownResource
from host.kept_answers import KeptAnswers
from host.lifecycle import Loop
from host.problems import Problem, problem_response
from host.workers import CallCancelled, ServerStopping, Watch, WorkerDied, WorkerPool
from rtstruct import StructureSetError
from rtstruct.slices import UnusableImage

logger = logging.getLogger("pacs.computations")

#: How long a request waits before it is answered 202, in seconds.
PATIENCE_S = 2.0
#: Of all answers held in memory together, for clients that come back for what they were told to wait for.
_HELD_BYTES = 512 * 1024 * 1024
_HELD_S = 600.0
#: Computations that wait for a worker; one more is refused.
MOST_WAITING = 32
_MOST_REMEMBERED = 500
_DURATIONS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

State = Literal["running", "done", "failed"]


@dataclass(frozen=True)
class Computation:
    """What a route wants computed.

    Attributes
    ----------
    name
        Of the kind of answer, for metrics and people: ``labelmap.nii.gz``.
    parameters
        Everything that the answer depends on besides the instance: what was asked, and which other instances were
        looked at (JSON).
    version
        Raised whenever the function's answers change; older answers are then computed anew.
    load
        Reads what the function needs; called in the server, in a thread of its own. May raise `Problem`.
    function
        A module-level function of a module that workers may import; returns bytes or an `Answer`.
    media_type, filename
        Of the answer; with a file name it is a download.
    """

    name: str
    parameters: Mapping[str, Any]
    version: int
    load: Callable[[], tuple[Any, ...]]
    function: Callable[..., bytes | Answer]
    media_type: str
    filename: str | None = None

    def key(self, orthanc_id: str) -> bytes:
        """What was asked, in one canonical form."""
        question = [orthanc_id, self.name, self.version, self.parameters, self.media_type]
        return orjson.dumps(question, option=orjson.OPT_SORT_KEYS)


@dataclass(eq=False)
class Job:
    """One computation under way, or one that has ended."""

    id: str
    orthanc_id: str
    key: bytes
    computation: Computation
    result: str
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    state: State = "running"
    progress: float = 0.0
    message: str = "waiting for a worker"
    answer: Answer | None = None
    problem: Problem | None = None
    ended_at: float | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        self.watch = Watch(self._report)

    def _report(self, share: float, message: str) -> None:
        self.progress, self.message = min(max(share, 0.0), 1.0), message


class Computations:
    """Computes, keeps and answers. ``start`` gives it its threads; without them each request computes for itself."""

    def __init__(self, archive: Archive, workers: WorkerPool, metrics: CollectorRegistry, threads: int) -> None:
        self._answers = KeptAnswers(archive)
        self._workers = workers
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._runners = [Loop(f"computation-{number}", self._next, 3600.0) for number in range(threads)]
        self._running = False
        self._outcomes = Counter(
            "pacs_computations",
            "Computed answers by name and outcome (cached, computed, refused, failed, cancelled).",
            ("name", "outcome"),
            registry=metrics,
        )
        self._durations = Histogram(
            "pacs_computation_duration_seconds",
            "Time to read what a computation needs and to compute it.",
            ("name",),
            buckets=_DURATIONS_S,
            registry=metrics,
        )
        waiting = Gauge("pacs_computations_waiting", "Computations that wait for a worker.", registry=metrics)
        waiting.set_function(self._waiting.qsize)

    def start(self) -> None:
        for runner in self._runners:
            runner.start()
        self._running = True

    def stop(self) -> None:
        self._running = False
        for runner in self._runners:
            runner.stop()

    def join(self) -> None:
        for runner in self._runners:
            runner.join()

    def respond(self, request: Request, orthanc_id: str, computation: Computation) -> Response:
        """The answer to a request about an instance: 200 or 304, 202 while it is computed, 503 when too many wait.

        Raises
        ------
        Problem
            If the computation was refused or has failed.
        """
        key = computation.key(orthanc_id)
        digest = hashlib.sha256(key).hexdigest()[:32]
        etag = f'"{digest}"'
        asked = request.headers.get("if-none-match", "")
        if asked.strip() == "*" or etag in {tag.strip().removeprefix("W/") for tag in asked.split(",")}:
            return Response(status_code=304, headers={"Cache-Control": "private, no-cache", "ETag": etag})
        kept = self._answers.read(orthanc_id, digest, key)
        if kept is not None:
            self._outcomes.labels(computation.name, "cached").inc()
            return _response(computation, kept, etag)
        job = self._join(digest, orthanc_id, key, computation, request)
        if job is None:
            remedy = "Try again in some seconds; GET /api/computations shows what is under way."
            refusal = problem_response(503, f"{MOST_WAITING} computations already wait for a worker.", remedy)
            refusal.headers["Retry-After"] = "5"
            return refusal
        job.ended.wait(PATIENCE_S)
        if not job.ended.is_set():
            location = f"/api/computations/{job.id}"
            headers = {"Location": location, "Retry-After": "2", "Cache-Control": "no-store"}
            return JSONResponse(progress_of(job), 202, headers)
        return self.result(job)

    def result(self, job: Job) -> Response:
        """The answer of a computation that has ended. Raises its `Problem`, or one that says it is not there."""
        if job.problem is not None:
            # Each time anew: what it was raised in before is not to be held.
            raise job.problem.with_traceback(None)
        answer = job.answer or self._answers.read(job.orthanc_id, job.id, job.key)
        if answer is None:
            raise Problem(404, f"The answer of computation {job.id} is gone, or not there yet.", f"GET {job.result}.")
        return _response(job.computation, answer, f'"{job.id}"')

    def jobs(self) -> list[Job]:
        """All that run or have ended lately, the newest first."""
        with self._lock:
            return list(reversed(self._jobs.values()))

    def job(self, identifier: str) -> Job | None:
        """The computation of this identifier."""
        return self._jobs.get(identifier)

    def cancel(self, job: Job) -> None:
        """Give a computation up; one that has ended is forgotten."""
        if job.state == "running":
            job.watch.cancel()
        else:
            with self._lock:
                self._jobs.pop(job.id, None)

    def _join(self, digest: str, orthanc_id: str, key: bytes, computation: Computation, request: Request) -> Job | None:
        """The job that answers this question: the one under way or ended just now, or a new one."""
        with self._lock:
            job = self._jobs.get(digest)
            if job is not None and _answers(job):
                return job
            if self._running and self._waiting.qsize() >= MOST_WAITING:
                return None
            path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            result = path if request.method == "GET" else f"/api/computations/{digest}/result"
            job = Job(digest, orthanc_id, key, computation, result)
            self._jobs.pop(digest, None)
            self._jobs[digest] = job
            self._forget()
        if not self._running:
            self._run(job)
            return job
        self._waiting.put(job)
        for runner in self._runners:
            runner.wake()
        return job

    def _next(self) -> bool:
        try:
            job = self._waiting.get_nowait()
        except queue.Empty:
            return False
        self._run(job)
        return True

    def _run(self, job: Job) -> None:
        started = time.perf_counter()
        outcome = "computed"
        try:
            if job.watch.cancelled:
                raise CallCancelled
            job.message = "reading"
            arguments = job.computation.load()
            job.message = "computing"
            answer = self._workers.call(job.computation.function, *arguments, watch=job.watch)
            job.answer = answer if isinstance(answer, Answer) else Answer(answer)
            job.state, job.progress, job.message = "done", 1.0, ""
        except Exception as error:
            job.problem, outcome = _problem_of(error, job)
            job.state, job.message = "failed", job.problem.detail
        finally:
            job.watch.close()
            job.ended_at = time.monotonic()
            # Clients first: what follows takes Orthanc as long as it takes.
            job.ended.set()
        self._outcomes.labels(job.computation.name, outcome).inc()
        if job.answer is not None:
            self._durations.labels(job.computation.name).observe(time.perf_counter() - started)
            if self._answers.keep(job.orthanc_id, job.id, job.key, job.answer):
                # Whoever waited for it has it, or finds it where it is kept.
                job.answer = None

    def _forget(self) -> None:
        """Drop what nobody comes back for: the oldest beyond the bounds. Called under the lock."""
        now, held = time.monotonic(), 0
        ended = [job for job in self._jobs.values() if job.ended_at is not None]
        for nth, job in enumerate(reversed(ended)):
            answer = job.answer
            held += len(answer.body) if answer else 0
            age_s = now - (job.ended_at or now)
            if nth > _MOST_REMEMBERED:
                del self._jobs[job.id]
            elif age_s > _HELD_S or (held > _HELD_BYTES and age_s > PATIENCE_S):
                job.answer = None


def progress_of(job: Job) -> dict[str, Any]:
    """The progress resource of a computation."""
    return {
        "id": job.id,
        "name": job.computation.name,
        "instance": job.orthanc_id,
        "state": job.state,
        "progress": round(job.progress, 3),
        "started": job.started.isoformat(),
        "message": job.message,
        "remedy": job.problem.remedy if job.problem else None,
        "result": job.result,
    }


def _answers(job: Job) -> bool:
    if job.ended_at is None:
        return not job.watch.cancelled
    if job.answer is not None:
        return True
    # A client that waited comes back for the reason; a fault that may pass is worth another try.
    return job.problem is not None and job.problem.status < 500 and time.monotonic() - job.ended_at < 10.0


def _response(computation: Computation, answer: Answer, etag: str) -> Response:
    # What comes from files may hold anything; a line break would be a header of its own.
    told = {name: "".join(filter(_plain, value)) for name, value in answer.headers.items()}
    headers = {"Cache-Control": "private, no-cache", "ETag": etag, **told}
    if computation.filename is not None:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(computation.filename)}"
        if computation.filename.isascii():
            headers["Content-Disposition"] = f'attachment; filename="{computation.filename}"'
    return Response(answer.body, media_type=computation.media_type, headers=headers)


def _plain(character: str) -> bool:
    return character.isascii() and character.isprintable()


def _problem_of(error: Exception, job: Job) -> tuple[Problem, str]:
    name = f"{job.computation.name} of instance {job.orthanc_id}"
    match error:
        case Problem():
            return error, "refused"
        case Refusal():
            return Problem(error.status, error.detail, error.remedy), "refused"
        case StructureSetError():
            remedy = "Export the structure set again from where it was made."
            return Problem(422, f"The structure set cannot be read: {error}.", remedy), "refused"
        case UnusableImage():
            return Problem(422, f"No volume can be made of the images: {error}.", "Name another series."), "refused"
        case CallCancelled():
            return Problem(503, f"The computation {name} was cancelled.", "Ask again."), "cancelled"
        case UnknownResource():
            return Problem(404, f"An instance needed for {name} has just been deleted.", "Send it again."), "refused"
        case MemoryError():
            remedy = "Ask for fewer structures or a coarser spacing."
            return Problem(503, f"The computation {name} needs more memory than a worker has.", remedy), "failed"
        case WorkerDied() | ServerStopping() | ArchiveError():
            return Problem(503, f"The computation {name} was not possible now: {error}.", "Try again."), "failed"
    logger.error("The computation %s failed", name, exc_info=error)
    remedy = "Try again; if it stays so, the server's log says more."
    return Problem(500, f"The computation {name} failed.", remedy), "failed"
