"""Keeps pydicom quiet while it reads for us: its warnings quote values, and so may quote the patient's name."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_here = threading.local()


def _elsewhere(record: logging.LogRecord) -> bool:
    return not getattr(_here, "silent", False)


# For good, since it only acts on threads that are within `pydicom_silent`.
logging.getLogger("pydicom").addFilter(_elsewhere)


@contextmanager
def pydicom_silent() -> Iterator[None]:
    """Drop pydicom's log records on this thread, and Python warnings, within the block."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _here.silent = True
        try:
            yield
        finally:
            _here.silent = False
