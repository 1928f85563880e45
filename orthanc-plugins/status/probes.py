"""How each kind of service is asked whether it is well."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import requests
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from host.archive import Archive, ArchiveError
from status.service import ProbeError
from store.database import Database

Probe = Callable[[], str | None]

_HEALTH_PAGE_BYTES = 16_384


def orthanc_system(archive: Archive) -> Probe:
    """Orthanc itself, by its ``/system`` and one question to its index."""

    def probe() -> str | None:
        try:
            version = archive.get("/system").get("Version")
            archive.get("/statistics")
        except ArchiveError as error:
            raise ProbeError(f"Orthanc's index does not answer ({error}); see ./pacs logs orthanc") from error
        return str(version) if version else None

    return probe


def postgres_version(database: Database) -> Probe:
    """PostgreSQL, by a query on our own tables' connection."""

    def probe() -> str | None:
        try:
            with database.engine.connect() as connection:
                return str(connection.scalar(text("SHOW server_version"))).split()[0]
        except SQLAlchemyError as error:
            # The driver's own text holds the address but also, now and then, the whole connection string.
            kind = type(error).__name__
            raise ProbeError(f"PostgreSQL does not answer ({kind}); see ./pacs logs postgres") from error

    return probe


def http_health(url: str, timeout_s: float) -> Probe:
    """A web service, by a GET of its health URL: any status below 400 is well."""

    def probe() -> str | None:
        try:
            # Of a health page that never ends, nothing is read.
            with requests.get(url, timeout=timeout_s, stream=True, allow_redirects=True) as answer:
                if answer.status_code >= 400:
                    raise ProbeError(f"{url} answers {answer.status_code} {answer.reason}")
                return _version(answer, timeout_s)
        except requests.exceptions.SSLError as error:
            remedy = "it has expired, or its authority is missing in config/ca-certificates"
            raise ProbeError(f"{url} shows a certificate that is not accepted: {remedy}") from error
        except requests.Timeout as error:
            raise ProbeError(f"{url} does not answer within {timeout_s:g} s") from error
        except requests.RequestException as error:
            raise ProbeError(f"{url} cannot be reached ({type(error).__name__}): is the service running?") from error

    return probe


def dicom_echo(archive: Archive, modality: str, timeout_s: float) -> Probe:
    """A DICOM peer registered with Orthanc under this name, by C-ECHO (DICOM PS3.4, annex A.4)."""

    def probe() -> str | None:
        try:
            archive.post(f"/modalities/{modality}/echo", {"Timeout": max(1, round(timeout_s))})
        except ArchiveError as error:
            raise ProbeError(f"C-ECHO to {modality} failed: check its address, port and AE title") from error
        return None

    return probe


def _version(answer: requests.Response, timeout_s: float) -> str | None:
    """The version in a health page like Grafana's (a small JSON object with ``version``), else none."""
    if "json" not in answer.headers.get("Content-Type", ""):
        return None
    deadline = time.monotonic() + timeout_s
    body = bytearray()
    # Byte by byte, because a larger piece would be waited for however slowly it drips.
    for byte in answer.iter_content(1):
        body += byte
        if len(body) > _HEALTH_PAGE_BYTES or time.monotonic() > deadline:
            return None
    try:
        found = json.loads(body).get("version")
    except (ValueError, AttributeError):
        return None
    return found if isinstance(found, str) else None
