"""A breast plan and a sarcoma with its CT, in an archive."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pydicom
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


@pytest.fixture(scope="session")
def few_structures(data_folder: Path) -> bytes:
    """Five of the plan's structures: what does not need all of them is quicker with these."""
    dataset = pydicom.dcmread(data_folder / "dicompyler" / "rtss.dcm")
    kept = {2, 5, 8, 9, 10}
    dataset.StructureSetROISequence = [each for each in dataset.StructureSetROISequence if each.ROINumber in kept]
    for name in ("ROIContourSequence", "RTROIObservationsSequence"):
        dataset[name].value = [each for each in dataset[name].value if each.ReferencedROINumber in kept]
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


@pytest.fixture
def small(archive: ArchiveDouble, few_structures: bytes) -> str:
    """A structure set of five structures, alone."""
    return archive.store_instance(few_structures).orthanc_id


@pytest.fixture
def small_plan(archive: ArchiveDouble, data_folder: Path, small: str) -> str:
    """The same with its dose."""
    archive.store_instance((data_folder / "dicompyler" / "rtdose.dcm").read_bytes())
    return small


@pytest.fixture
def alone(archive: ArchiveDouble, data_folder: Path) -> str:
    """The same structure set with nothing around it."""
    return archive.store_instance((data_folder / "dicompyler" / "rtss.dcm").read_bytes()).orthanc_id


@pytest.fixture
def client(serve: Callable[..., TestClient]) -> TestClient:
    return serve([report.create])
