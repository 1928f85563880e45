"""Worker processes for heavy work, so that neither Orthanc's own routes nor the plugins' wait for a computation.

``sys.executable`` is Orthanc inside Orthanc, and a forked child would keep its listening sockets: workers are spawned
with the system's interpreter. A worker that crashes, hangs or eats memory costs the call it was serving, nothing else.
"""

from __future__ import annotations

import ctypes
import importlib
import logging
import multiprocessing
import os
import pickle
import queue
import resource
import signal
import sys
import threading
import time
import traceback
import weakref
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

logger = logging.getLogger("pacs.workers")

INTERPRETER = "/usr/bin/python3"
#: Address space of one worker: several times what the largest structure sets seen in practice need.
MEMORY_LIMIT_BYTES = 6 * 1024**3
_LARGE_BYTES = 1024**2
#: What a worker keeps of the memory that it has freed, and up to which size (glibc's malloc.h names the parameters).
_KEPT_BYTES, _M_TRIM_THRESHOLD = 128 * 1024**2, -1
_KEPT_BLOCK_BYTES, _M_MMAP_THRESHOLD = 32 * 1024**2, -3


class WorkerDied(Exception):
    """The worker ended before it answered: it crashed, ran out of memory, or took longer than allowed."""


class ServerStopping(Exception):
    """The call was given up because the server stops."""


class CallCancelled(Exception):
    """The call was given up because whoever made it asked for that."""


class Watch:
    """Follows one call from another thread: hears how far it is, and may cancel it.

    Parameters
    ----------
    on_progress
        Called with a share from 0 to 1 and a message whenever the function calls ``report``.
    """

    def __init__(self, on_progress: Callable[[float, str], None] = lambda _share, _message: None) -> None:
        self.on_progress = on_progress
        self.cancelled = False
        self.reader, self._writer = multiprocessing.Pipe(duplex=False)

    def cancel(self) -> None:
        """Give the call up, whether it runs or still waits for a worker."""
        self.cancelled = True
        # It may have ended this moment.
        with suppress(OSError):
            self._writer.send_bytes(b"cancel")

    def close(self) -> None:
        """Give back what it holds open, once the call has ended."""
        self.reader.close()
        self._writer.close()


#: Within a worker, the way home.
_home: Connection | None = None


def report(share: float, message: str = "") -> None:
    """Within a worker: say how far the call is, from 0 to 1. Elsewhere it does nothing."""
    if _home is not None:
        _send(_home, ("progress", (share, message)))


class WorkerPool:
    """A fixed number of processes that call module-level functions; one call at a time each.

    Parameters
    ----------
    size
        How many calls run side by side.
    timeout_s
        How long one call may take, in seconds, before its worker is replaced.
    """

    def __init__(self, size: int, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._context = multiprocessing.get_context("spawn")
        if os.path.basename(sys.executable).lower().startswith("orthanc") or not sys.executable:
            self._context.set_executable(INTERPRETER)
        self._free: queue.SimpleQueue[_Worker | None] = queue.SimpleQueue()
        for _ in range(size):
            self._free.put(None)
        self._size = size
        self._workers: weakref.WeakSet[_Worker] = weakref.WeakSet()
        self._preloaded: list[str] = []
        self._stopping = threading.Event()
        self._stopped_reader, self._stopped_writer = self._context.Pipe(duplex=False)

    def call(self, function: Callable[..., Any], *arguments: Any, watch: Watch | None = None) -> Any:
        """Run ``function(*arguments)`` in a worker and return what it returns; what it raises is raised here.

        Raises
        ------
        WorkerDied
            If the worker ended or exceeded the time allowed.
        ServerStopping
            If the server stops meanwhile.
        CallCancelled
            If ``watch`` was cancelled.
        """
        if self._stopping.is_set():
            raise ServerStopping
        worker = self._free.get()
        try:
            if self._stopping.is_set():
                raise ServerStopping
            if watch is not None and watch.cancelled:
                raise CallCancelled
            if worker is None or not worker.process.is_alive():
                worker = self._spawn()
            request = (function.__module__, function.__qualname__, tuple(map(_out_of_band, arguments)))
            outcome, value = self._exchange(worker, request, watch)
        except BaseException:
            # Its pipe may still hold an answer that belongs to nobody: a worker is not used again after a fault.
            if worker is not None:
                worker.kill()
                worker = None
            raise
        finally:
            self._free.put(worker)
        if outcome == "raised":
            raise value
        return value

    def preload(self, module: str) -> None:
        """Import this module in every worker when it is spawned, not at its first call. To be said before ``start``."""
        self._preloaded.append(module)

    def start(self) -> None:
        """Spawn the workers ahead, so that no call waits for one; they import while the server goes on starting."""
        for _ in range(self._size):
            self._free.put(self._free.get() or self._spawn())

    def stop(self) -> None:
        """Refuse new calls and give up the running ones."""
        self._stopping.set()
        self._stopped_writer.send_bytes(b"stop")
        # A worker that still imports reads nothing, and whoever sends it a large file would wait for that.
        for worker in tuple(self._workers):
            worker.process.kill()

    def join(self) -> None:
        """Wait until every worker has ended."""
        for _ in range(self._size):
            worker = self._free.get()
            if worker is not None:
                worker.kill()
        for _ in range(self._size):
            self._free.put(None)

    def _spawn(self) -> _Worker:
        worker = _Worker(self._context, self._preloaded)
        self._workers.add(worker)
        # Either `stop` found it among the others, or this sees that `stop` was called.
        if self._stopping.is_set():
            worker.kill()
            raise ServerStopping
        return worker

    def _exchange(self, worker: _Worker, request: object, watch: Watch | None) -> tuple[str, Any]:
        deadline = time.monotonic() + self._timeout_s
        sources = [worker.connection, self._stopped_reader, *([watch.reader] if watch else [])]
        try:
            _send(worker.connection, request)
            while worker.connection in (ready := wait(sources, deadline - time.monotonic())):
                outcome, value = _receive(worker.connection)
                if outcome != "progress":
                    return outcome, value
                if watch is not None:
                    watch.on_progress(*value)
        except (EOFError, OSError) as error:
            if self._stopping.is_set():
                raise ServerStopping from error
            worker.process.join(1.0)
            raise WorkerDied(f"the worker process ended with exit code {worker.process.exitcode}") from error
        if self._stopped_reader in ready:
            raise ServerStopping
        if ready:
            raise CallCancelled
        raise WorkerDied(f"the work took longer than {self._timeout_s:g} s")


class _Worker:
    """One spawned process and our end of its pipe."""

    def __init__(self, context: multiprocessing.context.SpawnContext, preloaded: list[str]) -> None:
        self.connection, theirs = context.Pipe()
        arguments = (theirs, list(sys.path), preloaded)
        self.process: BaseProcess = context.Process(target=_serve, args=arguments, daemon=True)
        self.process.start()
        theirs.close()

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


def _out_of_band(value: Any) -> Any:
    # Pickling copies a large file while it holds the interpreter's lock: 0.1 s in which no route of ours answers.
    if isinstance(value, list):
        # A series is many files, none of them large.
        return [pickle.PickleBuffer(each) if isinstance(each, bytes) else each for each in value]
    return pickle.PickleBuffer(value) if isinstance(value, bytes) and len(value) > _LARGE_BYTES else value


def _send(connection: Connection, message: object) -> None:
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
    connection.send((head, len(buffers)))
    for buffer in buffers:
        connection.send_bytes(buffer.raw())


def _receive(connection: Connection) -> Any:
    head, count = connection.recv()
    return pickle.loads(head, buffers=[connection.recv_bytes() for _ in range(count)])


def keep_freed_memory() -> None:
    """Let this process keep what it frees, up to some MB.

    Arrays of one size come and go with every structure. To get new pages for each of them from the system takes longer
    than to compute what goes into them.
    """
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_THRESHOLD, _KEPT_BLOCK_BYTES)
    libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def _serve(connection: Connection, path: list[str], preloaded: list[str]) -> None:
    """The worker's main function: answer calls until the server is gone."""
    global _home
    _home = connection
    sys.path[:] = path
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    keep_freed_memory()
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_die_with, args=(parent.sentinel,), daemon=True).start()
    for name in preloaded:
        try:
            importlib.import_module(name)
        except Exception:
            # Only the calls that need it fail, and say so: every worker would else end at its start.
            traceback.print_exc()
    while True:
        try:
            module, name, arguments = _receive(connection)
        except (EOFError, OSError):
            return
        answer: tuple[str, Any]
        try:
            answer = ("returned", getattr(importlib.import_module(module), name)(*arguments))
        except Exception as error:
            answer = ("raised", error)
        try:
            _send(connection, answer)
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            _send(connection, ("raised", RuntimeError(f"{type(answer[1]).__name__} cannot be sent back: {error}")))


def _die_with(sentinel: int) -> None:
    """End this process when the server's ends, even by kill -9: no worker outlives the server."""
    wait([sentinel])
    os._exit(0)
