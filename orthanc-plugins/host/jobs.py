"""What computations are asked for, and each one under way: values that `host.computations` works on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

from host.answer import Answer
from host.problems import Problem
from host.workers import Watch

State = Literal["running", "done", "failed"]
#: Runs a module-level function in a worker and returns what it returns.
Call = Callable[..., Any]


@dataclass(frozen=True)
class Computation:
    """Something computed from what is in the archive: kept with the instance, and not computed twice.

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

    def do(self, call: Call) -> Answer:
        """Read, and let a worker compute."""
        answer = call(self.function, *self.load())
        return answer if isinstance(answer, Answer) else Answer(answer)


@dataclass(frozen=True)
class Act:
    """Something that changes the archive: done each time it is asked, its answer is not kept with the instance.

    Attributes
    ----------
    name
        Of what is done, for metrics and people: ``repair``.
    parameters
        What was asked (JSON): whoever asks the same while it is done joins.
    do
        Does it, in a thread of the server; what is heavy goes to a worker. May raise `Problem`.
    """

    name: str
    parameters: Mapping[str, Any]
    do: Callable[[Call], Answer]
    media_type: str = "application/json"
    filename: str | None = None

    def key(self, orthanc_id: str) -> bytes:
        """What was asked, in one canonical form."""
        return orjson.dumps([orthanc_id, self.name, self.parameters], option=orjson.OPT_SORT_KEYS)


@dataclass(eq=False)
class Job:
    """One piece of work under way, or one that has ended.

    Attributes
    ----------
    kept
        Whether the answer is that of a computation, which the archive keeps.
    do
        Let go of when it begins: it may hold a large file.
    """

    id: str
    orthanc_id: str
    key: bytes
    name: str
    media_type: str
    filename: str | None
    kept: bool
    result: str
    do: Callable[[Call], Answer] | None
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


def progress_of(job: Job) -> dict[str, Any]:
    """The progress resource of a job."""
    return {
        "id": job.id,
        "name": job.name,
        "instance": job.orthanc_id or None,
        "state": job.state,
        "progress": round(job.progress, 3),
        "started": job.started.isoformat(),
        "message": job.message,
        "remedy": job.problem.remedy if job.problem else None,
        "result": job.result,
    }
