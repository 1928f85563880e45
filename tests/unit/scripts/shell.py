"""Runs a line of bash with the project's shell functions loaded, in an environment of the test's choosing."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def bash(line: str, environment: Mapping[str, str], path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """`path` is a folder of stand-in commands that is searched first."""
    search = f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"]
    sources = "; ".join(f". '{ROOT}/scripts/{name}.sh'" for name in ("common", "mirrors"))
    return subprocess.run(
        ["bash", "-c", f"{sources}; {line}"],
        env={"PATH": search, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def command(folder: Path, name: str, script: str) -> None:
    """A stand-in for a command of the machine."""
    file = folder / name
    file.write_text(f"#!/bin/bash\n{script}\n")
    file.chmod(0o755)
