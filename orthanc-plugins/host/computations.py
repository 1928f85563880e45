"""Answers that take a while: computed once in a worker, kept with the instance, followed by a progress resource.

A computation that is not done after two seconds answers 202 and goes on; the same question meanwhile joins it. What
changes the archive (`Act`) goes the same way, but each time anew.
"""

from __future__ import annotations

import hashlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from host.answer import Answer, Refusal
from host.archive import Archive, ArchiveError, UnknownResource
from host.jobs import Act, Computation, Job, progress_of
from host.kept_answers import KeptAnswers
from host.lifecycle import Loop
from host.problems import Problem, problem_response
from host.workers import CallCancelled, ServerStopping, WorkerDied, WorkerPool
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
        return self._follow(self._join(digest, orthanc_id, key, computation, request))

    def perform(self, request: Request, orthanc_id: str, act: Act) -> Response:
        """The answer to a request that changes the archive; ``orthanc_id`` is what it is about, if anything.

        Raises
        ------
        Problem
            If it was refused or has failed.
        """
        key = act.key(orthanc_id)
        return self._follow(self._join(hashlib.sha256(key).hexdigest()[:32], orthanc_id, key, act, request))

    def _follow(self, job: Job | None) -> Response:
        """The answer of a job if it ends soon, else where to ask for it; 503 without one."""
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
        return _response(job, answer, f'"{job.id}"' if job.kept else None)

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

    def _join(self, digest: str, orthanc_id: str, key: bytes, work: Computation | Act, request: Request) -> Job | None:
        """The job that answers this question: the one under way or ended just now, or a new one."""
        with self._lock:
            job = self._jobs.get(digest)
            if job is not None and _answers(job):
                return job
            if self._running and self._waiting.qsize() >= MOST_WAITING:
                return None
            path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            result = path if request.method == "GET" else f"/api/computations/{digest}/result"
            kept = isinstance(work, Computation)
            job = Job(digest, orthanc_id, key, work.name, work.media_type, work.filename, kept, result, work.do)
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
        do, job.do = job.do, None

        def call(function: Callable[..., Any], *arguments: Any) -> Any:
            job.message = "computing"
            return self._workers.call(function, *arguments, watch=job.watch)

        try:
            if job.watch.cancelled or do is None:
                raise CallCancelled
            job.message = "reading"
            job.answer = do(call)
            job.state, job.progress, job.message = "done", 1.0, ""
        except Exception as error:
            job.problem, outcome = _problem_of(error, job)
            job.state, job.message = "failed", job.problem.detail
        finally:
            job.watch.close()
            job.ended_at = time.monotonic()
            # Clients first: what follows takes Orthanc as long as it takes.
            job.ended.set()
        self._outcomes.labels(job.name, outcome).inc()
        if job.answer is not None:
            self._durations.labels(job.name).observe(time.perf_counter() - started)
            if job.kept and self._answers.keep(job.orthanc_id, job.id, job.key, job.answer):
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


def _answers(job: Job) -> bool:
    if job.ended_at is None:
        return not job.watch.cancelled
    if not job.kept:
        return False
    if job.answer is not None:
        return True
    # A client that waited comes back for the reason; a fault that may pass is worth another try.
    return job.problem is not None and job.problem.status < 500 and time.monotonic() - job.ended_at < 10.0


def _response(of: Computation | Job, answer: Answer, etag: str | None) -> Response:
    # What comes from files may hold anything; a line break would be a header of its own.
    told = {name: "".join(filter(_plain, value)) for name, value in answer.headers.items()}
    caching = {"Cache-Control": "private, no-cache", "ETag": etag} if etag else {"Cache-Control": "no-store"}
    headers = {**caching, **told}
    if of.filename is not None:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(of.filename)}"
        if of.filename.isascii():
            headers["Content-Disposition"] = f'attachment; filename="{of.filename}"'
    return Response(answer.body, answer.status, media_type=of.media_type, headers=headers)


def _plain(character: str) -> bool:
    return character.isascii() and character.isprintable()


def _problem_of(error: Exception, job: Job) -> tuple[Problem, str]:
    name = f"{job.name} of instance {job.orthanc_id}" if job.orthanc_id else job.name
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
