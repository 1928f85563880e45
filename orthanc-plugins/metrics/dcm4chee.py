"""What DCM4CHEE holds, where it stores and what it failed at, asked through its REST services.

In the background, so that a scrape never waits for it: what it said last stays, beside the age of each answer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import quote

import requests
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import BaseModel, Field, NonNegativeInt, TypeAdapter, ValidationError

from host.lifecycle import Loop

logger = logging.getLogger("pacs.metrics")

#: The path under which the archive's web application answers, whatever the server's name.
APPLICATION = "/dcm4chee-arc"
#: How often it is asked. A count over a large archive costs its database seconds.
INTERVAL_S = 60.0
TIMEOUT_S = 10.0
#: An answer beyond is none of its own; its longest, the list of storage systems, has some kilobytes.
_ANSWER_BYTES = 1_000_000
#: More queues or storage systems than any installation has: the number of series stays bounded.
_MOST = 100


class Unanswered(Exception):
    """DCM4CHEE does not answer a question, or not as documented; the message says which and what to look at."""


class _Count(BaseModel):
    count: NonNegativeInt


class _Size(BaseModel):
    size: NonNegativeInt


class _Queue(BaseModel):
    name: str


class _Storage(BaseModel):
    name: str = Field(alias="dcmStorageID")
    #: Bytes; negative where the storage system, as an object store, does not know.
    free: int = Field(alias="usableSpace")
    total: int = Field(alias="totalSpace")


def application_of(health_url: str) -> str | None:
    """The address of the archive's web application, from the address that ``/api/status`` probes."""
    before, found, _ = health_url.partition(APPLICATION + "/")
    return before + APPLICATION if found else None


@dataclass(frozen=True, slots=True)
class Dcm4cheeRest:
    """The REST services of one archive; ``application`` is their common address, ``ae_title`` the archive's."""

    application: str
    ae_title: str
    timeout_s: float = TIMEOUT_S

    def count(self, what: str) -> int:
        """How many ``studies`` or ``instances`` it holds."""
        return self._ask(f"/aets/{quote(self.ae_title)}/rs/{what}/count", TypeAdapter(_Count)).count

    def size(self) -> int:
        """The bytes that all its studies take."""
        return self._ask(f"/aets/{quote(self.ae_title)}/rs/studies/size", TypeAdapter(_Size)).size

    def storage(self) -> list[_Storage]:
        """Its storage systems."""
        return self._ask("/storage", TypeAdapter(list[_Storage]))[:_MOST]

    def failed_tasks(self) -> dict[str, int]:
        """The number of failed tasks by queue."""
        queues = self._ask("/queue", TypeAdapter(list[_Queue]))[:_MOST]
        return {
            queue.name: self._ask(f"/queue/{quote(queue.name)}/count?status=FAILED", TypeAdapter(_Count)).count
            for queue in queues
        }

    def _ask[Answer](self, path: str, documented: TypeAdapter[Answer]) -> Answer:
        url = self.application + path
        try:
            body = self._body(url)
        except requests.RequestException as error:
            raise Unanswered(f"{url} does not answer ({type(error).__name__}): see ./pacs logs dcm4chee") from error
        try:
            return documented.validate_json(body)
        except ValidationError as error:
            # The body itself is not told: an error page may quote anything.
            raise Unanswered(f"{url} answers something else than documented: is it DCM4CHEE 5?") from error

    def _body(self, url: str) -> bytes:
        deadline = time.monotonic() + self.timeout_s
        body = bytearray()
        headers = {"Accept": "application/json"}
        with requests.get(url, headers=headers, timeout=self.timeout_s, stream=True, allow_redirects=False) as answer:
            if answer.status_code != 200:
                raise Unanswered(f"{url} answers {answer.status_code} {answer.reason}: see ./pacs logs dcm4chee")
            # As it comes, because a larger piece would be waited for however slowly it drips.
            while piece := answer.raw.read1(65_536, decode_content=True):
                body += piece
                if len(body) > _ANSWER_BYTES or time.monotonic() > deadline:
                    raise Unanswered(f"{url} does not end its answer within {self.timeout_s:g} s and a megabyte")
        return bytes(body)


class Dcm4cheeMetrics(Collector):
    """Asks each question at an interval and shows what was answered last, and how long ago."""

    def __init__(
        self, rest: Dcm4cheeRest, interval_s: float = INTERVAL_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rest = rest
        self._clock = clock
        self._questions: dict[str, Callable[[], list[Metric]]] = {
            "studies": self._studies,
            "instances": self._instances,
            "size": self._size,
            "storage": self._storage,
            "tasks": self._tasks,
        }
        # Replaced entry by entry: a scrape in between sees the older or the newer answer, each whole.
        self._answers: dict[str, list[Metric]] = {}
        self._answered_at = dict.fromkeys(self._questions, clock())
        self._complaints: dict[str, str] = {}
        self._loop = Loop("dcm4chee-metrics", self.ask, interval_s)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def join(self) -> None:
        self._loop.join()

    def ask(self) -> bool:
        """Ask everything once."""
        for name, question in self._questions.items():
            if self._loop.stopping:
                break
            try:
                self._answers[name] = question()
            except Unanswered as error:
                self._complain(name, str(error))
            else:
                self._answered_at[name] = self._clock()
                self._complaints.pop(name, None)
        return False

    def _complain(self, question: str, reason: str) -> None:
        # Once for each reason: the age of the answer tells that it goes on.
        if self._complaints.get(question) != reason:
            self._complaints[question] = reason
            logger.warning("DCM4CHEE: %s", reason)

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        for name in self._questions:
            yield from self._answers.get(name, [])
        age = GaugeMetricFamily(
            "pacs_dcm4chee_answer_age_seconds",
            "How old DCM4CHEE's last good answer to each question is; without any, how long it has been asked.",
            labels=("question",),
        )
        now = self._clock()
        for name, answered_at in self._answered_at.items():
            age.add_metric((name,), now - answered_at)
        yield age

    def _studies(self) -> list[Metric]:
        return [GaugeMetricFamily("pacs_dcm4chee_studies", "Studies in DCM4CHEE.", value=self._rest.count("studies"))]

    def _instances(self) -> list[Metric]:
        held = self._rest.count("instances")
        return [GaugeMetricFamily("pacs_dcm4chee_instances", "Instances in DCM4CHEE.", value=held)]

    def _size(self) -> list[Metric]:
        text = "Bytes that the studies in DCM4CHEE take."
        return [GaugeMetricFamily("pacs_dcm4chee_studies_bytes", text, value=self._rest.size())]

    def _storage(self) -> list[Metric]:
        total = GaugeMetricFamily(
            "pacs_dcm4chee_storage_size_bytes", "Size of a storage system of DCM4CHEE.", labels=("storage",)
        )
        free = GaugeMetricFamily(
            "pacs_dcm4chee_storage_free_bytes", "Free space on a storage system of DCM4CHEE.", labels=("storage",)
        )
        for system in self._rest.storage():
            if system.total > 0 and system.free >= 0:
                total.add_metric((system.name,), system.total)
                free.add_metric((system.name,), system.free)
        return [total, free]

    def _tasks(self) -> list[Metric]:
        failed = GaugeMetricFamily(
            "pacs_dcm4chee_failed_tasks", "Failed tasks in a queue of DCM4CHEE.", labels=("queue",)
        )
        for queue, count in self._rest.failed_tasks().items():
            failed.add_metric((queue,), count)
        return [failed]
