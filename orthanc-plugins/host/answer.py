"""What a function in a worker gives back for a route: bytes with headers, or a refusal.

Light on purpose: workers import it, and must not import FastAPI for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answer:
    """The body of an answer, further headers (ASCII) that belong to it, and its status (answers that are kept: 200)."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


class Refusal(Exception):
    """What was asked cannot be computed, now or ever: becomes problem details for the client.

    Parameters
    ----------
    status
        The HTTP status code: 404, 409, 422…
    detail, remedy
        One sentence each: what is wrong, and what the client can do.
    """

    def __init__(self, status: int, detail: str, remedy: str) -> None:
        super().__init__(status, detail, remedy)
        self.status = status
        self.detail = detail
        self.remedy = remedy

    def __str__(self) -> str:
        return self.detail
