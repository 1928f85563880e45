"""What the workers' tests let workers do. Run as a script: a server with a busy pool, to be killed."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from host.workers import report

NEVER_S = 120.0


class Refused(Exception):
    """An error with a message and a number, as it is raised in the worker."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message, number)
        self.number = number


def add(first: int, second: int) -> int:
    return first + second


def own_pid() -> int:
    return os.getpid()


def modules() -> set[str]:
    return set(sys.modules)


def refuse(message: str, number: int) -> None:
    raise Refused(message, number)


def crash(code: int) -> None:
    os._exit(code)


def kill_yourself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave() -> None:
    sys.exit(3)


def sleep(mark: str = "") -> None:
    """Hang; the file ``mark`` says that it has begun."""
    if mark:
        Path(mark).write_text(str(os.getpid()))
    time.sleep(NEVER_S)


def until(gate: str, mark: str) -> bytes:
    """Report half of it and leave a mark, then wait until the file ``gate`` is there."""
    report(0.5, "half of it")
    with Path(mark).open("a") as file:
        file.write("begun\n")
    while not Path(gate).exists():
        time.sleep(0.01)
    return b"through the gate"


def joined(files: list[bytes]) -> bytes:
    return b"".join(files)


def double(data: bytes) -> bytes:
    return data * 2


def eat(gigabytes: int) -> int:
    return len(bytearray(gigabytes * 1024**3))


def unsendable() -> Callable[[], None]:
    return lambda: None


def lock() -> object:
    return threading.Lock()


if __name__ == "__main__":
    from host.workers import WorkerPool

    pool = WorkerPool(2, NEVER_S)
    pool.start()
    from unit.host import work

    print(pool.call(work.own_pid), flush=True)
    threading.Thread(target=pool.call, args=(work.sleep, sys.argv[1])).start()
    time.sleep(NEVER_S)
