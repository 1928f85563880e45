"""A server that cannot work as configured does not start, and says what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from integration.conftest import MakeOrthanc
from integration.containers import OrthancServer, Postgres, configuration

ENDS_WITHIN_S = 180


def end_of(server: OrthancServer) -> tuple[int, str]:
    server.create()
    code = int(server.container.wait(timeout=ENDS_WITHIN_S)["StatusCode"])
    return code, server.log()


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"PACS_ADMIN_PASSWORD": None}, ["PACS_ADMIN_PASSWORD is not set"]),
        ({"PACS_UPLOAD_MAX_MB": "abc"}, ["PACS_UPLOAD_MAX_MB", "'abc'", "write a number"]),
        ({"PACS_DICOM_STRICT": "perhaps"}, ["PACS_DICOM_STRICT", "perhaps", "true or false"]),
        ({"PACS_DICOM_AET": "A_TITLE_THAT_IS_TOO_LONG"}, ["PACS_DICOM_AET", "16"]),
        ({"PACS_POSTGRES_HOST": "postgres"}, ["PACS_POSTGRES_PASSWORD is not", "set it"]),
    ],
    ids=["no admin password", "no number", "no boolean", "long AE title", "no database password"],
)
def test_a_setting_that_cannot_be_used_is_named(
    make_orthanc: MakeOrthanc, environment: dict[str, Any], named: list[str]
) -> None:
    code, log = end_of(make_orthanc(**environment))

    assert code != 0
    for words in named:
        assert words in log


def test_a_missing_postgresql_plugin_ends_the_start_rather_than_fall_back_on_sqlite(
    make_orthanc: MakeOrthanc, postgres: Postgres, tmp_path: Path
) -> None:
    config = configuration(tmp_path, without_plugin="OrthancPostgreSQLIndex")
    code, log = end_of(make_orthanc(config, postgres, postgres.create_database()))

    assert code != 0
    assert "PostgreSQL is configured (PACS_POSTGRES_HOST), but Orthanc runs on SQLite" in log


def test_a_wrong_database_password_is_said_and_not_shown(make_orthanc: MakeOrthanc, postgres: Postgres) -> None:
    wrong = "not-the-password-at-all"
    code, log = end_of(make_orthanc(postgres=postgres, PACS_POSTGRES_PASSWORD=wrong))

    assert code != 0
    assert "password authentication failed" in log
    assert wrong not in log


def test_a_database_that_does_not_exist_is_said(make_orthanc: MakeOrthanc, postgres: Postgres) -> None:
    code, log = end_of(make_orthanc(postgres=postgres, database="nowhere"))

    assert code != 0
    assert 'database "nowhere" does not exist' in log
