"""The profiles `archive` and `research`: as Compose reads them, their images, what is left out without a registry."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from unit.scripts.shell import ROOT, bash, command

PROFILES = ("monitoring", "archive", "research")
COMBINATIONS = [chosen for count in range(len(PROFILES) + 1) for chosen in itertools.combinations(PROFILES, count)]
OF_PROFILE = {
    "monitoring": {"prometheus", "postgres-exporter", "node-exporter", "nginx-exporter", "grafana"},
    "archive": {"dcm4chee", "dcm4chee-ldap", "dcm4chee-mysql", "dcm4chee-setup", "dcm4chee-door"},
    "research": {"xnat", "xnat-postgres", "xnat-setup", "xnat-door"},
}
CORE = {"postgres", "orthanc", "door", "dashboard", "ohif"}
IMAGE = re.compile(r"(?<![\w/.-])(?:dcm4che/[\w-]+|mysql|tomcat|postgres):(?!5432)[\w.-]+")


def compose(*arguments: str, **settings: str) -> str:
    if shutil.which("docker") is None:
        pytest.skip("Docker's client reads docker-compose.yml; ./pacs test has it")
    required = {"PACS_ADMIN_PASSWORD": "a", "PACS_POSTGRES_PASSWORD": "b"}
    done = subprocess.run(
        ["docker", "compose", "--env-file", "/dev/null", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **required, **settings},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def everything() -> dict[str, dict[str, Any]]:
    """All services of all profiles, as they are with passwords."""
    passwords = {
        name: name.lower()
        for name in re.findall(r"^(PACS_\w*PASSWORD)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    }
    found: dict[str, dict[str, Any]] = json.loads(compose("--profile", "*", "config", "--format", "json", **passwords))[
        "services"
    ]
    return found


@pytest.mark.parametrize("chosen", COMBINATIONS, ids=lambda chosen: "+".join(chosen) or "core")
def test_every_combination_of_profiles_is_a_whole_stack(chosen: tuple[str, ...]) -> None:
    listed = compose(*(f"--profile={name}" for name in chosen), "config", "--services").split()

    assert set(listed) == CORE.union(*(OF_PROFILE[name] for name in chosen))


def test_databases_configuration_and_management_of_the_services_are_not_published(
    everything: dict[str, dict[str, Any]],
) -> None:
    published = {
        name: {port["target"] for port in everything[name].get("ports", [])}
        for name in OF_PROFILE["archive"] | OF_PROFILE["research"]
    }
    assert {name: ports for name, ports in published.items() if ports} == {
        "dcm4chee": {11112, 2575},
        "dcm4chee-door": {8080},
        "xnat": {8104},
        "xnat-door": {8080},
    }


def test_the_pages_open_only_when_the_set_up_has_ended_well(everything: dict[str, dict[str, Any]]) -> None:
    for name in ("dcm4chee", "xnat"):
        needed = everything[f"{name}-door"]["depends_on"]
        assert needed[f"{name}-setup"]["condition"] == "service_completed_successfully"
        assert needed[name]["condition"] == "service_healthy"


def test_both_sides_of_each_service_get_the_same_password(everything: dict[str, dict[str, Any]]) -> None:
    def of(service: str, name: str) -> str:
        value: str = everything[service]["environment"][name]
        assert value.startswith("pacs_"), f"{service} {name} has no password"
        return value

    assert of("dcm4chee", "MYSQL_PASSWORD") == of("dcm4chee-mysql", "MYSQL_PASSWORD")
    assert of("dcm4chee", "LDAP_ROOTPASS") == of("dcm4chee-ldap", "LDAP_ROOTPASS")
    assert of("dcm4chee", "WILDFLY_ADMIN_PASSWORD") == of("dcm4chee-door", "PACS_DOOR_PASSWORD")
    assert of("xnat", "XNAT_POSTGRES_PASSWORD") == of("xnat-postgres", "POSTGRES_PASSWORD")
    assert of("xnat-setup", "PACS_XNAT_FORWARDER_PASSWORD") == of("orthanc", "PACS_XNAT_FORWARDER_PASSWORD")


def test_the_database_of_the_archive_compares_text_byte_by_byte(everything: dict[str, dict[str, Any]]) -> None:
    assert everything["dcm4chee-mysql"]["command"] == [
        "--character-set-server=utf8mb4",
        "--collation-server=utf8mb4_bin",
    ]


def test_images_have_one_version_wherever_they_are_named() -> None:
    dockerfiles = "".join((ROOT / name / "Dockerfile").read_text() for name in ("dcm4chee", "xnat"))
    version = re.search(r"^ARG VERSION=(\S+)", dockerfiles, re.MULTILINE)
    assert version
    compose_file = (ROOT / "docker-compose.yml").read_text()
    named = set(IMAGE.findall(dockerfiles.replace("$VERSION", version[1]))) | set(IMAGE.findall(compose_file))
    pulled = set(IMAGE.findall((ROOT / "scripts/base-images.sh").read_text()))

    # postgres:18 is the core's.
    assert named | {"postgres:18"} == pulled
    archive = next(name for name in named if "arc-psql" in name)
    ldap = next(name for name in named if "slapd" in name)
    # The project's own rule: the second half of the tag of its LDAP server is the archive's version.
    assert archive.endswith(f":5.{ldap.rsplit('-', 1)[1]}")
    assert f"dcm4chee-wildfly-{version[1]}:/opt/wildfly/standalone" in compose_file


DATA_SOURCE = """<server><profile><subsystem><datasources>
  <datasource jndi-name="java:/PacsDS" pool-name="pacsds" statistics-enabled="true">
    <connection-url>URL</connection-url>
    <driver>psql</driver>
    <security><user-name>${env.POSTGRES_USER:pacs}</user-name><password>${env.POSTGRES_PASSWORD:pacs}</password></security>
    <validation>
      <valid-connection-checker class-name="org.jboss.jca.extensions.postgres.PostgreSQLValidConnectionChecker"/>
      <exception-sorter class-name="org.jboss.jca.extensions.postgres.PostgreSQLExceptionSorter"/>
    </validation>
  </datasource>
  <drivers>
    <driver name="psql" module="org.postgresql">
      <xa-datasource-class>org.postgresql.xa.PGXADataSource</xa-datasource-class>
    </driver>
  </drivers>
</datasources></subsystem></profile></server>
""".replace(
    "URL",
    "jdbc:postgresql://${env.POSTGRES_HOST:db}:${env.POSTGRES_PORT:5432}"
    "/${env.POSTGRES_DB:pacsdb}${env.POSTGRES_JDBC_PARAMS:}",
)


def image_of_dcm4chee(root: Path, data_source: str) -> subprocess.CompletedProcess[str]:
    """What the official image has where use-mysql.sh looks, and what that makes of it."""
    configuration, deployments = (root / "docker-entrypoint.d" / name for name in ("configuration", "deployments"))
    configuration.mkdir(parents=True)
    deployments.mkdir()
    for name in ("dcm4chee-arc.xml", "dcm4chee-arc-logstash.xml"):
        (configuration / name).write_text(data_source)
    (configuration / "dcm4chee-arc-ui.xml").write_text("<server/>")
    for kind in ("psql", "mysql"):
        (deployments / f"dcm4chee-arc-ear-5.35.1-{kind}.ear").touch()
    return subprocess.run(["sh", ROOT / "dcm4chee/use-mysql.sh", root], capture_output=True, text=True, timeout=60)


def test_the_archives_data_source_becomes_one_of_mysql(tmp_path: Path) -> None:
    done = image_of_dcm4chee(tmp_path, DATA_SOURCE)

    assert done.returncode == 0, done.stderr
    for name in ("dcm4chee-arc.xml", "dcm4chee-arc-logstash.xml"):
        text = (tmp_path / "docker-entrypoint.d/configuration" / name).read_text()
        assert (
            "jdbc:mysql://${env.MYSQL_HOST:db}:${env.MYSQL_PORT:3306}/${env.MYSQL_DB:pacsdb}${env.MYSQL_JDBC_PARAMS:}"
            in text
        )
        assert '<driver name="mysql" module="com.mysql">' in text and "<driver>mysql</driver>" in text
        assert "com.mysql.cj.jdbc.MysqlXADataSource" in text
        assert "extensions.mysql.MySQLValidConnectionChecker" in text
    ears = [path.name for path in (tmp_path / "docker-entrypoint.d/deployments").iterdir()]
    assert ears == ["dcm4chee-arc-ear-5.35.1-mysql.ear"]


@pytest.mark.parametrize(
    ("data_source", "said"),
    [
        (DATA_SOURCE.replace("PGXADataSource", "PGPoolingDataSource"), "still speaks of PostgreSQL"),
        ("<server/>", "no configuration of WildFly has the data source PacsDS"),
    ],
)
def test_an_image_that_is_not_as_expected_stops_the_build(tmp_path: Path, data_source: str, said: str) -> None:
    done = image_of_dcm4chee(tmp_path, data_source)

    assert done.returncode == 1
    assert said in done.stderr


NO_REGISTRY = """
case "$1 $2" in
    'image inspect') case "$3" in prom/* | prometheuscommunity/* | nginx/*) exit 0 ;; *) exit 1 ;; esac ;;
    *) exit 1 ;;
esac
"""


def without_registry(folder: Path, profiles: str, line: str) -> subprocess.CompletedProcess[str]:
    command(folder, "docker", NO_REGISTRY)
    (folder / ".env").touch()
    environment = {"PACS_ENV_FILE": str(folder / ".env"), "COMPOSE_PROFILES": profiles}
    return bash(f'. "$ROOT/scripts/up.sh"; ensure_profile_images; {line}', environment, folder)


def test_without_a_registry_whole_services_are_left_out_and_said_so(tmp_path: Path) -> None:
    done = without_registry(tmp_path, ",".join(PROFILES), 'printf "%s\\n" "${LEFT_OUT[@]}"')

    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) >= OF_PROFILE["archive"] | OF_PROFILE["research"] | {"grafana"}
    assert "prometheus" not in done.stdout.split()
    assert "Left out: dcm4chee dcm4chee-ldap dcm4chee-mysql" in done.stderr
    assert "Left out: xnat xnat-postgres" in done.stderr
    assert done.stderr.count("Left out") == 3, "each once"


def test_what_is_left_out_is_neither_watched_nor_forwarded_to(tmp_path: Path) -> None:
    show = 'export_profile_urls; echo "$PACS_PROMETHEUS_URL|${PACS_XNAT_URL:-}|${PACS_DCM4CHEE_MODALITY:-}"'
    assert without_registry(tmp_path, ",".join(PROFILES), show).stdout.splitlines()[-1].startswith("http://prometheus")
    assert without_registry(tmp_path, ",".join(PROFILES), show).stdout.splitlines()[-1].endswith("||")


def test_what_is_on_is_watched_and_forwarded_to_unless_the_operator_said_otherwise(tmp_path: Path) -> None:
    show = 'export_profile_urls; echo "$PACS_DCM4CHEE_URL|$PACS_DCM4CHEE_MODALITY|$PACS_XNAT_URL"'
    environment = {"PACS_ENV_FILE": "/dev/null", "COMPOSE_PROFILES": "archive,research"}
    line = f'. "$ROOT/scripts/up.sh"; {show}'

    usual = "http://dcm4chee:8080/dcm4chee-arc/ctrl/status|dcm4chee|http://xnat:8080\n"
    assert bash(line, environment).stdout == usual
    elsewhere = {"PACS_XNAT_URL": "https://xnat.hospital.example"}
    assert bash(line, environment | elsewhere).stdout.endswith("|https://xnat.hospital.example\n")


def test_the_table_shows_where_they_are_and_who_may_sign_in(tmp_path: Path) -> None:
    stack = r"""
require_stack() { :; }
docker_states() { printf 'orthanc healthy\ndcm4chee healthy\n'; }
api_states() { printf 'dcm4chee\tdown\trefused\nxnat\tnot_configured\tnot configured\n'; }
"""
    environment = {"PACS_ENV_FILE": str(tmp_path / ".env"), "PACS_XNAT_PORT": "18081", "NO_COLOR": "1"}

    def table(profiles: str) -> list[str]:
        given = environment | {"COMPOSE_PROFILES": profiles}
        return bash(f'. "$ROOT/scripts/status.sh"; {stack} status', given).stdout.splitlines()

    both = table("archive,research")
    rows = {line.split()[0]: line for line in both if line.strip()}
    assert "http://localhost:8082/dcm4chee-arc/ui2" in rows["dcm4chee"] and " down " in rows["dcm4chee"]
    assert "PACS_DCM4CHEE_PASSWORD in .env" in rows["dcm4chee"]
    assert "localhost:11112, AE title DCM4CHEE; HL7 2575" in "".join(both)
    assert "http://localhost:18081" in rows["xnat"] and " stopped " in rows["xnat"], "left out"
    assert "localhost:8104, AE title XNAT" in "".join(both)
    # Somewhere else, and configured by hand: named as before.
    assert [line.split()[:2] for line in table("") if "dcm4chee" in line] == [["dcm4chee", "refused"]]


def test_a_backup_holds_the_data_of_the_profiles_that_there_are(tmp_path: Path) -> None:
    command(tmp_path, "docker", '[[ "$3" == pacs_dcm4chee-* ]]')
    load = 'CALLER_DIRECTORY=/; . "$ROOT/scripts/backup.sh"'
    environment = {"PACS_ENV_FILE": "/dev/null"}

    there = bash(f"{load}; existing_profile_volumes", environment, tmp_path).stdout.split()
    assert there == ["dcm4chee-mysql-data", "dcm4chee-ldap-data", "dcm4chee-ldap-config", "dcm4chee-storage"]

    (tmp_path / "xnat-data.tgz").touch()
    restored = bash(f"{load}; volumes_in '{tmp_path}'", environment, tmp_path).stdout.split()
    assert restored == ["postgres-data", "orthanc-data", "xnat-data"]


def test_after_a_backup_what_ran_starts_again_though_a_service_was_left_out(tmp_path: Path) -> None:
    line = r"""
. "$ROOT/scripts/backup.sh"
compose() { [[ "$*" != *--services ]] && echo "$*" || printf 'orthanc\npostgres\n'; }
start_again
"""
    environment = {"PACS_ENV_FILE": "/dev/null", "COMPOSE_PROFILES": "archive"}
    assert "start orthanc postgres\n" in bash(f"CALLER_DIRECTORY=/; {line}", environment).stdout


def test_every_volume_of_data_is_in_the_backup(everything: dict[str, dict[str, Any]]) -> None:
    kept = set(
        bash(
            'CALLER_DIRECTORY=/; . "$ROOT/scripts/backup.sh"; echo "${VOLUMES[@]}" "${PROFILE_VOLUMES[@]}"', {}
        ).stdout.split()
    )
    mounted = {
        volume["source"]
        for service in everything.values()
        for volume in service.get("volumes", [])
        if volume["type"] == "volume"
    }
    # Measurements, and what an image brings.
    assert mounted - kept == {"prometheus-data", "grafana-data", "dcm4chee-wildfly-5.35.1"}


def test_a_service_whose_downloads_cannot_be_had_is_left_out_and_the_core_is_built(tmp_path: Path) -> None:
    line = r"""
. "$ROOT/scripts/up.sh"
compose() { [[ " $* " != *" xnat "* ]] || { echo "curl: (6) Could not resolve host"; return 1; }; }
build_images; export_profile_urls; printf '%s\n' "${LEFT_OUT[@]}"; echo "url=${PACS_XNAT_URL:-}"
"""
    done = bash(line, {"PACS_ENV_FILE": "/dev/null", "COMPOSE_PROFILES": "archive,research"})

    assert done.returncode == 0, done.stderr
    assert OF_PROFILE["research"] <= set(done.stdout.split())
    assert "dcm4chee" not in done.stdout.split()
    assert "url=\n" in done.stdout
    assert "Could not resolve host" in done.stderr and "XNAT could not be built" in done.stderr
