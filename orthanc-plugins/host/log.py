"""One log for everything: Python's records go through Orthanc's own log, each with its request id. No patient data."""

from __future__ import annotations

import logging
import os
from contextvars import ContextVar

#: The id of the HTTP request that is being served, or "-" in background threads.
request_id: ContextVar[str] = ContextVar("request_id", default="-")


class _OrthancHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        import orthanc

        write = orthanc.LogInfo
        if record.levelno >= logging.ERROR:
            write = orthanc.LogError
        elif record.levelno >= logging.WARNING or record.name.startswith("pacs"):
            # Orthanc hides its INFO level by default; our own few lines are meant to be read.
            write = orthanc.LogWarning
        # A traceback line by line: each gets Orthanc's time and level, and is found by its request.
        for line in self.format(record).splitlines():
            write(f"[{request_id.get()}] {line}")


def to_orthanc() -> None:
    """Send every Python log record of level INFO and above to Orthanc's log."""
    handler = _OrthancHandler()
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for talkative in ("alembic", "httpx", "urllib3"):
        logging.getLogger(talkative).setLevel(logging.WARNING)


def end_process(code: int) -> None:
    """End Orthanc at once: from a plugin there is no softer way to refuse to start."""
    os._exit(code)
