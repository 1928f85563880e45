"""The files of a ``multipart/form-data`` body that is in memory as a whole (RFC 7578), without copying it twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks


class MalformedForm(ValueError):
    """The body is not the multipart form that its Content-Type announces."""


def files_of(body: bytes, content_type: str, max_files: int) -> Iterator[tuple[str, bytes]]:
    """The name and content of each file; fields without a file name are passed over.

    Raises
    ------
    MalformedForm
        If the body ends too early, has no boundary, no file, or too many parts.
    """
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise MalformedForm("its Content-Type names no boundary")
    parts = _Parts()
    try:
        parser = MultipartParser(boundary, parts.callbacks(), max_size=len(body) + 1)
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise MalformedForm("its parts cannot be told apart") from error
    if not parts.complete:
        raise MalformedForm("it ends before its closing boundary")
    if len(parts.found) > max_files:
        raise MalformedForm(f"it has {len(parts.found)} parts; {max_files} are allowed")
    files = [(name, spans) for name, spans in parts.found if name is not None]
    if not files:
        raise MalformedForm("it holds no file")
    view = memoryview(body)
    for name, spans in files:
        yield name, b"".join(view[start:end] for start, end in spans)


class _Parts:
    """Collects where in the body each part's data lies."""

    def __init__(self) -> None:
        self.found: list[tuple[str | None, list[tuple[int, int]]]] = []
        self.complete = False
        self._field = b""
        self._value = b""
        self._spans: list[tuple[int, int]] = []
        self._name: str | None = None

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._complete,
        }

    def _begin(self) -> None:
        self._name, self._spans = None, []

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._field.lower() == b"content-disposition":
            options = parse_options_header(self._value)[1]
            name = options.get(b"filename")
            self._name = name.decode("utf-8", "replace") if name is not None else None
        self._field = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._spans.append((start, end))

    def _end(self) -> None:
        self.found.append((self._name, self._spans))

    def _complete(self) -> None:
        self.complete = True
