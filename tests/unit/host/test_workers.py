"""Work in other processes: what goes wrong there costs one call and nothing else."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from host.workers import CallCancelled, ServerStopping, Watch, WorkerDied, WorkerPool
from unit.host import work

Eventually = Callable[..., None]


@pytest.fixture(scope="module")
def shared() -> Iterator[WorkerPool]:
    """A pool of one, whose worker survives unless a test costs it its life."""
    pool = WorkerPool(1, 60)
    pool.start()
    yield pool
    pool.stop()
    pool.join()


def stopped(pool: WorkerPool) -> None:
    pool.stop()
    pool.join()


def test_a_call_returns_what_the_function_returns(shared: WorkerPool) -> None:
    assert shared.call(work.add, 2, 3) == 5


def test_it_runs_in_another_process_the_same_one_each_time(shared: WorkerPool) -> None:
    first = shared.call(work.own_pid)
    assert first != os.getpid()
    assert shared.call(work.own_pid) == first


def test_large_arguments_and_answers_go_through(shared: WorkerPool) -> None:
    data = os.urandom(20 * 1024 * 1024)
    assert shared.call(work.double, data) == data * 2


def test_a_series_of_files_goes_through(shared: WorkerPool) -> None:
    files = [os.urandom(300_000) for _ in range(20)]
    assert shared.call(work.joined, files) == b"".join(files)


def test_a_call_is_watched_while_it_runs(shared: WorkerPool, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    heard: list[tuple[float, str]] = []

    def hear(share: float, message: str) -> None:
        heard.append((share, message))
        gate.touch()

    answer = shared.call(work.until, str(gate), str(tmp_path / "mark"), watch=Watch(hear))
    assert (answer, heard) == (b"through the gate", [(0.5, "half of it")])


def test_a_call_that_is_cancelled_ends_and_the_pool_goes_on(shared: WorkerPool, tmp_path: Path) -> None:
    watch = Watch(lambda _share, _message: watch.cancel())
    with pytest.raises(CallCancelled):
        shared.call(work.until, str(tmp_path / "never"), str(tmp_path / "mark"), watch=watch)
    with pytest.raises(CallCancelled):
        shared.call(work.add, 1, 1, watch=watch)
    assert shared.call(work.add, 2, 3) == 5


def test_the_original_exception_is_raised_and_the_worker_lives_on(shared: WorkerPool) -> None:
    pid = shared.call(work.own_pid)
    with pytest.raises(work.Refused) as caught:
        shared.call(work.refuse, "not this", 42)
    assert (caught.value.args, caught.value.number) == (("not this", 42), 42)
    assert shared.call(work.own_pid) == pid


@pytest.mark.parametrize("function", [work.unsendable, work.lock], ids=["lambda", "lock"])
def test_an_answer_that_cannot_be_sent_says_so(shared: WorkerPool, function: Callable[[], object]) -> None:
    with pytest.raises(RuntimeError, match="cannot be sent back"):
        shared.call(function)
    assert shared.call(work.add, 1, 1) == 2


@pytest.mark.parametrize(
    ("function", "arguments", "code"),
    [(work.crash, (7,), "7"), (work.kill_yourself, (), "-9"), (work.leave, (), "3")],
    ids=["exit", "SIGKILL", "sys.exit"],
)
def test_a_worker_that_dies_costs_its_call_alone(
    shared: WorkerPool, function: Callable[..., None], arguments: tuple[int, ...], code: str
) -> None:
    with pytest.raises(WorkerDied, match=f"exit code {code}"):
        shared.call(function, *arguments)
    assert shared.call(work.add, 2, 3) == 5


def test_a_worker_that_is_killed_between_two_calls_is_replaced(shared: WorkerPool, eventually: Eventually) -> None:
    pid = shared.call(work.own_pid)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: pid not in [child.pid for child in multiprocessing.active_children()])
    assert shared.call(work.own_pid) != pid


def test_a_call_that_wants_too_much_memory_fails_and_the_next_one_works(shared: WorkerPool) -> None:
    with pytest.raises((MemoryError, WorkerDied)):
        shared.call(work.eat, 8)
    assert shared.call(work.add, 2, 3) == 5


def test_a_call_that_takes_too_long_is_given_up_and_its_worker_replaced(tmp_path: Path, eventually: Eventually) -> None:
    mark = tmp_path / "begun"
    pool = WorkerPool(1, 1.0)
    pool.start()
    pool._timeout_s = 60
    pool.call(work.own_pid)
    pool._timeout_s = 2.0
    try:
        with pytest.raises(WorkerDied, match=r"longer than 2 s"):
            pool.call(work.sleep, str(mark))
        assert not psutil.pid_exists(int(mark.read_text()))
        pool._timeout_s = 60
        assert pool.call(work.add, 2, 3) == 5
    finally:
        stopped(pool)


def test_stopping_gives_up_the_running_call_and_those_that_wait(tmp_path: Path, eventually: Eventually) -> None:
    mark = tmp_path / "begun"
    pool = WorkerPool(1, 60)
    with ThreadPoolExecutor(3) as threads:
        running = threads.submit(pool.call, work.sleep, str(mark))
        eventually(lambda: mark.exists() and mark.read_text())
        waiting = [threads.submit(pool.call, work.add, 1, 1) for _ in range(2)]
        started = time.perf_counter()
        pool.stop()
        for future in (running, *waiting):
            with pytest.raises(ServerStopping):
                future.result(60)
        pool.join()
        assert time.perf_counter() - started < work.NEVER_S / 2
    assert not psutil.pid_exists(int(mark.read_text()))


def test_stopping_does_not_wait_for_a_worker_that_still_imports_and_reads_nothing() -> None:
    pool = WorkerPool(1, 60)
    pool.preload("unit.host.imports_for_ever")
    pool.start()
    with ThreadPoolExecutor(1) as threads:
        # More than its pipe holds: this call is blocked in the middle of sending.
        sending = threads.submit(pool.call, work.double, bytes(20 * 1024 * 1024))
        time.sleep(0.5)
        pool.stop()
        with pytest.raises(ServerStopping):
            sending.result(timeout=30)
    pool.join()


def test_after_the_end_a_call_is_refused_at_once() -> None:
    pool = WorkerPool(1, 60)
    stopped(pool)
    refused: list[BaseException] = []

    def late() -> None:
        try:
            pool.call(work.add, 1, 1)
        except ServerStopping as error:
            refused.append(error)

    thread = threading.Thread(target=late, daemon=True)
    thread.start()
    thread.join(60)
    assert refused, "the call waits for a worker that will never come"


def test_no_worker_outlives_a_server_killed_with_kill_9(tmp_path: Path, eventually: Eventually) -> None:
    mark = tmp_path / "begun"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-m", "unit.host.work", str(mark)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    try:
        assert server.stdout is not None
        assert int(server.stdout.readline())
        eventually(lambda: mark.exists() and mark.read_text())
        busy = int(mark.read_text())
        children = psutil.Process(server.pid).children(recursive=True)
        assert busy in [child.pid for child in children] and len(children) >= 2
    finally:
        server.kill()
        server.wait()
    gone = (psutil.NoSuchProcess, psutil.ZombieProcess)

    def all_gone() -> bool:
        for child in children:
            try:
                if child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
                    return False
            except gone:
                continue
        return True

    eventually(all_gone, what="the workers outlive their server")


def test_what_is_preloaded_is_imported_before_the_first_call() -> None:
    pool = WorkerPool(1, 60)
    pool.preload("colorsys")
    pool.start()
    try:
        assert "colorsys" in pool.call(work.modules)
    finally:
        stopped(pool)


def test_workers_import_neither_the_web_framework_nor_the_database() -> None:
    plugins = Path(__file__).parents[3] / "orthanc-plugins"
    creators = "".join(file.read_text() for file in plugins.glob("*/__init__.py"))
    preloaded = set(re.findall(r'preload\("([\w.]+)"\)', creators))
    assert "extraction.engine" in preloaded
    heavy = {"fastapi", "starlette", "sqlalchemy", "prometheus_client", "orthanc"}
    asked = f"import sys, {', '.join(sorted(preloaded))}; print(sorted({heavy!r} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", asked], cwd=plugins, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_what_cannot_be_preloaded_costs_nobody_a_worker() -> None:
    pool = WorkerPool(1, 60)
    pool.preload("no.such.module")
    pool.start()
    try:
        assert "colorsys" not in pool.call(work.modules)
    finally:
        stopped(pool)


def test_calls_run_side_by_side_up_to_the_size_of_the_pool(tmp_path: Path, eventually: Eventually) -> None:
    pool = WorkerPool(2, 60)
    marks = [tmp_path / "one", tmp_path / "two"]
    with ThreadPoolExecutor(2) as threads:
        futures = [threads.submit(pool.call, work.sleep, str(mark)) for mark in marks]
        eventually(lambda: all(mark.exists() for mark in marks))
        pool.stop()
        for future in futures:
            with pytest.raises(ServerStopping):
                future.result(60)
    pool.join()


def test_one_that_was_never_used_stops_and_joins() -> None:
    pool = WorkerPool(2, 60)
    stopped(pool)
