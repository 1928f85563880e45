"""The tests of forwarding (``tests/e2e/test_forwarding.py``) against the real DCM4CHEE and XNAT: ``./pacs test live``.

Where their images cannot be had, they are skipped with what ./pacs up says of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from e2e.conftest import copy_checkout, test_id
from e2e.destinations import Destinations
from e2e.stack import Stack, free_port
from e2e.test_forwarding import (
    FORWARDER,
    test_a_study_sent_by_c_store_is_in_the_archive_and_proven,
    test_an_archive_that_is_down_gets_everything_once_when_it_is_back,
    test_research_gets_it_without_the_patient_and_with_its_references,
)

__all__ = [
    "test_a_study_sent_by_c_store_is_in_the_archive_and_proven",
    "test_an_archive_that_is_down_gets_everything_once_when_it_is_back",
    "test_id",
    "test_research_gets_it_without_the_patient_and_with_its_references",
]
PORTS = (
    "PACS_DCM4CHEE_PORT",
    "PACS_DCM4CHEE_DICOM_PORT",
    "PACS_DCM4CHEE_HL7_PORT",
    "PACS_XNAT_PORT",
    "PACS_XNAT_DICOM_PORT",
)


@pytest.fixture(scope="module")
def destinations(tmp_path_factory: pytest.TempPathFactory, test_id: str) -> Iterator[Destinations]:
    """The whole stack with both profiles, as a new user gets it."""
    folder = tmp_path_factory.mktemp("live")
    copy_checkout(folder)
    stack = Stack(folder, f"pacs-test-{test_id}-live")
    ports = {name: str(free_port()) for name in PORTS} | {"PACS_START_TIMEOUT": "3000"}
    try:
        output = stack.pacs("up", "--profile", "archive", "--profile", "research", **ports).stdout
        left_out = [line for line in output.splitlines() if "Left out:" in line]
        if left_out:
            pytest.skip("these images cannot be had on this machine: " + " ".join(left_out))
        settings = stack.settings()
        archive = httpx.Client(
            base_url=f"http://127.0.0.1:{ports['PACS_DCM4CHEE_PORT']}/dcm4chee-arc/aets/DCM4CHEE/rs",
            auth=("admin", settings["PACS_DCM4CHEE_PASSWORD"]),
            timeout=60,
        )
        xnat = httpx.Client(
            base_url=f"http://127.0.0.1:{ports['PACS_XNAT_PORT']}",
            auth=(FORWARDER, settings["PACS_XNAT_FORWARDER_PASSWORD"]),
            timeout=60,
        )
        with archive, xnat:
            yield Destinations(stack, archive, stack.containers()["dcm4chee"], xnat, settings["PACS_XNAT_PROJECT"])
    finally:
        stack.pacs("down", "--volumes", "--yes", check=False)
        shutil.rmtree(folder, ignore_errors=True)


def test_the_archive_sends_a_study_back(destinations: Destinations, tmp_path: Path) -> None:
    """What dcm4chee-setup is for: C-MOVE to our AE title."""
    study = destinations.send(tmp_path / "study")
    destinations.delivered(study, "dcm4chee")
    with destinations.stack.orthanc() as client:
        (stored,) = client.post("/tools/lookup", content=study).json()
        assert client.delete(f"/studies/{stored['ID']}").status_code == 200
        moved = client.post(
            "/modalities/dcm4chee/move",
            json={"Level": "Study", "Resources": [{"StudyInstanceUID": study}], "Synchronous": True},
        )
        assert moved.status_code == 200, moved.text
        assert client.post("/tools/lookup", content=study).json()
