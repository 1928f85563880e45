"""A breast plan and a sarcoma with its CT, in an archive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import report
from unit.archive_double import ArchiveDouble


@pytest.fixture
def plan(archive: ArchiveDouble, data_folder: Path) -> str:
    """Orthanc's identifier of the structure set of a plan whose dose and one CT slice are there."""
    for name in ("ct.0", "rtdose"):
        archive.store_instance((data_folder / "dicompyler" / f"{name}.dcm").read_bytes())
    return archive.store_instance((data_folder / "dicompyler" / "rtss.dcm").read_bytes()).orthanc_id


@pytest.fixture
def alone(archive: ArchiveDouble, data_folder: Path) -> str:
    """The same structure set with nothing around it."""
    return archive.store_instance((data_folder / "dicompyler" / "rtss.dcm").read_bytes()).orthanc_id


@pytest.fixture
def sarcoma(archive: ArchiveDouble, data_folder: Path) -> str:
    """Orthanc's identifier of a structure set whose CT is there."""
    folder = data_folder / "sts" / "STS_001" / "CT"
    for path in sorted((folder / "image").glob("*.dcm")):
        archive.store_instance(path.read_bytes())
    return archive.store_instance((folder / "mask" / "RS.dcm").read_bytes()).orthanc_id


@pytest.fixture
def client(serve: Callable[..., TestClient]) -> TestClient:
    return serve([report.create])
