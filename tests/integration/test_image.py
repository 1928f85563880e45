"""What is in the image, and what is not: nothing to build with, nothing of Debian's samples, nobody with rights."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import pytest
from testcontainers.core.container import DockerContainer

from integration.containers import labels

Run = Callable[[str], str]
PYTHON = "/opt/pacs/venv/bin/python"


@pytest.fixture(scope="module")
def run() -> Run:
    """Run a line of shell in the image, and return what it prints."""
    client = DockerContainer(os.environ["PACS_TEST_IMAGE"]).get_docker_client().client

    def once(line: str) -> str:
        # Not followed while it runs: Docker 20.10 now and then shows nothing of a container that ends at once.
        container = client.containers.run(
            os.environ["PACS_TEST_IMAGE"],
            ["-c", line],
            entrypoint="sh",
            labels=labels(),
            read_only=True,
            network_disabled=True,
            detach=True,
        )
        try:
            code = container.wait(timeout=120)["StatusCode"]
            output: bytes = container.logs()
        finally:
            container.remove(v=True, force=True)
        assert code == 0, output
        return output.decode()

    return once


def test_orthanc_is_new_enough_and_has_its_plugins(run: Run) -> None:
    version = re.match(r"(\d+)\.(\d+)", run("dpkg-query -W -f '${Version}' orthanc"))
    assert version and (int(version[1]), int(version[2])) >= (1, 13)
    plugins = run("ls /usr/share/orthanc/plugins")
    for name in ("OrthancPython", "OrthancDicomWeb", "OrthancPostgreSQLIndex"):
        assert f"lib{name}.so" in plugins
    assert "gdcm" not in plugins.lower(), "any transcoding request would kill the server"


def test_it_runs_as_a_user_without_rights_who_cannot_change_the_code(run: Run) -> None:
    assert run("id -u").strip() == "10042"
    assert run("find /opt/pacs /etc/pacs -writable -not -type l | head -3") == ""


def test_nothing_to_build_or_install_with_is_left(run: Run) -> None:
    tools = "gcc g++ cc make pip pip3 apt-key"
    assert run(f"for tool in {tools}; do command -v $tool; done; ls /opt/pacs/venv/bin | grep -i pip; true") == ""


def test_of_debians_sample_configuration_nothing_is_there(run: Run) -> None:
    assert run("ls -A /etc/orthanc 2>/dev/null; true") == ""


def test_what_the_product_never_runs_was_taken_out_and_nothing_else(run: Run) -> None:
    site = "/opt/pacs/venv/lib/python3.*/site-packages"
    assert run(f"find {site} -type d -name tests | head -3; find {site} -name '*.pyx' | head -3") == ""
    # rt-utils asks for a backport that shadows the standard library.
    assert run(f"ls {site} | grep -x -E 'dataclasses(.py)?|tests'; true") == ""
    names = "cv2 fast_simplification highdicom nibabel rt_utils rtstruct_decimals scipy.ndimage skimage.measure trimesh"
    assert run(f"{PYTHON} -I -c 'import {', '.join(names.split())}; print(1)'").strip() == "1"
    requirements = run(f"{PYTHON} -I -c 'from importlib.metadata import distributions as d; print(len(list(d())))'")
    assert int(requirements) > 40
