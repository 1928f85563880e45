"""People who read French read the server in French: its sentences stand in the dashboard's `server.fr.json`."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
PLUGINS = ROOT / "orthanc-plugins"
#: Where what people read of most is written: states, rejected files, findings, repairs.
SPOKEN = (
    "status/probes.py",
    "upload/archives.py",
    "upload/multipart.py",
    "upload/service.py",
    "rtstruct/structures.py",
    "rtstruct/quality/*.py",
    "rtstruct/repair/*.py",
)
#: A sentence written yesterday may be English until tomorrow; a language that crumbles is noticed.
LEAST_SHARE = 0.9


def sentences_of(file: Path) -> Iterator[str]:
    """The strings of a module that read as sentences, with {} for their values; no docstrings, no lines for the log."""
    tree = ast.parse(file.read_text())
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings | parts:
            text = node.value
        else:
            continue
        if len(text.split()) > 3 and not re.search(r"%\(?\w", text):
            yield text


def test_nearly_all_that_the_server_says_to_people_is_known_in_french() -> None:
    french = json.loads((ROOT / "dashboard/src/i18n/server.fr.json").read_text())
    spoken = {text for name in SPOKEN for file in PLUGINS.glob(name) for text in sentences_of(file)}
    missing = sorted(spoken - set(french))
    assert len(spoken) > 80
    assert 1 - len(missing) / len(spoken) >= LEAST_SHARE, "\n".join(missing)
