"""How the container turns its environment into Orthanc's configuration, and what it refuses."""

import json
import socket
from pathlib import Path

import pytest

import entrypoint
from entrypoint import ConfigurationError, generated_sections

ADMIN = {"PACS_ADMIN_PASSWORD": "secret"}
POSTGRES = ADMIN | {"PACS_POSTGRES_HOST": "db", "PACS_POSTGRES_PASSWORD": "p"}


def test_accounts_exist_only_with_a_password() -> None:
    assert generated_sections(ADMIN)["RegisteredUsers"] == {"admin": "secret"}
    everyone = ADMIN | {"PACS_VIEWER_PASSWORD": "v", "PACS_PROMETHEUS_PASSWORD": "m"}
    assert generated_sections(everyone)["RegisteredUsers"] == {"admin": "secret", "viewer": "v", "prometheus": "m"}


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "admin"
    file.write_text("from file\n")

    assert generated_sections({"PACS_ADMIN_PASSWORD_FILE": str(file)})["RegisteredUsers"] == {"admin": "from file"}


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "PACS_ADMIN_PASSWORD is not set"),
        ({"PACS_ADMIN_PASSWORD": "a${HOME}"}, "must not hold"),
        ({"PACS_ADMIN_PASSWORD": "a", "PACS_ADMIN_PASSWORD_FILE": "/x"}, "both set"),
        ({"PACS_ADMIN_PASSWORD_FILE": "/nowhere"}, "cannot be read"),
        (ADMIN | {"PACS_DICOM_STRICT": "maybe"}, "PACS_DICOM_STRICT is 'maybe': it must be true or false"),
        (ADMIN | {"PACS_DICOM_AET": "A TITLE THAT IS TOO LONG"}, "at most 16"),
        (ADMIN | {"PACS_DICOM_AET": "A\\B"}, "no backslash"),
        (ADMIN | {"PACS_POSTGRES_HOST": "db"}, "PACS_POSTGRES_PASSWORD"),
        (POSTGRES | {"PACS_POSTGRES_PORT": "70000"}, "1 to 65535"),
    ],
)
def test_what_cannot_work_is_refused_with_the_remedy(environment: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message.replace("$", r"\$")):
        generated_sections(environment)


def test_strict_dicom_admits_registered_modalities_alone() -> None:
    open_sections = generated_sections(ADMIN)
    strict_sections = generated_sections(ADMIN | {"PACS_DICOM_STRICT": "TRUE"})

    assert open_sections["DicomAlwaysAllowEcho"] is open_sections["DicomAlwaysAllowStore"] is True
    assert strict_sections["DicomAlwaysAllowEcho"] is strict_sections["DicomAlwaysAllowStore"] is False


def test_postgresql_holds_the_index_but_not_the_files_and_may_be_shared() -> None:
    assert "PostgreSQL" not in generated_sections(ADMIN)
    section = generated_sections(POSTGRES)["PostgreSQL"]
    assert isinstance(section, dict)
    assert section["EnableIndex"] is True
    assert section["EnableStorage"] is False
    assert section["Lock"] is False
    assert (section["Host"], section["Port"], section["Password"]) == ("db", 5432, "p")


def test_the_plugin_script_runs_with_threads_allowed() -> None:
    section = generated_sections(ADMIN)["Python"]
    assert isinstance(section, dict)
    assert section["AllowThreads"] is True


def test_secrets_are_written_for_their_owner_alone(tmp_path: Path) -> None:
    source, target = tmp_path / "etc", tmp_path / "run"
    source.mkdir()
    (source / "orthanc.json").write_text("// comments are kept\n{}")

    entrypoint.write_configuration({"Name": "x"}, source, target)
    entrypoint.write_configuration({"Name": "y"}, source, target)

    assert target.stat().st_mode & 0o777 == 0o700
    generated = target / "generated-at-start.json"
    assert generated.stat().st_mode & 0o777 == 0o600
    assert json.loads(generated.read_text()) == {"Name": "y"}
    assert (target / "orthanc.json").read_text() == "// comments are kept\n{}"


def test_an_empty_configuration_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="mount the project's config/orthanc"):
        entrypoint.write_configuration({}, tmp_path / "none", tmp_path / "run")


def test_each_key_stands_in_one_file_of_the_configuration() -> None:
    folder = Path(entrypoint.__file__).parents[1] / "config/orthanc"
    owners: dict[str, str] = {}
    for file in sorted(folder.glob("*.json")):
        lines = (line.split("//")[0] for line in file.read_text().splitlines())
        depth = 0
        for line in lines:
            if depth == 1 and '"' in line:
                key = line.split('"')[1]
                assert key not in owners, f"{key} stands in {owners.get(key)} and {file.name}"
                owners[key] = file.name
            depth += line.replace("${", "").count("{") + line.count("[") - line.count("]")
            depth -= line.count("}") - line.count("${")
    generated = set(generated_sections(POSTGRES))
    assert len(owners) > 30
    assert not generated & set(owners)


def test_an_unreachable_postgresql_ends_the_start_with_a_clear_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        entrypoint.wait_for_postgres("127.0.0.1", port, seconds=0)
    with pytest.raises(ConfigurationError, match="does not answer"):
        entrypoint.wait_for_postgres("127.0.0.1", port, seconds=0)


def test_old_temporary_files_are_removed_and_new_ones_kept(tmp_path: Path) -> None:
    import os
    import time

    directory = tmp_path / "tmp"
    entrypoint.prepare_temporary_files(directory)
    old, new = directory / "old", directory / "new"
    old.touch()
    new.touch()
    day_before = time.time() - 2 * 24 * 3600
    os.utime(old, (day_before, day_before))

    entrypoint.prepare_temporary_files(directory)

    assert [file.name for file in directory.iterdir()] == ["new"]


def test_orthanc_sends_small_answers_at_once_unless_the_operator_says_otherwise() -> None:
    assert entrypoint.orthanc_environment({"PATH": "/bin"}) == {"PATH": "/bin", "TCP_NODELAY": "1"}
    assert entrypoint.orthanc_environment({"TCP_NODELAY": "0"}) == {"TCP_NODELAY": "0"}
