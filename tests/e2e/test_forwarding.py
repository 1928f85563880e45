"""A study goes on to the archive and to research by itself, proven, and the second without the patient.

A second Orthanc stands where DCM4CHEE would and the double of XNAT where XNAT would; ``tests/live`` runs the same tests
against the real ones.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from e2e.conftest import copy_checkout
from e2e.destinations import PATIENT, Destinations, eventually, start, stop
from e2e.stack import Stack, docker

ARCHIVE_PASSWORD = "of-the-second-orthanc"
FORWARDER = "forwarder"


@pytest.fixture(scope="module")
def destinations(tmp_path_factory: pytest.TempPathFactory, test_id: str) -> Iterator[Destinations]:
    """A stack that was told of both as `./pacs up --profile archive --profile research` tells it."""
    folder = tmp_path_factory.mktemp("forwarding")
    copy_checkout(folder)
    stack = Stack(folder, f"pacs-test-{test_id}-forwarding")
    doubles: list[str] = []
    try:
        told = {"PACS_DCM4CHEE_MODALITY": "dcm4chee", "PACS_XNAT_URL": "http://xnat:8080", "PACS_PROBE_INTERVAL_S": "1"}
        stack.pacs("up", **told)
        doubles += [second_orthanc(stack, test_id), double_of_xnat(stack, test_id)]
        set_up_xnat(stack, test_id)
        with (
            at(doubles[0], 8042, ("admin", ARCHIVE_PASSWORD), "/dicom-web") as archive,
            at(doubles[1], 8080, (FORWARDER, stack.settings()["PACS_XNAT_FORWARDER_PASSWORD"])) as xnat,
        ):
            eventually(lambda: answers(archive, "/studies"), "the second Orthanc answers")
            with stack.orthanc() as client:
                # Both were not there when Orthanc started, and would be asked again in a while.
                for name in ("dcm4chee", "xnat"):
                    assert client.post(f"/api/destinations/{name}/probe").json()["state"] == "up"
            yield Destinations(stack, archive, doubles[0], xnat, "research")
    finally:
        for container in doubles:
            docker("rm", "--force", "--volumes", container)
        stack.pacs("down", "--volumes", "--yes", check=False)
        shutil.rmtree(folder, ignore_errors=True)


def answers(client: httpx.Client, path: str) -> bool:
    """A container's port is open before anybody listens there."""
    try:
        return client.get(path).status_code == 200
    except httpx.TransportError:
        return False


def second_orthanc(stack: Stack, test_id: str) -> str:
    """Our own image under DCM4CHEE's AE title, name and port; it knows Orthanc, as dcm4chee-setup tells the archive."""
    config = stack.folder / "config-of-the-second"
    shutil.copytree(stack.folder / "config/orthanc", config)
    (config / "forwarding.json").unlink(missing_ok=True)
    dicom = config / "dicom.json"
    dicom.write_text(dicom.read_text().replace('"DicomPort" : 4242', '"DicomPort" : 11112'))
    known = {"DicomModalities": {"orthanc": ["ORTHANC", "orthanc", 4242]}}
    (config / "modalities.json").write_text(json.dumps(known))
    environment = {"PACS_ADMIN_PASSWORD": ARCHIVE_PASSWORD, "PACS_DICOM_AET": "DCM4CHEE"}
    return run(stack, test_id, "dcm4chee", 8042, environment, {config: "/etc/pacs/orthanc"}, [])


def double_of_xnat(stack: Stack, test_id: str) -> str:
    code = {stack.folder / "tests": "/tests"}
    command = ["-c", "import sys; sys.path.insert(0, '/tests'); from doubles.xnat import main; main()"]
    python = ["--entrypoint", "/opt/pacs/venv/bin/python"]
    return run(stack, test_id, "xnat", 8080, {}, code, [*command, "--port", "8080"], python)


def set_up_xnat(stack: Stack, test_id: str) -> None:
    """What the container xnat-setup does."""
    settings = stack.settings()
    names = ("PACS_XNAT_PASSWORD", "PACS_XNAT_FORWARDER_PASSWORD", "PACS_XNAT_PROJECT")
    options = [
        "--rm",
        *(f"--env={name}={settings[name]}" for name in names),
        "--volume",
        f"{stack.folder}/xnat:/setup:ro",
    ]
    image = f"{stack.project}-orthanc:dev"
    network = ["--network", f"{stack.project}_default", "--label", f"org.pacs.test={test_id}"]
    docker("run", *options, *network, "--entrypoint", "/opt/pacs/venv/bin/python", image, "-I", "/setup/setup.py")


def run(
    stack: Stack,
    test_id: str,
    name: str,
    port: int,
    environment: dict[str, str],
    mounts: dict[Path, str],
    command: list[str],
    options: list[str] | None = None,
) -> str:
    """A container of Orthanc's image in the stack's network, called ``name`` there; its id."""
    network = ["--network", f"{stack.project}_default", "--network-alias", name, "--publish", f"127.0.0.1::{port}"]
    given = [f"--env={key}={value}" for key, value in environment.items()]
    given += [f"--volume={source}:{target}:ro" for source, target in mounts.items()]
    label = f"org.pacs.test={test_id}"
    image = f"{stack.project}-orthanc:dev"
    return docker("run", "--detach", "--label", label, *network, *given, *(options or []), image, *command).strip()


@contextmanager
def at(container: str, port: int, auth: tuple[str, str], path: str = "") -> Iterator[httpx.Client]:
    """A client of one of its ports, which Docker is asked for each time: after a stop it is another one."""

    def address(request: httpx.Request) -> None:
        published = int(docker("port", container, f"{port}/tcp").strip().rsplit(":", 1)[1])
        request.url = request.url.copy_with(port=published)

    with httpx.Client(
        base_url=f"http://127.0.0.1:1{path}", auth=auth, timeout=60, event_hooks={"request": [address]}
    ) as client:
        yield client


def test_a_study_sent_by_c_store_is_in_the_archive_and_proven(destinations: Destinations, tmp_path: Path) -> None:
    study = destinations.send(tmp_path / "study")

    delivery = destinations.delivered(study, "dcm4chee")

    assert delivery["proof"] == "storage_commitment"
    assert (delivery["instances_sent"], delivery["instances_total"]) == (4, 4)
    assert len(destinations.archived(study)) == len(set(destinations.archived(study))) == 4
    assert not destinations.deliveries(study, "xnat"), "research gets what is labelled or sent by hand"


def test_research_gets_it_without_the_patient_and_with_its_references(
    destinations: Destinations, tmp_path: Path
) -> None:
    study = destinations.send(tmp_path / "study")
    before = set(destinations.research_files())

    with destinations.stack.orthanc() as client:
        asked = client.post("/api/deliveries", json={"study": study, "destination": "xnat"})
    assert asked.status_code == 202, asked.text
    delivery = destinations.delivered(study, "xnat")

    assert delivery["proof"] == "file_listing"
    arrived = {uri: file for uri, file in destinations.research_files().items() if uri not in before}
    assert len(arrived) == 4
    everything = b"".join(arrived.values())
    assert PATIENT.encode() not in everything
    assert study.encode() not in everything
    judge_references(tmp_path, arrived)


def judge_references(folder: Path, files: dict[str, bytes]) -> None:
    """The structure set still names the CT, and the plan the structure set: dcmtk reads them, not what wrote them."""
    uids: dict[str, str] = {}
    dumps: dict[str, str] = {}
    for number, file in enumerate(files.values()):
        path = folder / f"{number}.dcm"
        path.write_bytes(file)
        dump = subprocess.run(["/usr/bin/dcmdump", "+L", path], capture_output=True, text=True, check=True).stdout
        top = {
            line.split()[0]: line.split("[", 1)[1].split("]", 1)[0]
            for line in dump.splitlines()
            if line[:1] == "(" and "[" in line
        }
        dumps[top["(0008,0060)"]], uids[top["(0008,0060)"]] = dump, top["(0008,0018)"]
    assert set(dumps) == {"CT", "RTSTRUCT", "RTPLAN", "RTDOSE"}
    assert uids["CT"] in dumps["RTSTRUCT"]
    assert uids["RTSTRUCT"] in dumps["RTPLAN"]


def test_an_archive_that_is_down_gets_everything_once_when_it_is_back(
    destinations: Destinations, tmp_path: Path
) -> None:
    stop(destinations.archive_container)
    try:
        study = destinations.send(tmp_path / "study")

        def waits() -> bool:
            # Found out by the delivery, or by a probe before it: then nothing is tried, and the destination tells.
            held = destinations.deliveries(study, "dcm4chee")
            with destinations.stack.orthanc() as client:
                known = {each["name"]: each for each in client.get("/api/destinations").json()["items"]}["dcm4chee"]
            return (
                [each["state"] for each in held] == ["waiting"] and known["state"] == "down" and bool(known["reason"])
            )

        eventually(waits, "the delivery waits, and the destination says why")
    finally:
        start(destinations.archive_container)

    destinations.delivered(study, "dcm4chee")
    assert len(destinations.archived(study)) == 4
