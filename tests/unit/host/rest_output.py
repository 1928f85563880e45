"""Orthanc's RestOutput for tests: writes down what it is told, as Orthanc would send it."""

from __future__ import annotations


class RecordedOutput:
    """``orthanc.RestOutput`` as far as the bridge uses it."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.body = b""
        self.content_type: str | None = None
        self.headers: list[tuple[str, str]] = []
        self.answers = 0

    def AnswerBuffer(self, body: bytes, content_type: str) -> None:
        self._answer(200, body)
        self.content_type = content_type

    def SendHttpStatus(self, status: int, body: bytes) -> None:
        assert status != 200, "Orthanc refuses SendHttpStatus(200)"
        self._answer(status, body)

    def SetHttpHeader(self, name: str, value: str) -> None:
        assert not self.answers, "headers come before the answer"
        self.headers.append((name.lower(), value))

    def header(self, name: str) -> str | None:
        found = [value for key, value in self.headers if key == name.lower()]
        assert len(found) <= 1, f"{name} is sent {len(found)} times"
        return found[0] if found else None

    def _answer(self, status: int, body: bytes) -> None:
        self.answers += 1
        assert self.answers == 1, "one answer to one request"
        assert isinstance(body, bytes)
        self.status, self.body = status, body
