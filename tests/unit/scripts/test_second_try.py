"""A test on containers gets a second try, and its first failure is never hidden; a unit test gets one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from unit.scripts.shell import ROOT

TESTS = """
import pytest

tries = {"setup": 0, "call": 0}


@pytest.fixture(scope="session")
def slow_server():
    tries["setup"] += 1
    if tries["setup"] == 1:
        raise RuntimeError("not ready in time")
    return tries["setup"]


@pytest.fixture
def own():
    return object()


def test_of_a_server_that_was_late(slow_server, own):
    assert slow_server == 2


def test_that_was_unlucky_once():
    tries["call"] += 1
    assert tries["call"] == 2, "too busy"


def test_of_what_is_broken():
    assert False, "broken for good"


def test_that_is_well(slow_server):
    assert slow_server == 2
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("integration", "unit"):
        (tmp_path / "tests" / name).mkdir(parents=True)
        (tmp_path / "tests" / name / f"test_{name}.py").write_text(TESTS)
    shutil.copy(ROOT / "tests/conftest.py", tmp_path / "tests")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def run(project: Path, suite: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/{suite}"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=300)
    return done.stdout + done.stderr


def test_on_containers_a_failure_is_tried_again_and_told(project: Path) -> None:
    said = run(project, "integration")

    assert "1 failed, 3 passed" in said
    assert "FAILED tests/integration/test_integration.py::test_of_what_is_broken" in said
    for name in ("of_a_server_that_was_late", "that_was_unlucky_once", "of_what_is_broken"):
        assert f"first try of tests/integration/test_integration.py::test_{name} failed" in said
    assert "too busy" in said and "not ready in time" in said


def test_a_unit_test_gets_one_try(project: Path) -> None:
    said = run(project, "unit")

    assert "2 failed, 2 errors" in said
    assert "first try" not in said
