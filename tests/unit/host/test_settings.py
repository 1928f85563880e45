"""Settings come from the environment or from files, and a wrong one says what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from host.settings import SERVICE_NAMES, Settings, SettingsError


def test_without_any_variable_everything_has_a_default() -> None:
    settings = Settings.from_environment({})
    assert settings.postgres is None
    assert settings.database_url == "sqlite:////var/lib/orthanc/db/pacs.sqlite"
    assert [service.name for service in settings.services] == list(SERVICE_NAMES)
    assert all(service.url is None and service.modality is None for service in settings.services)


def test_each_variable_is_read() -> None:
    settings = Settings.from_environment(
        {
            "PACS_DATA_DIRECTORY": "/data",
            "PACS_NODE": "node-7",
            "PACS_PROBE_INTERVAL_S": "2.5",
            "PACS_PROBE_TIMEOUT_S": "0.5",
            "PACS_EXTRACTION_WORKERS": "3",
            "PACS_EXTRACTION_TIMEOUT_S": "60",
            "PACS_EXTRACTION_ATTEMPTS": "2",
            "PACS_UPLOAD_MAX_MB": "8",
            "PACS_UPLOAD_MAX_FILES": "9",
            "PACS_SYNONYMS": "/etc/synonyms.toml",
            "PACS_XNAT_URL": "http://xnat/health",
            "PACS_DCM4CHEE_MODALITY": "dcm4chee",
        }
    )
    assert (settings.data_directory, settings.node) == (Path("/data"), "node-7")
    assert (settings.probe_interval_s, settings.probe_timeout_s) == (2.5, 0.5)
    assert (settings.extraction_workers, settings.extraction_timeout_s, settings.extraction_attempts) == (3, 60, 2)
    assert (settings.upload_max_bytes, settings.upload_max_files) == (8 * 1024 * 1024, 9)
    assert settings.synonyms == Path("/etc/synonyms.toml")
    services = {service.name: service for service in settings.services}
    assert services["xnat"].url == "http://xnat/health"
    assert services["dcm4chee"].modality == "dcm4chee"


def test_the_host_name_names_the_node_when_nothing_else_does() -> None:
    assert Settings.from_environment({"HOSTNAME": "c0ffee"}).node == "c0ffee"


def test_a_secret_is_read_from_the_file_that_its_variable_names(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("s3crét/with:signs@\n", encoding="utf-8")
    environment = {"PACS_POSTGRES_HOST": "postgres", "PACS_POSTGRES_PASSWORD_FILE": str(secret)}
    postgres = Settings.from_environment(environment).postgres
    assert postgres is not None
    assert postgres.password == "s3crét/with:signs@"
    url = make_url(postgres.url)
    assert (url.password, url.host, url.port, url.database) == (postgres.password, "postgres", 5432, "pacs")


def test_a_password_never_shows_in_the_representation() -> None:
    environment = {"PACS_POSTGRES_HOST": "postgres", "PACS_POSTGRES_PASSWORD": "hunter2"}
    settings = Settings.from_environment(environment)
    assert "hunter2" not in repr(settings) and "hunter2" not in repr(settings.postgres)
    assert settings.postgres is not None and "hunter2" in settings.database_url


def test_a_missing_secret_file_names_its_variable_and_path() -> None:
    environment = {"PACS_POSTGRES_HOST": "postgres", "PACS_POSTGRES_PASSWORD_FILE": "/nowhere/password"}
    with pytest.raises(SettingsError, match=r"PACS_POSTGRES_PASSWORD_FILE names /nowhere/password, .*No such file"):
        Settings.from_environment(environment)


def test_a_secret_file_that_is_no_text_names_its_variable(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_bytes(b"\xff\xfe\x00")
    environment = {"PACS_POSTGRES_HOST": "postgres", "PACS_POSTGRES_PASSWORD_FILE": str(secret)}
    with pytest.raises(SettingsError, match="PACS_POSTGRES_PASSWORD_FILE"):
        Settings.from_environment(environment)


@pytest.mark.parametrize(
    "name",
    [
        "PACS_PROBE_INTERVAL_S",
        "PACS_PROBE_TIMEOUT_S",
        "PACS_EXTRACTION_WORKERS",
        "PACS_EXTRACTION_TIMEOUT_S",
        "PACS_EXTRACTION_ATTEMPTS",
        "PACS_UPLOAD_MAX_MB",
        "PACS_UPLOAD_MAX_FILES",
    ],
)
@pytest.mark.parametrize("value", ["many", "-1", "0", "nan", "inf"])
def test_a_number_that_cannot_be_used_names_the_variable_and_a_remedy(name: str, value: str) -> None:
    if value == "inf" and name.endswith("_S"):
        return  # for ever is a time
    with pytest.raises(SettingsError, match=rf"{name} is .*write a number"):
        Settings.from_environment({name: value})


def test_white_space_and_empty_values_count_as_unset() -> None:
    settings = Settings.from_environment({"PACS_EXTRACTION_WORKERS": " ", "PACS_XNAT_URL": "", "PACS_NODE": " a "})
    assert settings.extraction_workers == 2
    assert settings.node == "a"
    assert all(service.url is None for service in settings.services)
