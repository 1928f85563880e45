"""What ./pacs test chooses to run, and which leftovers of earlier runs it removes: never those of a living one."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from unit.scripts.shell import bash, command

LOAD = '. "$ROOT/scripts/test.sh"; '
ALIVE, DEAD, STACK, OLDER = "0a0a0a0a", "0d0d0d0d", "0e0e0e0e", "0f0f0f0f"


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("", ""),
        ("unit", "tests/unit"),
        ("unit -k geometry", "tests/unit -k geometry"),
        ("e2e tests/e2e/test_doors.py", "tests/e2e/test_doors.py"),
        ("e2e -x tests/e2e/test_doors.py::test_viewer_reads", "-x tests/e2e/test_doors.py::test_viewer_reads"),
        ("tests/unit/scripts", "tests/unit/scripts"),
        ("integration -k scripts", "tests/integration -k scripts"),
    ],
)
def test_a_suite_is_run_whole_and_a_named_file_alone(asked: str, given: str) -> None:
    done = bash(f'{LOAD} arguments=(); select_tests {asked}; printf "%s" "${{arguments[*]}}"', {})

    assert done.stdout == given, done.stderr


@pytest.mark.parametrize(
    ("asked", "stack"),
    [
        ("", True),
        ("-k doors", True),
        ("unit", False),
        ("integration", False),
        ("e2e", True),
        ("tests/unit/scripts", False),
        ("tests/unit/scripts tests/e2e/test_doors.py", True),
    ],
)
def test_the_stack_is_built_when_e2e_tests_will_run(asked: str, stack: bool) -> None:
    line = f'arguments=(); select_tests {asked}; includes_e2e "${{arguments[@]}}" && echo yes || echo no'

    assert bash(f"{LOAD} {line}", {}).stdout.strip() == ("yes" if stack else "no")


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """A folder with a stand-in for Docker that knows of four runs, and writes down what it was told to remove."""
    folder = tmp_path / "bin"
    folder.mkdir()
    command(
        folder,
        "docker",
        f"""
        case "$1 $*" in
            "ps "*org.pacs.test={DEAD}*) echo container-of-dead ;;
            "ps "*org.pacs.test={ALIVE}*) echo container-of-alive ;;
            "ps "*name=*{OLDER}-runner*) echo runner-of-older ;;
            "ps "*filter*) ;;
            "ps "*.Image*) printf '%s\\n' 'user-2 pacs-orthanc:dev' 'lone-1 pacs-orthanc:test-{DEAD}' ;;
            "ps "*.ID*) printf '%s\\n' 'user-1 pacs' 'e2e-1 pacs-test-{STACK}-e2e' 'alive-1 pacs-test-{ALIVE}-e2e' ;;
            "ps "*) printf '%s\\n' '{DEAD} ' '{ALIVE} ' '{OLDER} ' ' pacs' ' pacs-test-{STACK}-e2e' ;;
            "volume "*.Name*) printf '%s\\n' 'pacs_orthanc-data pacs' 'data-of-stack pacs-test-{STACK}-e2e' ;;
            "image "*ls*) printf '%s\\n' pacs-orthanc:dev pacs-tests:{DEAD} pacs-test-{STACK}-e2e-orthanc:dev ;;
            "rm "* | *" rm "*) echo "$*" >> {tmp_path}/removed ;;
        esac
        """,
    )
    return folder


def make_folder(place: Path, identifier: str) -> Path:
    folder = place / f"pacs-test-{identifier}"
    folder.mkdir()
    (folder / "lock").touch()
    return folder


def test_leftovers_of_dead_runs_are_removed_and_a_living_run_and_a_users_stack_are_not(
    engine: Path, tmp_path: Path
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    dead, alive = make_folder(place, DEAD), make_folder(place, ALIVE)
    with (alive / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = bash(f"{LOAD} TESTS_PLACE={place}; remove_leftovers", {}, engine)

    assert done.returncode == 0, done.stderr
    removed = (tmp_path / "removed").read_text()
    assert f"pacs-tests:{DEAD}" in removed
    assert "container-of-dead" in removed
    for name in ("lone-1", "e2e-1", "data-of-stack", f"pacs-test-{STACK}-e2e-orthanc:dev"):
        assert name in removed
    for name in ("alive", ALIVE, OLDER, "user-1", "user-2", "pacs_orthanc-data", "pacs-orthanc:dev"):
        assert name not in removed
    assert alive.exists()
    assert not dead.exists()


def test_a_run_is_alive_as_long_as_its_script_whatever_its_children_do(engine: Path, tmp_path: Path) -> None:
    # A client that outlives the script, as `docker logs --follow` does after a kill -9.
    command(engine, "docker", f"echo $$ > {tmp_path}/client; exec sleep 60")
    line = f"""{LOAD} TESTS_PLACE={tmp_path} TEST_NAME=pacs-test-{ALIVE}; make_folder
        run_is_alive {ALIVE} && echo alive
        run_docker logs 9>&- > /dev/null 2>&1 &
        until [[ -s {tmp_path}/client ]]; do sleep 0.05; done"""
    assert bash(line, {}, engine).stdout.strip() == "alive"

    ended = bash(f"{LOAD} TESTS_PLACE={tmp_path}; run_is_alive {ALIVE} || echo over; kill $(cat {tmp_path}/client)", {})
    assert ended.stdout.strip() == "over", ended.stderr
