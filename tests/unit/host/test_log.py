"""Every line of our log has what is needed to find it again."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from host import log

Lines = list[tuple[str, str]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """What Orthanc is given to log, with its level; Orthanc itself adds the time."""
    written: Lines = []

    def at(level: str) -> object:
        return lambda line: written.append((level, line))

    double = SimpleNamespace(LogInfo=at("info"), LogWarning=at("warning"), LogError=at("error"))
    monkeypatch.setitem(sys.modules, "orthanc", double)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    log.to_orthanc()
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_names_its_request_and_its_source(lines: Lines) -> None:
    token = log.request_id.set("abc")
    logging.getLogger("pacs.extraction").info("%s: 10 structures", "2ab4c5e6")
    log.request_id.reset(token)
    logging.getLogger("pacs.extraction").error("%s: given up", "2ab4c5e6")
    assert lines == [
        ("warning", "[abc] pacs.extraction: 2ab4c5e6: 10 structures"),
        ("error", "[-] pacs.extraction: 2ab4c5e6: given up"),
    ]


def test_every_line_of_a_traceback_is_a_line_of_the_log(lines: Lines) -> None:
    token = log.request_id.set("abc")
    try:
        raise ValueError("of two\nlines")
    except ValueError:
        logging.getLogger("pacs").exception("Study %s cannot be catalogued", "2ab4c5e6")
    log.request_id.reset(token)
    assert len(lines) > 4
    for level, line in lines:
        assert level == "error"
        assert line.startswith("[abc] ") and "\n" not in line
    assert lines[0] == ("error", "[abc] pacs: Study 2ab4c5e6 cannot be catalogued")
    assert lines[-2:] == [("error", "[abc] ValueError: of two"), ("error", "[abc] lines")]


def test_what_others_say_in_passing_stays_at_their_level(lines: Lines) -> None:
    logging.getLogger("somebody").info("hello")
    assert lines == [("info", "[-] somebody: hello")]
