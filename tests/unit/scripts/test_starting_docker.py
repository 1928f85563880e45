"""./pacs finds out whether there is an engine, and starts it over what a killed one has left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from unit.scripts.shell import bash, command

LOAD = '. "$ROOT/scripts/install-docker.sh"; '


@pytest.mark.skipif(
    shutil.which("dockerd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is not None, reason="there is an engine here"
)
def test_a_client_without_an_engine_gets_one_installed_once(tmp_path: Path) -> None:
    # It answers as soon as there is a daemon beside it.
    command(tmp_path, "docker", '[[ $1 == compose || -e "$0d" ]]')
    install = f"install_engine() {{ echo installed; touch {tmp_path}/dockerd; chmod +x {tmp_path}/dockerd; }}"
    line = f"{LOAD} {install}; start_engine() {{ echo started; }}; ensure_docker"

    first, second = bash(line, {}, tmp_path), bash(line, {}, tmp_path)
    assert (first.stdout.split(), second.stdout.split()) == (["installed"], []), first.stderr


def test_an_installed_engine_that_does_not_answer_is_started_and_not_installed_again(tmp_path: Path) -> None:
    command(tmp_path, "docker", f"[[ $1 == compose || -e {tmp_path}/started ]]")
    command(tmp_path, "dockerd", "true")
    line = (
        f"{LOAD} install_engine() {{ echo installed; }}; start_engine() {{ touch {tmp_path}/started; }}; ensure_docker"
    )

    done = bash(line, {}, tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (tmp_path / "started").exists()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "docker" / "containerd").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def zombie() -> Iterator[int]:
    """A process called dockerd that has ended and that nobody has waited for."""
    code = "import os, sys; open('/proc/self/comm', 'w').write('dockerd'); print('up', flush=True); sys.stdin.read()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout and child.stdin
    child.stdout.readline()
    child.stdin.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    yield child.pid
    child.wait()


def left(state: Path) -> list[str]:
    done = bash(f'{LOAD} as_root() {{ "$@"; }}; ENGINE_STATE={state}; remove_stale_pid_files', {})
    assert done.returncode == 0, done.stderr
    return sorted(path.name for path in state.rglob("*.pid"))


def test_pid_files_of_an_engine_that_is_gone_are_removed(state: Path, zombie: int) -> None:
    (state / "docker.pid").write_text(str(zombie))
    # The number has gone to another program.
    (state / "docker/containerd/containerd.pid").write_text(str(os.getpid()))
    assert left(state) == []

    (state / "docker.pid").write_text("")
    assert left(state) == []
    assert left(state) == [], "and where there is none, nothing happens"


def test_the_pid_file_of_a_living_engine_is_kept(state: Path) -> None:
    code = "import sys; open('/proc/self/comm', 'w').write('dockerd'); print('up', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as daemon:
        assert daemon.stdout
        daemon.stdout.readline()
        (state / "docker.pid").write_text(str(daemon.pid))
        kept = left(state)
        daemon.communicate()
    assert kept == ["docker.pid"]


def test_what_a_killed_engine_left_is_cleared_when_the_new_one_does_not_start(state: Path) -> None:
    (state / "docker/containerd/daemon").mkdir()
    line = f"""{LOAD} ENGINE_STATE={state} ENGINE_START_S=0
        as_root() {{ case $1 in rm) "$@" ;; sh) echo started ;; esac }}
        find_docker() {{ [[ ! -e {state}/docker/containerd ]]; }}
        runs() {{ return 1; }}
        wait_for_engine() {{ find_docker; }}
        start_engine && echo up"""
    done = bash(line, {})

    assert done.stdout.split()[-3:] == ["started", "started", "up"], done.stdout + done.stderr


def test_nothing_is_cleared_while_a_container_runs_on_without_its_engine(state: Path) -> None:
    line = f"""{LOAD} ENGINE_STATE={state}
        as_root() {{ [[ $1 == sh ]]; }}
        runs() {{ [[ $1 == containerd-shim ]]; }}
        wait_for_engine() {{ return 1; }}
        start_engine"""
    done = bash(line, {})

    assert done.returncode == 1
    assert "Docker does not start" in done.stderr
    assert (state / "docker/containerd").exists()
