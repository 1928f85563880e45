"""Where ./pacs takes its settings from, and the package mirrors of the machine."""

import base64
import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from unit.scripts.shell import ROOT, bash, command


def test_a_setting_comes_from_the_environment_then_from_env_then_from_the_default(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("# PACS_HTTP_PORT=1\nPACS_HTTP_PORT=8043\nPACS_DICOM_AET='MY PACS'\n")
    base = {"PACS_ENV_FILE": str(env_file)}

    assert bash("setting PACS_HTTP_PORT 8042", base).stdout == "8043"
    assert bash("setting PACS_HTTP_PORT 8042", {**base, "PACS_HTTP_PORT": "8044"}).stdout == "8044"
    assert bash("setting PACS_DICOM_AET ORTHANC", base).stdout == "MY PACS"
    assert bash("setting PACS_API_PORT 8000", base).stdout == "8000"
    assert bash("setting PACS_API_PORT 8000", {"PACS_ENV_FILE": str(tmp_path / "none")}).stdout == "8000"


def test_debian_mirrors_are_those_of_apt_without_the_security_site(tmp_path: Path) -> None:
    listed = tmp_path / "mirrors.list"
    listed.write_text("https://cloud.example/debian/\tpriority:1\n")
    sites = ["http://one.example/debian", "http://one.example/debian-security", f"mirror+file:{listed}", "file:/srv"]
    command(tmp_path, "apt-get", f"printf '%s\\n' {' '.join(sites)}")

    found = bash("apt_sites", {"PACS_ENV_FILE": "/dev/null"}, tmp_path).stdout.split()

    assert sorted(found) == ["http://one.example/debian", "https://cloud.example/debian"]


def test_a_mirror_of_the_operators_choice_goes_before_those_of_apt(tmp_path: Path) -> None:
    command(tmp_path, "apt-get", "echo http://one.example/debian")
    chosen = {"PACS_ENV_FILE": "/dev/null", "PACS_DEBIAN_MIRROR": "http://chosen.example/debian/"}

    assert bash("apt_sites", chosen, tmp_path).stdout.split() == ["http://chosen.example/debian"]


@pytest.mark.parametrize(
    ("configured", "kept"),
    [
        ("global.index-url='https://pip.example/simple'", "https://pip.example/simple"),
        (":env:.index-url='http://pip.example/simple'", "http://pip.example/simple"),
        ("global.index-url='file:///opt/simple'", ""),
        ("global.find-links='/opt/wheels'", ""),
    ],
)
def test_only_pip_addresses_that_a_build_can_reach_are_passed_on(tmp_path: Path, configured: str, kept: str) -> None:
    command(tmp_path, "pip3", f'echo "{configured}"')

    assert bash("pip_setting index-url", {}, tmp_path).stdout == kept


def test_passwords_are_long_random_and_safe_everywhere() -> None:
    line = '. "$ROOT/scripts/up.sh"; random_password; echo; random_password'
    first, second = bash(line, {}).stdout.split()

    assert first != second
    assert re.fullmatch(r"[A-Za-z0-9]{24}", first)


def test_an_existing_env_is_kept_and_completed_by_new_secrets_only(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    kept = "PACS_ADMIN_PASSWORD=mine\nPACS_VIEWER_PASSWORD=\nPACS_POSTGRES_PASSWORD=its\n"
    env_file.write_text(kept)

    done = bash('. "$ROOT/scripts/up.sh"; write_env_file', {"PACS_ENV_FILE": str(env_file)})

    assert done.returncode == 0, done.stderr
    added = dict(line.split("=", 1) for line in env_file.read_text().removeprefix(kept).splitlines())
    assert {"PACS_PROMETHEUS_PASSWORD", "PACS_DCM4CHEE_PASSWORD", "PACS_XNAT_FORWARDER_PASSWORD"} <= set(added)
    keys = {"PACS_DEIDENTIFICATION_SECRET", "PACS_CROSSWALK_KEY"}
    assert all(re.fullmatch(r"\w{24}", added[name]) for name in set(added) - keys), added
    assert all(len(base64.urlsafe_b64decode(added[name])) == 32 for name in keys), added


def new_env(env_file: Path, **given: str) -> subprocess.CompletedProcess[str]:
    line = '. "$ROOT/scripts/up.sh"; base_is_stand_in() { true; }; write_env_file; setting PACS_ADMIN_PASSWORD'
    return bash(line, {"PACS_ENV_FILE": str(env_file), **given})


def test_what_the_environment_gives_is_written_into_a_new_env(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    given = {
        "PACS_ADMIN_PASSWORD": 'my $HOME # "secret"',
        "PACS_HTTP_PORT": "8043",
        "COMPOSE_PROJECT_NAME": "second",
        "PACS_PIP_INDEX_URL": "http://pip.example/simple",
        "PACS_DCM4CHEE_URL": "http://archive.example",
    }
    done = new_env(env_file, **given)
    assert done.returncode == 0, done.stderr

    lines = dict(line.split("=", 1) for line in env_file.read_text().splitlines() if "=" in line and line[0] != "#")
    assert lines["PACS_ADMIN_PASSWORD"] == "'my $HOME # \"secret\"'"
    assert (lines["PACS_HTTP_PORT"], lines["COMPOSE_PROJECT_NAME"]) == ("8043", "second")
    assert lines["PACS_PIP_INDEX_URL"] == "http://pip.example/simple"
    assert lines["PACS_DCM4CHEE_URL"] == "http://archive.example"
    assert lines["PACS_DICOM_PORT"] == "4242", "what nobody gave is as in the example"
    assert re.fullmatch(r"\w{24}", lines["PACS_VIEWER_PASSWORD"])
    assert env_file.stat().st_mode & 0o777 == 0o600
    # The next command needs no environment.
    later = bash("setting PACS_ADMIN_PASSWORD; echo; project_name", {"PACS_ENV_FILE": str(env_file)})
    assert later.stdout.split("\n") == [given["PACS_ADMIN_PASSWORD"], "second"]


def test_a_value_that_no_env_file_can_hold_is_refused_and_none_is_written(tmp_path: Path) -> None:
    done = new_env(tmp_path / ".env", PACS_ADMIN_PASSWORD="it's mine")

    assert done.returncode == 1
    assert "PACS_ADMIN_PASSWORD must hold no single quote" in done.stderr
    assert not (tmp_path / ".env").exists()


STATES = r"""
docker_states() { printf 'orthanc healthy\n'; }
api_states() { echo x >> "$LOG"; sed -n "$(wc -l < "$LOG")p" <<< "$SAID" | tr '|' '\t'; }
"""


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("orthanc|up|\n", 1),
        ("orthanc|degraded|not probed yet\n\nohif|down|refused\nohif|up|\n", 4),
        ("xnat|not_configured|not configured\n", 1),
    ],
    ids=["all up", "a service that comes up in the fourth look", "one that is not there"],
)
def test_the_table_of_up_waits_for_the_first_probes(tmp_path: Path, said: str, asked: int) -> None:
    log = tmp_path / "log"
    given = {"LOG": str(log), "SAID": said, "PACS_PROBE_PAUSE_S": "0.01"}
    done = bash(f'. "$ROOT/scripts/status.sh"; {STATES} wait_for_probes', given)

    assert done.returncode == 0, done.stderr
    assert len(log.read_text().splitlines()) == asked


def test_the_table_of_up_does_not_wait_for_a_peer_that_stays_down(tmp_path: Path) -> None:
    given = {"LOG": str(tmp_path / "log"), "SAID": "", "PACS_PROBE_PAUSE_S": "0"}
    # Bash's clock runs fast here.
    line = f'. "$ROOT/scripts/status.sh"; {STATES} sleep() {{ SECONDS=$((SECONDS + 5)); }}; wait_for_probes; echo over'
    assert bash(line, given).stdout.strip() == "over"


def test_a_listening_port_is_seen_without_any_tool_of_the_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        line = f'. "$ROOT/scripts/up.sh"; port_is_taken {port} && echo taken || echo free'
        assert bash(line, {}).stdout.strip() == "taken"
    assert bash(line, {}).stdout.strip() == "free"


def test_an_unexpected_failure_is_named_instead_of_a_bare_exit_code() -> None:
    done = bash("step() { ls /nowhere; }; step; echo not reached", {})

    assert done.returncode != 0
    assert "not reached" not in done.stdout
    assert "'ls /nowhere' failed" in done.stderr


def test_no_script_names_a_mirror_or_registry() -> None:
    suffixes = {"", ".sh", ".py", ".json", ".in", ".lock", ".conf"}
    folders = [ROOT / name for name in ("scripts", "config", "orthanc-plugins")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix in suffixes]
    text = "".join(path.read_text(errors="replace") for path in files if ".ruff_cache" not in path.parts)
    for host in ("deb.debian" + ".org", "pypi" + ".org", "pythonhosted" + ".org", "registry.npmjs" + ".org"):
        assert host not in text


def test_without_env_no_data_is_deleted_by_a_guess_at_the_stack(tmp_path: Path) -> None:
    command(tmp_path, "docker", f'echo "$*" >> {tmp_path}/asked')
    command(tmp_path, "sudo", "false")
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PACS_ENV_FILE": str(tmp_path / "none")}

    def down(**more: str) -> subprocess.CompletedProcess[str]:
        line = [str(ROOT / "pacs"), "down", "--volumes", "--yes"]
        return subprocess.run(line, env=environment | more, capture_output=True, text=True, timeout=60)

    refused = down()
    assert refused.returncode == 1
    assert "COMPOSE_PROJECT_NAME=pacs ./pacs down --volumes" in refused.stderr
    assert "down" not in (tmp_path / "asked").read_text()

    assert down(COMPOSE_PROJECT_NAME="mine").returncode == 0
    assert "--project-name mine down --remove-orphans --volumes" in (tmp_path / "asked").read_text()
