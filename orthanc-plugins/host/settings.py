"""Everything an operator may set, read once from the environment at start."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import quote


class SettingsError(ValueError):
    """A setting has a value that cannot be used; the message names it and says what to write instead."""


@dataclass(frozen=True)
class PostgresSettings:
    """Where PostgreSQL answers; it holds Orthanc's index and our tables."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)

    @property
    def url(self) -> str:
        """The SQLAlchemy URL, password included: never log it."""
        secret = quote(self.password, safe="")
        return f"postgresql+psycopg://{quote(self.user, safe='')}:{secret}@{self.host}:{self.port}/{self.database}"


@dataclass(frozen=True)
class ServiceSettings:
    """A service whose state is shown: a health URL, an Orthanc modality to C-ECHO, or both."""

    name: str
    url: str | None = None
    modality: str | None = None


@dataclass(frozen=True)
class Settings:
    """The settings of the whole server; durations in seconds, sizes in bytes."""

    data_directory: Path
    node: str
    postgres: PostgresSettings | None = None
    services: tuple[ServiceSettings, ...] = ()
    #: The AE title under which DCM4CHEE's REST services stand, asked for its metrics.
    dcm4chee_ae_title: str = "DCM4CHEE"
    probe_interval_s: float = 10.0
    probe_timeout_s: float = 2.0
    extraction_workers: int = 2
    extraction_timeout_s: float = 300.0
    extraction_attempts: int = 5
    upload_max_bytes: int = 512 * 1024 * 1024
    upload_max_files: int = 100_000
    synonyms: Path | None = None
    #: Where a browser finds OHIF: a port of the host it knows Orthanc by, or a whole origin.
    ohif: str = "3001"
    repair: Literal["off", "automatic"] = "off"
    grafana_database_password: str = field(default="", repr=False)
    exporter_database_password: str = field(default="", repr=False)
    #: What pseudonyms are drawn from (`deidentification`), and what seals who they are (`store.crosswalk`).
    deidentification_secret: str = field(default="", repr=False)
    crosswalk_key: str = field(default="", repr=False)

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL of our tables: PostgreSQL when configured, else a file beside Orthanc's index."""
        return self.postgres.url if self.postgres else f"sqlite:///{self.data_directory / 'pacs.sqlite'}"

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the ``PACS_*`` variables.

        Raises
        ------
        SettingsError
            If a value cannot be understood.
        """
        env = _Environment(environment)
        return Settings(
            data_directory=Path(env.text("PACS_DATA_DIRECTORY", "/var/lib/orthanc/db")),
            node=env.text("PACS_NODE", environment.get("HOSTNAME", "orthanc")),
            postgres=_postgres(env),
            services=_services(env),
            dcm4chee_ae_title=env.text("PACS_DCM4CHEE_AET", "DCM4CHEE"),
            probe_interval_s=env.number("PACS_PROBE_INTERVAL_S", 10.0, lowest=0.2),
            probe_timeout_s=env.number("PACS_PROBE_TIMEOUT_S", 2.0, lowest=0.1),
            extraction_workers=int(env.number("PACS_EXTRACTION_WORKERS", 2, lowest=1)),
            extraction_timeout_s=env.number("PACS_EXTRACTION_TIMEOUT_S", 300.0, lowest=1),
            extraction_attempts=int(env.number("PACS_EXTRACTION_ATTEMPTS", 5, lowest=1)),
            upload_max_bytes=int(env.number("PACS_UPLOAD_MAX_MB", 512, lowest=1) * 1024 * 1024),
            upload_max_files=int(env.number("PACS_UPLOAD_MAX_FILES", 100_000, lowest=1)),
            ohif=env.text("PACS_OHIF", "3001"),
            synonyms=Path(path) if (path := env.text("PACS_SYNONYMS")) else None,
            repair=_repair(env),
            grafana_database_password=env.text("PACS_GRAFANA_DATABASE_PASSWORD"),
            exporter_database_password=env.text("PACS_EXPORTER_DATABASE_PASSWORD"),
            deidentification_secret=env.text("PACS_DEIDENTIFICATION_SECRET"),
            crosswalk_key=env.text("PACS_CROSSWALK_KEY"),
        )


def secret(name: str) -> str:
    """The value of a variable, or of the file that ``<NAME>_FILE`` names; empty when neither is there."""
    return _Environment(os.environ).text(name)


class _Environment:
    """Typed reading of variables, each also from the file named by ``<NAME>_FILE`` (a mounted secret)."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str, default: str = "") -> str:
        path = self._values.get(f"{name}_FILE")
        if path:
            try:
                return Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(f"{name}_FILE names {path}, which cannot be read as text ({error}).") from error
        return self._values.get(name, "").strip() or default

    def number(self, name: str, default: float, lowest: float) -> float:
        raw = self.text(name)
        if not raw:
            return default
        try:
            value = float(raw)
        except ValueError:
            raise SettingsError(f"{name} is {raw!r}; write a number, such as {default:g}.") from None
        if not lowest <= value < math.inf:
            raise SettingsError(f"{name} is {raw}; write a number of at least {lowest:g}, such as {default:g}.")
        return value


def _repair(env: _Environment) -> Literal["off", "automatic"]:
    match env.text("PACS_REPAIR", "off"):
        case "off":
            return "off"
        case "automatic":
            return "automatic"
        case other:
            raise SettingsError(f"PACS_REPAIR is {other!r}; write off or automatic.")


def _postgres(env: _Environment) -> PostgresSettings | None:
    host = env.text("PACS_POSTGRES_HOST")
    if not host:
        return None
    return PostgresSettings(
        host=host,
        port=int(env.number("PACS_POSTGRES_PORT", 5432, lowest=1)),
        database=env.text("PACS_POSTGRES_DATABASE", "pacs"),
        user=env.text("PACS_POSTGRES_USER", "pacs"),
        password=env.text("PACS_POSTGRES_PASSWORD"),
    )


#: The services of the stack besides Orthanc and PostgreSQL, in the order in which people look at them.
SERVICE_NAMES = ("dashboard", "ohif", "dcm4chee", "xnat", "prometheus", "grafana")


def _services(env: _Environment) -> tuple[ServiceSettings, ...]:
    return tuple(
        ServiceSettings(
            name=name,
            url=env.text(f"PACS_{name.upper()}_URL") or None,
            modality=env.text(f"PACS_{name.upper()}_MODALITY") or None,
        )
        for name in SERVICE_NAMES
    )
