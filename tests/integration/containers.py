"""The real image in containers of its own: started, killed, stopped, replaced, and always removed."""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests
from docker.models.containers import Container
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from integration.polling import eventually

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
HTTP_PORT, DICOM_PORT = 8042, 4242
PASSWORDS = {"admin": "admin-of-the-tests", "viewer": "viewer-of-the-tests", "prometheus": "prometheus-of-the-tests"}
DATA = "/var/lib/orthanc/db"
#: From a container, the machine on which the tests run.
TESTS_HOST = "host.docker.internal"
#: Generous: the machine may be busy with other things.
START_S = 180.0


def labels() -> dict[str, str]:
    """By these ./pacs test finds whatever a killed run has left."""
    return {"org.pacs.test": os.environ["PACS_TEST_ID"]}


def volume_name() -> str:
    """A new one."""
    return f"pacs-test-{os.environ['PACS_TEST_ID']}-{uuid.uuid4().hex[:8]}"


@cache
def network() -> Network:
    """The network of all servers of one run.

    Not the engine's default one: that bridge may take the lowest address of its ports for its own, so that each
    container that comes or goes can cost the others half a minute without answers.
    """
    made = Network(docker_network_kw={"labels": labels()})
    return made.create()


def configuration(folder: Path, modalities: dict[str, Any] | None = None, without_plugin: str | None = None) -> Path:
    """A copy of config/orthanc to mount, with other modalities or with one plugin fewer."""
    target = folder / f"config-{uuid.uuid4().hex[:8]}"
    shutil.copytree(ROOT / "config" / "orthanc", target)
    if modalities is not None:
        known = {"DicomModalitiesInDatabase": False, "DicomModalities": modalities}
        (target / "modalities.json").write_text(json.dumps(known))
    if without_plugin is not None:
        settings = target / "orthanc.json"
        lines = settings.read_text().splitlines()
        kept = [line for line in lines if f"lib{without_plugin}.so" not in line]
        assert len(kept) == len(lines) - 1
        settings.write_text("\n".join(kept).replace('.so",\n  ]', '.so"\n  ]'))
    # Orthanc reads it as a user of its own.
    for path in (target, *target.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return target


class Client(requests.Session):
    """An HTTP client of one server, signed in as one account."""

    def __init__(self, port: int, account: str | None) -> None:
        super().__init__()
        self._base = f"http://{HOST}:{port}"
        self.trust_env = False
        if account is not None:
            self.auth = (account, PASSWORDS[account])

    def request(self, method: str | bytes, url: str | bytes, *arguments: Any, **options: Any) -> requests.Response:
        options.setdefault("timeout", 60)
        return super().request(method, f"{self._base}{url!s}", *arguments, **options)


class SmallDisk:
    """A volume in memory of a few MB, which a test fills and frees; a container of its own keeps it there."""

    def __init__(self, size_mb: int) -> None:
        self.volume = volume_name()
        options = {"type": "tmpfs", "device": "tmpfs", "o": f"size={size_mb}m,mode=0777"}
        self._holder = DockerContainer(os.environ["PACS_TEST_IMAGE"]).with_volume_mapping(self.volume, "/disk", "rw")
        self._holder.with_kwargs(labels=labels(), user="0:0", entrypoint=["sleep", "infinity"], init=True)
        client = self._holder.get_docker_client().client
        client.volumes.create(self.volume, driver="local", driver_opts=options, labels=labels())

    def __enter__(self) -> Self:
        self._holder.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        client = self._holder.get_docker_client().client
        self._holder.stop()
        client.volumes.get(self.volume).remove(force=True)

    def fill(self) -> None:
        """Leave not a byte."""
        self._run("dd if=/dev/zero of=/disk/full bs=64k 2>/dev/null; dd if=/dev/zero of=/disk/fuller bs=1k 2>/dev/null")

    def free(self) -> None:
        self._run("rm -f /disk/full /disk/fuller")

    def _run(self, script: str) -> None:
        self._holder.get_wrapped_container().exec_run(["sh", "-c", script])


class Clock:
    """The clock of containers, which a test sets while they run (libfaketime); how long things take is not touched."""

    _LIBRARY = "libfaketimeMT.so.1"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (found,) = Path("/usr/lib").glob(f"*/faketime/{self._LIBRARY}")
        shutil.copy(found, folder)
        folder.chmod(0o755)
        self.step(timedelta())

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": f"/clock/{self._LIBRARY}",
            "FAKETIME_TIMESTAMP_FILE": "/clock/offset",
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def step(self, offset: timedelta) -> None:
        """Set the clock to so much from the true time."""
        # libfaketime ends the process that reads a file with nothing in it: it is replaced, never written to.
        new = self.folder / "offset.new"
        new.write_text(f"{offset.total_seconds():+.0f}\n")
        new.chmod(0o644)
        new.replace(self.folder / "offset")


@dataclass(frozen=True)
class Surroundings:
    """The machine that a container believes to be on.

    Attributes
    ----------
    options
        Further options of ``docker run``.
    """

    disk: SmallDisk | None = None
    clock: Clock | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return self.clock.environment if self.clock else {}

    def mount(self, container: DockerContainer, data: str) -> None:
        """Its disk at ``data``, and its clock."""
        if self.disk is not None:
            container.with_volume_mapping(self.disk.volume, data, "rw")
        if self.clock is not None:
            container.with_volume_mapping(str(self.clock.folder), "/clock", "ro")


class Postgres:
    """The database beside the Orthancs of one session; each may have a database of its own in it."""

    password = "database-of-the-tests"

    def __init__(self, alias: str = "postgres", surroundings: Surroundings | None = None) -> None:
        around = surroundings or Surroundings()
        self._alias = alias
        self._container = (
            DockerContainer(os.environ["PACS_TEST_POSTGRES_IMAGE"])
            .with_network(network())
            .with_network_aliases(alias)
            .with_envs(POSTGRES_USER="pacs", POSTGRES_DB="pacs", POSTGRES_PASSWORD=self.password, **around.environment)
            .with_kwargs(labels=labels(), shm_size="256m", **around.options)
        )
        around.mount(self._container, "/var/lib/postgresql")
        self._container.ports = {"5432/tcp": (HOST,)}

    def __enter__(self) -> Self:
        try:
            self._container.start()
            eventually(lambda: self._runs("pg_isready", "--host=127.0.0.1", "--quiet"), START_S, "PostgreSQL answers")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._container.stop()

    def create_database(self) -> str:
        """A new, empty database."""
        name = f"pacs_{uuid.uuid4().hex[:8]}"
        assert self._runs("createdb", "--host=127.0.0.1", "--username=pacs", name)
        return name

    def url(self, database: str) -> str:
        """A SQLAlchemy URL, for the tests themselves."""
        container = self._container.get_wrapped_container()
        container.reload()
        port = container.ports["5432/tcp"][0]["HostPort"]
        return f"postgresql+psycopg://pacs:{self.password}@{HOST}:{port}/{database}"

    def restart(self) -> None:
        """Every connection ends, and for a moment nobody answers."""
        self._container.get_wrapped_container().restart(timeout=10)

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers."""
        self._container.get_wrapped_container().pause()

    def unpause(self) -> None:
        self._container.get_wrapped_container().unpause()

    def environment(self, database: str = "pacs") -> dict[str, str]:
        """What an Orthanc needs to know to use it."""
        return {
            "PACS_POSTGRES_HOST": self._alias,
            "PACS_POSTGRES_DATABASE": database,
            "PACS_POSTGRES_PASSWORD": self.password,
        }

    def _runs(self, *command: str) -> bool:
        container = self._container.get_wrapped_container()
        done = container.exec_run(list(command), environment={"PGPASSWORD": self.password})
        return bool(done.exit_code == 0)


class OrthancServer:
    """One Orthanc of ours on one volume; the container may be killed, started again or replaced."""

    def __init__(
        self,
        config: Path | None = None,
        postgres: Postgres | None = None,
        database: str = "pacs",
        surroundings: Surroundings | None = None,
        **environment: str | None,
    ) -> None:
        self._surroundings = surroundings or Surroundings()
        self._postgres = postgres
        self._config = config
        passwords: dict[str, str | None] = {
            f"PACS_{account.upper()}_PASSWORD": password for account, password in PASSWORDS.items()
        }
        self._environment = passwords | (postgres.environment(database) if postgres else {}) | environment
        self._environment |= self._surroundings.environment
        self._volume = volume_name()
        self._docker: DockerContainer | None = None

    def __enter__(self) -> Self:
        try:
            return self.create().wait_until_ready()
        except BaseException:
            self.remove()
            raise

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.remove()

    def create(self) -> Self:
        """Create and start a container, without waiting for Orthanc in it."""
        docker = DockerContainer(os.environ["PACS_TEST_IMAGE"])
        if self._surroundings.disk is None:
            docker.get_docker_client().client.volumes.create(self._volume, labels=labels())
            docker.with_volume_mapping(self._volume, DATA, "rw")
        self._surroundings.mount(docker, DATA)
        docker.with_envs(**{name: value for name, value in self._environment.items() if value is not None})
        if self._config is not None:
            docker.with_volume_mapping(str(self._config), "/etc/pacs/orthanc", "ro")
        docker.with_network(network())
        docker.with_tmpfs_mount("/tmp")
        docker.ports = {f"{HTTP_PORT}/tcp": (HOST,), f"{DICOM_PORT}/tcp": (HOST,)}
        # As in docker-compose.yml.
        docker.with_kwargs(
            labels=labels(),
            init=True,
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
            mem_limit="2g",
            extra_hosts={TESTS_HOST: "host-gateway"},
            **self._surroundings.options,
        )
        self._docker = docker
        docker.start()
        return self

    def replace(self, config: Path | None) -> Self:
        """The same volume under another configuration."""
        self.container.remove(force=True)
        self._config = config
        return self.create()

    def share_storage(self, other: OrthancServer) -> Self:
        """Keep files where another server keeps them, as two nodes on one database must; before it is created."""
        self._volume = other._volume
        return self

    def remove(self) -> None:
        """The container, also one that could not be started, and its volume."""
        if self._docker is None:
            return
        client = self._docker.get_docker_client().client
        # A disk is kept by another container, and goes with that.
        mine = {"id": self.container.id} if self._surroundings.disk else {"volume": self._volume}
        for container in client.containers.list(all=True, filters=mine):
            container.remove(force=True)
        if client.volumes.list(filters={"name": self._volume}):
            client.volumes.get(self._volume).remove(force=True)

    @property
    def container(self) -> Container:
        assert self._docker is not None
        return self._docker.get_wrapped_container()

    @property
    def http_port(self) -> int:
        return self._port(HTTP_PORT)

    @property
    def dicom_port(self) -> int:
        return self._port(DICOM_PORT)

    def http(self, account: str | None = "admin") -> Client:
        """A client; to be made anew after a restart, when the port is another one."""
        return Client(self.http_port, account)

    def start_again(self) -> Self:
        """The same container, after it was killed or stopped."""
        self.container.start()
        return self.wait_until_ready()

    def stop(self) -> tuple[int, float]:
        """``docker stop``: the exit code, and the seconds from Docker's own clock that it took."""
        begin = time.monotonic()
        self.container.stop(timeout=30)
        seconds = time.monotonic() - begin
        return int(self.container.wait(timeout=60)["StatusCode"]), seconds

    def wait_until_ready(self, path: str = "/api/health") -> Self:
        eventually(lambda: self._answers(path), START_S, f"Orthanc answers {path}")
        return self

    def log(self) -> str:
        return str(self.container.logs().decode("utf-8", "replace"))

    def run(self, *command: str) -> str:
        """A command inside the container."""
        done = self.container.exec_run(list(command))
        assert done.exit_code == 0, done.output.decode("utf-8", "replace")
        return str(done.output.decode())

    def memory_bytes(self, which: str) -> int:
        """Memory of the Orthanc process: VmRSS now, VmHWM at its peak. Not every engine accounts it by container."""
        line = self.run("sh", "-c", f"grep -h {which} $(dirname $(grep -l -x Orthanc /proc/[0-9]*/comm))/status")
        return int(line.split()[1]) * 1024

    def worker_pids(self) -> list[int]:
        """The extraction's worker processes."""
        found = self.run("sh", "-c", "grep -l -a [m]ultiprocessing.spawn /proc/[0-9]*/cmdline 2>/dev/null")
        return [int(line.split("/")[2]) for line in found.split()]

    def _port(self, inside: int) -> int:
        self.container.reload()
        bindings = self.container.ports.get(f"{inside}/tcp")
        assert bindings, f"no port yet; the container is {self.container.status}:\n{self.log()[-3000:]}"
        return int(bindings[0]["HostPort"])

    def _answers(self, path: str) -> bool:
        self.container.reload()
        if self.container.status == "exited":
            raise RuntimeError(f"Orthanc has ended:\n{self.log()[-5000:]}")
        try:
            with self.http() as client:
                return client.get(path, timeout=20).status_code == 200
        except requests.RequestException:
            return False
