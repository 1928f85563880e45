"""What docker-compose.yml promises of every service that stays."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

import pytest

from unit.scripts.shell import ROOT

if shutil.which("docker") is None:
    pytest.skip("Docker's client reads the file", allow_module_level=True)


def services() -> dict[str, dict[str, Any]]:
    """All profiles' services as Compose reads them. It asks no engine for that."""
    options = ["--profile", "*", "config", "--no-interpolate", "--format", "json"]
    done = subprocess.run(["docker", "compose", *options], cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)["services"]
    return found


SERVICES = services()
#: Services that stay; set-up jobs end.
STAYING = {name: service for name, service in SERVICES.items() if service.get("restart", "no") != "no"}
DATABASES = {name for name, service in SERVICES.items() if re.search("postgres:|mysql", service.get("image", ""))}


@pytest.mark.parametrize("name", sorted(STAYING))
def test_each_service_has_bounds_and_a_restart_policy(name: str) -> None:
    service = STAYING[name]

    assert "PACS_RESTART:-unless-stopped" in service["restart"]
    assert service["mem_limit"]
    assert service["logging"]["options"]["max-size"]
    assert "no-new-privileges:true" in service["security_opt"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_each_image_has_a_version_of_its_own(name: str) -> None:
    image = SERVICES[name].get("image", "")

    assert re.search(r":[\w.-]+$", re.sub(r"\$\{.*?\}", "x", image)), image
    assert not image.endswith(":latest")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_who_needs_another_waits_until_it_is_healthy(name: str) -> None:
    needed = SERVICES[name].get("depends_on", {})

    assert not isinstance(needed, list), "a bare list waits for the start alone"
    for other, how in needed.items():
        assert how["condition"] in {"service_healthy", "service_completed_successfully"}, other


def test_databases_are_not_published() -> None:
    assert "postgres" in DATABASES
    for name in DATABASES:
        assert "ports" not in SERVICES[name], name


def test_what_must_last_is_in_named_volumes() -> None:
    for name, path in {"postgres": "/var/lib/postgresql", "orthanc": "/var/lib/orthanc/db"}.items():
        assert [v for v in SERVICES[name]["volumes"] if v["target"] == path and v["type"] == "volume" and v["source"]]


def test_the_core_services_have_a_health_check() -> None:
    dockerfile = (ROOT / "orthanc-plugins/Dockerfile").read_text()
    assert "HEALTHCHECK" in dockerfile, "Orthanc's is in its image"
    for name in ("postgres", "door"):
        assert SERVICES[name]["healthcheck"]["test"]
