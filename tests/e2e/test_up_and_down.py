"""./pacs as a new user meets it: up from nothing, up again, down, status, logs, and what it says when it cannot."""

import json
import re
import shutil
import socket
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid

from e2e.stack import ANSI_COLOUR, Stack, docker


def test_first_up_prints_a_table_of_services_with_their_addresses(first_up: tuple[Stack, str, float]) -> None:
    stack, output, _ = first_up

    assert re.search(r"^SERVICE +URL +STATE +SIGN IN", output, re.MULTILINE)
    for service, address in {
        "orthanc": f"http://127.0.0.1:{stack.http_port}",
        "dicom": f"127.0.0.1:{stack.dicom_port}",
        "door": f"http://127.0.0.1:{stack.api_port}/api/docs",
        "dashboard": f"http://127.0.0.1:{stack.dashboard_port}",
        "ohif": f"http://127.0.0.1:{stack.ohif_port}",
        "postgres": "not published",
    }.items():
        assert re.search(rf"^{service} +{re.escape(address)}.* (up|healthy) +", output, re.MULTILINE), output
    assert "PACS_POSTGRES_PASSWORD in .env" in output
    assert not ANSI_COLOUR.search(output), "colours only on a terminal"


def test_first_up_writes_env_with_random_passwords_for_its_owner_alone(stack: Stack) -> None:
    assert (stack.folder / ".env").stat().st_mode & 0o777 == 0o600
    passwords = {name: value for name, value in stack.settings().items() if name.endswith("PASSWORD")}
    assert set(passwords) == {
        "PACS_ADMIN_PASSWORD",
        "PACS_VIEWER_PASSWORD",
        "PACS_PROMETHEUS_PASSWORD",
        "PACS_POSTGRES_PASSWORD",
        "PACS_GRAFANA_DATABASE_PASSWORD",
        "PACS_EXPORTER_DATABASE_PASSWORD",
        "PACS_GRAFANA_PASSWORD",
        "PACS_DCM4CHEE_PASSWORD",
        "PACS_DCM4CHEE_MYSQL_PASSWORD",
        "PACS_DCM4CHEE_LDAP_PASSWORD",
        "PACS_XNAT_PASSWORD",
        "PACS_XNAT_POSTGRES_PASSWORD",
        "PACS_XNAT_FORWARDER_PASSWORD",
    }
    assert all(re.fullmatch(r"[A-Za-z0-9]{24}", password) for password in passwords.values())
    others = {name: value for name, value in stack.settings().items() if name.endswith(("SECRET", "KEY"))}
    assert set(others) == {"PACS_DEIDENTIFICATION_SECRET", "PACS_CROSSWALK_KEY"}
    assert all(len(secret) >= 32 for secret in others.values())
    assert len({*passwords.values(), *others.values()}) == len(passwords) + len(others)


def test_no_password_is_printed(first_up: tuple[Stack, str, float]) -> None:
    stack, output, _ = first_up
    logs = stack.pacs("logs").stdout

    for name, value in stack.settings().items():
        if name.endswith(("PASSWORD", "SECRET", "KEY")):
            assert value not in output
            assert value not in logs


def test_second_up_changes_nothing(stack: Stack) -> None:
    containers, settings = stack.containers(), (stack.folder / ".env").read_bytes()

    stack.pacs("up")

    assert stack.containers() == containers
    assert (stack.folder / ".env").read_bytes() == settings


def test_orthanc_runs_on_postgresql_which_is_not_published(stack: Stack) -> None:
    with stack.orthanc() as orthanc:
        assert "PostgreSQL" in orthanc.get("/system").json()["DatabaseBackendPlugin"]
    ports = docker("inspect", "--format", "{{json .HostConfig.PortBindings}}", stack.containers()["postgres"])
    assert ports.strip() in {"{}", "null"}


@pytest.mark.parametrize("service", ["postgres", "orthanc", "door", "dashboard", "ohif"])
def test_services_run_without_root_or_privileges_within_bounds(stack: Stack, service: str) -> None:
    container = stack.containers()[service]
    form = (
        "{{.Config.User}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} "
        '{{.HostConfig.Memory}} {{index .HostConfig.LogConfig.Config "max-size"}}'
    )
    user, drop, security, memory, log_size = docker("inspect", "--format", form, container).split()

    assert user not in {"", "0", "root", "0:0"}
    assert drop == "[ALL]"
    assert "no-new-privileges" in security
    assert int(memory) > 0
    assert log_size == "20m"


def test_down_and_up_keep_the_data(stack: Stack) -> None:
    # An instance of its own: the others may have come by C-STORE, which writes a file header of its own.
    dataset = dcmread(stack.folder / "tests/data/dicompyler/ct.0.dcm")
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    file = BytesIO()
    dataset.save_as(file)
    with stack.orthanc() as orthanc:
        stored = orthanc.post("/instances", content=file.getvalue())
        assert stored.json()["Status"] == "Success"
        before = orthanc.get("/statistics").json()

    stack.pacs("down")
    assert stack.containers() == {}
    nothing = stack.pacs("logs", check=False)
    assert nothing.returncode == 1
    assert "start with ./pacs up" in nothing.stdout
    stack.pacs("up")

    with stack.orthanc() as orthanc:
        assert orthanc.get(f"/instances/{stored.json()['ID']}/file").content == file.getvalue()
        assert orthanc.get("/statistics").json()["CountInstances"] == before["CountInstances"]


def test_status_shows_the_table_and_logs_show_one_service(stack: Stack, tmp_path: Path) -> None:
    assert re.search(r"^orthanc +http", stack.pacs("status").stdout, re.MULTILINE)
    logs = stack.pacs("logs", "orthanc").stdout
    assert "orthanc-1" in logs
    assert "postgres-1" not in logs
    assert "\x1b" not in logs
    unknown = stack.pacs("logs", "orthank", check=False)
    assert unknown.returncode == 1
    assert "There is no service 'orthank': choose among dashboard, door, ohif, orthanc, postgres." in unknown.stdout

    # From another folder, through a link.
    link = tmp_path / "pacs"
    link.symlink_to(stack.folder / "pacs")
    linked = Stack(tmp_path, stack.project, stack.http_port, stack.dicom_port, stack.api_port)
    assert re.search(r"^orthanc +http", linked.pacs("status").stdout, re.MULTILINE)


def test_a_port_in_use_is_named_with_its_setting(stack: Stack, test_id: str) -> None:
    other = Stack(stack.folder, f"pacs-test-{test_id}-other", dicom_port=stack.dicom_port)

    refused = other.pacs("up", check=False)

    assert refused.returncode == 1
    message = refused.stdout.strip().splitlines()[-1]
    assert f"Port {stack.dicom_port} is in use by the container {stack.project}-orthanc-1" in message
    assert "PACS_DICOM_PORT=" in message

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = other.pacs("up", check=False, PACS_DICOM_PORT=str(other.http_port), PACS_API_PORT=str(port))
    assert f"Port {port} is in use" in refused.stdout
    assert "PACS_API_PORT=" in refused.stdout


def test_a_full_disk_is_one_sentence_with_the_remedy(stack: Stack) -> None:
    refused = stack.pacs("up", check=False, PACS_MIN_FREE_MB="999999999")

    assert refused.returncode == 1
    assert re.search(r"Only \d+ MB are free at .* make room", refused.stdout)


def test_env_lost_beside_kept_data_is_said_before_a_new_one_locks_it_out(stack: Stack, tmp_path: Path) -> None:
    refused = stack.pacs("up", check=False, PACS_ENV_FILE=str(tmp_path / ".env"))

    assert refused.returncode == 1
    assert "data of an earlier installation" in refused.stdout
    assert not (tmp_path / ".env").exists()


def test_an_unknown_command_and_help(stack: Stack) -> None:
    assert "send DIR" in stack.pacs("help").stdout
    assert stack.pacs("help").stdout == stack.pacs().stdout
    unknown = stack.pacs("explode", check=False)
    assert unknown.returncode == 1
    assert "'explode' is not a command" in unknown.stdout


def test_deleting_the_data_needs_a_yes(stack: Stack) -> None:
    refused = stack.pacs("down", "--volumes", check=False)

    assert refused.returncode == 1
    assert "--yes" in refused.stdout
    assert set(stack.containers()) == {"postgres", "orthanc", "door", "dashboard", "ohif"}


def test_compose_alone_asks_for_the_passwords_of_the_example_and_then_accepts_it(stack: Stack, tmp_path: Path) -> None:
    example = tmp_path / ".env"
    shutil.copy(stack.folder / ".env.example", example)
    command = ["compose", "--project-directory", str(stack.folder), "--env-file", str(example), "config"]

    with pytest.raises(Exception) as refused:
        docker(*command)
    assert "choose a password" in getattr(refused.value, "stderr", "")

    example.write_text(re.sub(r"(?m)^(PACS_\w+_PASSWORD)=$", r"\1=chosen", example.read_text()))
    services = json.loads(docker(*command, "--format", "json"))["services"]
    assert services["orthanc"]["environment"]["PACS_ADMIN_PASSWORD"] == "chosen"
    # The tests' own stack has another policy.
    assert {services[name]["restart"] for name in ("postgres", "orthanc", "door")} == {"unless-stopped"}
