"""What ./pacs installs on a bare machine, what it refuses, and where base images come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from unit.scripts.shell import bash, command

INSTALL = '. "$ROOT/scripts/install-docker.sh"; . "$ROOT/scripts/base-images.sh"; as_root() { "$@"; }; '


def machine(folder: Path, name: str = "debian", packages: str = "", candidates: str = "") -> str:
    """A machine of this distribution: what apt knows, and a log of what it installs."""
    known = "|".join(packages.split()) or "none"
    command(folder, "apt-get", f'echo "$*" >> {folder}/installed')
    command(
        folder,
        "apt-cache",
        f"""
        if [[ $1 == show ]]; then [[ $2 =~ ^({known})$ ]]; exit; fi
        for pair in {candidates}; do [[ ${{pair%=*}} == "$2" ]] && echo "  Candidate: ${{pair#*=}}"; done; true
    """,
    )
    return f"{INSTALL} distribution() {{ echo {name}; }}; "


def installed(folder: Path) -> list[str]:
    lines = (folder / "installed").read_text().splitlines()
    return [word for line in lines if "install" in line for word in line.split() if not word.startswith("-")][1:]


@pytest.mark.parametrize(
    ("packages", "expected"),
    [("", ["docker.io", "iptables"]), ("docker-cli", ["docker.io", "iptables", "docker-cli"])],
    ids=["one package", "the client apart"],
)
def test_the_engine_comes_from_the_distribution(tmp_path: Path, packages: str, expected: list[str]) -> None:
    done = bash(machine(tmp_path, packages=packages) + "install_engine", {}, tmp_path)

    assert done.returncode == 0, done.stderr
    assert installed(tmp_path) == expected


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        ("docker-compose=2.26.1-4", ["docker-compose", "docker-buildx"]),
        ("docker-compose=1.29.2-3 docker-compose-v2=2.24.6", ["docker-compose-v2", "docker-buildx"]),
        ("docker-compose-plugin=5:2.30.0-1", ["docker-compose-plugin", "docker-buildx-plugin"]),
    ],
    ids=["Debian 13", "Ubuntu", "Docker's own packages"],
)
def test_compose_v2_goes_by_many_names(tmp_path: Path, candidates: str, expected: list[str]) -> None:
    done = bash(machine(tmp_path, candidates=f"'{candidates}'".replace(" ", "' '")) + "install_compose", {}, tmp_path)

    assert done.returncode == 0, done.stderr
    assert installed(tmp_path) == expected


def test_debian_12_takes_compose_v2_from_the_next_release(tmp_path: Path) -> None:
    line = machine(tmp_path, candidates="'docker-compose=1.29.2-3'")
    done = bash(line + "install_compose_from() { echo from $1; }; install_compose", {}, tmp_path)

    assert done.stdout.splitlines()[-1] == "from trixie"


@pytest.mark.parametrize("step", ["install_engine", "install_compose"])
def test_elsewhere_it_says_what_to_install_and_stops(tmp_path: Path, step: str) -> None:
    done = bash(machine(tmp_path, name="fedora") + step, {}, tmp_path)

    assert done.returncode == 1
    assert "only Debian and Ubuntu are set up by this script" in done.stderr
    assert "install Docker Engine 20.10 or newer with Compose v2" in done.stderr
    assert not (tmp_path / "installed").exists()


def images(folder: Path, present: str = "none", registry: bool = False) -> str:
    pull = 'echo "Pulling from x"' if registry else "exit 1"
    command(
        folder,
        "docker",
        f"""
        case "$1 $2" in
            "image inspect") [[ $3 =~ ^({present})$ ]] ;;
            "pull "*) echo "pull $2" >> {folder}/did; {pull} ;;
            "build --tag") echo "build $3" >> {folder}/did ;;
        esac
    """,
    )
    builder = f"build_debian() {{ echo debootstrap $1 >> {folder}/did; }}; "
    return f"{INSTALL} {builder} ensure_base_images"


def did(folder: Path) -> list[str]:
    return (folder / "did").read_text().splitlines() if (folder / "did").exists() else []


def test_where_no_registry_answers_stand_ins_are_built_and_it_is_asked_once(tmp_path: Path) -> None:
    done = bash(images(tmp_path), {}, tmp_path)

    assert done.returncode == 0, done.stderr
    stand_ins = ["debootstrap debian:forky-slim", "build postgres:18", "build nginx:1.30"]
    assert did(tmp_path)[:4] == ["pull debian:forky-slim", *stand_ins]
    assert len([line for line in did(tmp_path) if line.startswith("pull")]) == 1


def test_where_a_registry_answers_images_are_pulled(tmp_path: Path) -> None:
    done = bash(images(tmp_path, registry=True), {}, tmp_path)

    assert done.returncode == 0, done.stderr
    assert {"pull debian:forky-slim", "pull postgres:18", "pull nginx:1.30"} <= set(did(tmp_path))
    assert all(line.startswith("pull") for line in did(tmp_path))


def test_images_that_are_there_are_kept(tmp_path: Path) -> None:
    done = bash(images(tmp_path, present=".*"), {}, tmp_path)

    assert (done.returncode, did(tmp_path)) == (0, []), done.stderr
