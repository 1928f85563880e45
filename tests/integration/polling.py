"""Waiting with a deadline, for what becomes true in the background."""

from __future__ import annotations

import time
from collections.abc import Callable

_REST_S = 0.05


def eventually[Value](look: Callable[[], Value | None], within_s: float, what: str, rest_s: float = _REST_S) -> Value:
    """The first true value that ``look`` returns; an AssertionError counts as not yet."""
    deadline = time.monotonic() + within_s
    while True:
        said = ""
        try:
            value = look()
            if value:
                return value
        except AssertionError as error:
            said = f": {error}"
        if time.monotonic() >= deadline:
            raise AssertionError(f"{what}: not within {within_s:g} s{said}")
        time.sleep(rest_s)
