"""Feed damaged structure sets to the server's own workers: ``python -m fuzz [--mutations 100000] [--workers 2]``.

Each runs as it would in the server: `extraction.engine.extract`, in a spawned process, through `host.workers`. What is
allowed is a result, or the refusal that names the damage; a crash, another error, a hang, or memory beyond the limit
fails the run, and the file that did it is kept. Ends with 0 when there was none.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from extraction.engine import Extracted, UnreadableStructureSet, extract
from fuzz.mutations import mutation, originals
from host.workers import WorkerPool

#: Of one file, in seconds, on a machine that may be busy.
TIME_LIMIT_S = 60.0
#: What a worker may ever have held. The server itself allows several times as much (`host.workers`).
MEMORY_LIMIT_MB = 1024
#: What every mutation's patient is called: no refusal may say it.
SECRETS = ("Secret", "SECRET")


class Run:
    """One run: what came of each mutation, and what must not have happened."""

    def __init__(self, numbers: Iterator[int], workers: WorkerPool, kept: Path) -> None:
        self.outcomes: Counter[str] = Counter()
        self.failures: list[str] = []
        self.slowest_s = 0.0
        self._numbers = numbers
        self._workers = workers
        self._kept = kept
        self._lock = threading.Lock()

    def work(self) -> None:
        """Take numbers until there are none."""
        while True:
            with self._lock:
                number = next(self._numbers, None)
            if number is None:
                return
            data = mutation(number)
            started = time.perf_counter()
            outcome = self._one(data)
            with self._lock:
                self.slowest_s = max(self.slowest_s, time.perf_counter() - started)
                self.outcomes[outcome] += 1
                if outcome not in ("read", "refused"):
                    self.failures.append(f"mutation {number}: {outcome}")
                    (self._kept / f"{number}.dcm").write_bytes(data)

    def _one(self, data: bytes) -> str:
        try:
            found: Extracted = self._workers.call(extract, data)
            json.loads(found.summary)
            return "read"
        except UnreadableStructureSet as error:
            return "a refusal that quotes the patient" if any(each in str(error) for each in SECRETS) else "refused"
        except Exception as error:
            return f"{type(error).__name__}: {error}"


def peak_mb() -> float:
    """The most that any worker of this process has held so far."""
    children = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    held = [0.0]
    for task in Path("/proc/self/task").iterdir():
        for child in (task / children.name).read_text().split():
            status = Path(f"/proc/{child}/status").read_text()
            held += [int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")]
    return max(held)


def main() -> int:
    """Run, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first one")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after this time")
    options = parser.parse_args()
    started = time.monotonic()
    numbers = itertools.takewhile(
        lambda _: time.monotonic() - started < options.seconds,
        range(options.first, options.first + options.mutations),
    )
    workers = WorkerPool(options.workers, TIME_LIMIT_S)
    workers.preload("extraction.engine")
    workers.start()
    # They import while nobody counts the seconds.
    for _ in range(options.workers):
        workers.call(extract, originals()[0])
    run = Run(numbers, workers, Path(tempfile.mkdtemp(prefix="pacs-fuzz-")))
    threads = [threading.Thread(target=run.work) for _ in range(options.workers)]
    for thread in threads:
        thread.start()
    memory_mb = 0.0
    while any(thread.is_alive() for thread in threads):
        threads[0].join(1.0)
        memory_mb = max(memory_mb, peak_mb())
    workers.stop()
    workers.join()
    if memory_mb > MEMORY_LIMIT_MB:
        run.failures.append(f"a worker held {memory_mb:.0f} MB, more than {MEMORY_LIMIT_MB} MB")
    total = run.outcomes.total()
    print(
        f"{total} mutations in {time.monotonic() - started:.0f} s: {run.outcomes['read']} read, "
        f"{run.outcomes['refused']} refused, {len(run.failures)} failures; the slowest took {run.slowest_s:.2f} s, "
        f"a worker held at most {memory_mb:.0f} MB"
    )
    for failure in run.failures[:20]:
        print(failure)
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
