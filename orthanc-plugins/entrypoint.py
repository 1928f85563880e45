"""Starts Orthanc in its container: turns the environment into configuration, waits for PostgreSQL, becomes Orthanc.

Standard library only, and no import of ours: it must be able to say what is wrong before anything else works.
Secrets come from NAME or from the file that NAME_FILE names, and are written only below a directory of mode 0700.
"""

import base64
import http.client
import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

CONFIGURATION = Path("/etc/pacs/orthanc")
PLUGIN_SCRIPT = "/opt/pacs/orthanc-plugins/main.py"
TEMPORARY_FILES = Path("/var/lib/orthanc/db/tmp")
TEMPORARY_FILE_AGE_S = 24 * 3600
POSTGRES_WAIT_S = 60.0
HTTP_PORT = 8042

# The accounts of Orthanc's HTTP server. What each may do is decided by the plugins.
ACCOUNTS = {
    "admin": "PACS_ADMIN_PASSWORD",
    "viewer": "PACS_VIEWER_PASSWORD",
    "prometheus": "PACS_PROMETHEUS_PASSWORD",
}

type Json = bool | int | str | list[Json] | dict[str, Json] | None


class ConfigurationError(Exception):
    """The environment cannot be used; the message names the variable and the remedy."""


def secret(environment: Mapping[str, str], name: str) -> str | None:
    """The value of NAME or of the file NAME_FILE; None when neither says anything."""
    value = environment.get(name, "")
    file = environment.get(f"{name}_FILE", "")
    if value and file:
        raise ConfigurationError(f"{name} and {name}_FILE are both set: keep one of them.")
    if file:
        try:
            value = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise ConfigurationError(f"{name}_FILE names {file}, which cannot be read: {error.strerror}.") from error
    if "${" in value:
        # Orthanc expands ${…} in its configuration, so the password in force would be another one.
        raise ConfigurationError(f"{name} must not hold the characters '${{': choose another password.")
    return value or None


def boolean(environment: Mapping[str, str], name: str, default: bool) -> bool:
    """A setting that is true or false."""
    text = environment.get(name, "").strip().lower()
    if not text:
        return default
    if text in {"true", "yes", "1", "on"}:
        return True
    if text in {"false", "no", "0", "off"}:
        return False
    raise ConfigurationError(f"{name} is '{text}': it must be true or false.")


def port(environment: Mapping[str, str], name: str, default: int) -> int:
    """A TCP port."""
    text = environment.get(name, "").strip() or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ConfigurationError(f"{name} is '{text}': it must be a port number from 1 to 65535.")
    return int(text)


def ae_title(environment: Mapping[str, str]) -> str:
    """Our AE title: 1 to 16 characters without backslash or control characters (PS3.5, value representation AE)."""
    title = environment.get("PACS_DICOM_AET", "").strip() or "ORTHANC"
    if len(title) > 16 or "\\" in title or not title.isascii() or not title.isprintable():
        raise ConfigurationError(
            f"PACS_DICOM_AET is '{title}': an AE title has at most 16 printable ASCII characters and no backslash."
        )
    return title


def postgres_section(environment: Mapping[str, str]) -> dict[str, Json] | None:
    """Orthanc's PostgreSQL section, or None for its built-in SQLite."""
    host = environment.get("PACS_POSTGRES_HOST", "").strip()
    if not host:
        return None
    password = secret(environment, "PACS_POSTGRES_PASSWORD")
    if password is None:
        raise ConfigurationError("PACS_POSTGRES_HOST is set but PACS_POSTGRES_PASSWORD is not: set it as well.")
    return {
        "EnableIndex": True,
        "EnableStorage": False,
        "Host": host,
        "Port": port(environment, "PACS_POSTGRES_PORT", 5432),
        "Database": environment.get("PACS_POSTGRES_DATABASE", "") or "pacs",
        "Username": environment.get("PACS_POSTGRES_USER", "") or "pacs",
        "Password": password,
        "EnableSsl": False,
        # Several Orthancs may share the database.
        "Lock": False,
        "IndexConnectionsCount": 10,
    }


def generated_sections(environment: Mapping[str, str]) -> dict[str, Json]:
    """Everything that depends on the environment, as Orthanc configuration."""
    users: dict[str, Json] = {}
    for account, name in ACCOUNTS.items():
        password = secret(environment, name)
        if password is not None:
            users[account] = password
    if "admin" not in users:
        raise ConfigurationError(
            "PACS_ADMIN_PASSWORD is not set: give the admin account a password "
            "(or name its file in PACS_ADMIN_PASSWORD_FILE)."
        )
    anyone_may_send = not boolean(environment, "PACS_DICOM_STRICT", default=False)
    sections: dict[str, Json] = {
        "RegisteredUsers": users,
        "DicomAet": ae_title(environment),
        "DicomAlwaysAllowEcho": anyone_may_send,
        "DicomAlwaysAllowStore": anyone_may_send,
        # Without AllowThreads a route that stores while a modality sends blocks the server for good.
        "Python": {"Path": PLUGIN_SCRIPT, "AllowThreads": True, "Verbose": False},
    }
    postgres = postgres_section(environment)
    if postgres is not None:
        sections["PostgreSQL"] = postgres
    return sections


def write_configuration(sections: dict[str, Json], source: Path, target: Path) -> None:
    """Fills `target` (mode 0700) with the operator's files and ours; Orthanc merges the directory."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(mode=0o700, parents=True)
    files = sorted(source.glob("*.json"))
    if not files:
        raise ConfigurationError(f"There is no *.json in {source}: mount the project's config/orthanc there.")
    for file in files:
        try:
            shutil.copyfile(file, target / file.name)
        except OSError as error:
            raise ConfigurationError(
                f"{file} cannot be read ({error.strerror}): make it readable for everyone (chmod a+r)."
            ) from error
    generated = target / "generated-at-start.json"
    generated.touch(mode=0o600)
    generated.write_text(json.dumps(sections, indent=2), encoding="utf-8")


def prepare_temporary_files(directory: Path) -> None:
    """Orthanc wants the directory to exist; what a killed server left there a day ago is nobody's."""
    try:
        directory.mkdir(exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{directory} cannot be written ({error.strerror}): the volume must belong to user id {os.getuid()}."
        ) from error
    oldest = time.time() - TEMPORARY_FILE_AGE_S
    for file in directory.iterdir():
        if file.is_file() and file.stat().st_mtime < oldest:
            file.unlink(missing_ok=True)


def wait_for_postgres(host: str, tcp_port: int, seconds: float = POSTGRES_WAIT_S) -> None:
    """Returns once PostgreSQL accepts connections: Orthanc itself would fall back on SQLite or give up."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((host, tcp_port), timeout=2).close()
            return
        except OSError as error:
            if time.monotonic() >= deadline:
                raise ConfigurationError(
                    f"PostgreSQL at {host}:{tcp_port} does not answer after {seconds:.0f} s ({error}): "
                    "start it, or correct PACS_POSTGRES_HOST and PACS_POSTGRES_PORT."
                ) from error
            time.sleep(0.5)


def healthy(environment: Mapping[str, str]) -> str | None:
    """None when Orthanc answers with the database it was configured for, else the reason."""
    token = base64.b64encode(f"admin:{secret(environment, 'PACS_ADMIN_PASSWORD')}".encode()).decode()
    connection = http.client.HTTPConnection("127.0.0.1", HTTP_PORT, timeout=4)
    try:
        connection.request("GET", "/system", headers={"Authorization": f"Basic {token}"})
        answer = connection.getresponse()
        body = answer.read()
    except OSError as error:
        return f"Orthanc does not answer: {error}"
    finally:
        connection.close()
    if answer.status != 200:
        return f"Orthanc answers {answer.status} to /system"
    wanted = bool(environment.get("PACS_POSTGRES_HOST", "").strip())
    if wanted and not json.loads(body).get("DatabaseBackendPlugin"):
        return "Orthanc runs on SQLite although PACS_POSTGRES_HOST is set"
    return None


def orthanc_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Ours, and DCMTK's switch that sends small answers at once instead of 40 ms later.

    An answer to C-ECHO or C-STORE is two small packets: with Nagle's algorithm the second one waits for the modality's
    delayed acknowledgement of the first.
    """
    return {"TCP_NODELAY": "1"} | dict(environment)


def start() -> NoReturn:
    """Replaces this process by Orthanc, so that it gets the container's signals itself."""
    sections = generated_sections(os.environ)
    directory = Path(os.environ.get("XDG_RUNTIME_DIR", "/tmp")) / "orthanc-config"
    write_configuration(sections, CONFIGURATION, directory)
    prepare_temporary_files(TEMPORARY_FILES)
    postgres = sections.get("PostgreSQL")
    if isinstance(postgres, dict):
        wait_for_postgres(str(postgres["Host"]), int(str(postgres["Port"])))
    os.execvpe("Orthanc", ["Orthanc", *sys.argv[1:], str(directory)], orthanc_environment(os.environ))


def main() -> int:
    try:
        if sys.argv[1:] == ["--health"]:
            reason = healthy(os.environ)
            print(reason or "healthy")
            return 1 if reason else 0
        start()
    except ConfigurationError as error:
        print(f"entrypoint: {error}", file=sys.stderr)
        return 78  # EX_CONFIG: restarting cannot help until the environment changes


if __name__ == "__main__":
    sys.exit(main())
