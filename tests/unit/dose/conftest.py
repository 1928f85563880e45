"""A breast plan in an archive: structure set, dose and one CT slice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import dose
from unit.archive_double import ArchiveDouble


@pytest.fixture(scope="session")
def plan(data_folder: Path) -> dict[str, bytes]:
    """Files of the plan by modality."""
    names = {"RTSTRUCT": "rtss", "RTDOSE": "rtdose", "CT": "ct.0"}
    return {modality: (data_folder / "dicompyler" / f"{name}.dcm").read_bytes() for modality, name in names.items()}


@pytest.fixture
def structure_set(archive: ArchiveDouble, plan: dict[str, bytes]) -> str:
    """Orthanc's identifier of the structure set, which is there alone."""
    return archive.store_instance(plan["RTSTRUCT"]).orthanc_id


@pytest.fixture
def dose_id(archive: ArchiveDouble, plan: dict[str, bytes]) -> str:
    """Orthanc's identifier of the dose, which is there too."""
    return archive.store_instance(plan["RTDOSE"]).orthanc_id


@pytest.fixture
def client(serve: Callable[..., TestClient]) -> TestClient:
    return serve([dose.create])
