"""Where ./pacs takes its settings from, and the package mirrors of the machine."""

import re
import socket
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


def test_an_existing_env_is_kept_and_completed_by_new_passwords_only(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    kept = "PACS_ADMIN_PASSWORD=mine\nPACS_VIEWER_PASSWORD=\nPACS_POSTGRES_PASSWORD=its\n"
    env_file.write_text(kept)

    done = bash('. "$ROOT/scripts/up.sh"; write_env_file', {"PACS_ENV_FILE": str(env_file)})

    assert done.returncode == 0, done.stderr
    added = env_file.read_text().removeprefix(kept)
    assert re.fullmatch(r"PACS_PROMETHEUS_PASSWORD=\w{24}\n", added)


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
