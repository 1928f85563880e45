"""The two places that studies go on to, as the tests of forwarding see them: real ones, or what stands in for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from e2e.stack import Stack, docker

DICOMPYLER = Path(__file__).resolve().parents[1] / "data" / "dicompyler"
#: A destination that was down is tried again within this time, on a machine that has other work.
PATIENCE_S = 240
#: Must not be found anywhere in what research gets.
PATIENT = "Plantagenet"


@dataclass(frozen=True)
class Destinations:
    """A running stack, the archive and XNAT.

    Attributes
    ----------
    archive
        The archive's DICOMweb.
    archive_container
        What is stopped when the archive shall be down.
    """

    stack: Stack
    archive: httpx.Client
    archive_container: str
    xnat: httpx.Client
    project: str

    def send(self, folder: Path) -> str:
        """C-STORE a study of a new patient, made in ``folder``, into Orthanc: its Study Instance UID."""
        study = write_study(folder)
        assert ": 4 stored, 0 failed" in self.stack.pacs("send", str(folder)).stdout
        return study

    def deliveries(self, study: str, destination: str) -> list[dict[str, Any]]:
        with self.stack.orthanc() as client:
            answer = client.get("/api/deliveries", params={"study": study, "destination": destination})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    def delivered(self, study: str, destination: str) -> dict[str, Any]:
        """Waits for it; the delivery."""

        def found() -> dict[str, Any] | None:
            held = self.deliveries(study, destination)
            assert not [each for each in held if each["state"] in ("failed", "cancelled")], held
            return held[0] if held and all(each["state"] == "delivered" for each in held) else None

        return eventually(found, f"{study} is delivered to {destination}")

    def archived(self, study: str) -> list[str]:
        """The SOP Instance UIDs of the study, as the archive tells them."""
        answer = self.archive.get(f"/studies/{study}/instances", headers={"Accept": "application/dicom+json"})
        if answer.status_code in (204, 404):
            return []
        assert answer.status_code == 200, answer.text
        return [instance["00080018"]["Value"][0] for instance in answer.json()]

    def research_files(self) -> dict[str, bytes]:
        """Every DICOM file of the project, by its address."""
        files = {}
        for session in self._table("/data/experiments", project=self.project):
            for file in self._table(f"/data/experiments/{session['ID']}/scans/ALL/resources/DICOM/files"):
                files[file["URI"]] = self.xnat.get(file["URI"]).content
        return files

    def _table(self, path: str, **query: str) -> list[dict[str, str]]:
        answer = self.xnat.get(path, params={"format": "json", **query})
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"
        return list(answer.json()["ResultSet"]["Result"])


def eventually[T](found: Callable[[], T | None], what: str) -> T:
    deadline = time.monotonic() + PATIENCE_S
    while not (result := found()):
        assert time.monotonic() < deadline, f"not within {PATIENCE_S} s: {what}"
        time.sleep(0.5)
    return result


def write_study(folder: Path) -> str:
    """CT, RTSTRUCT, RTPLAN and RTDOSE that refer to each other, of a patient whose name stands in many places."""
    datasets = [dcmread(path) for path in sorted(DICOMPYLER.glob("*.dcm"))]
    fresh = {
        str(dataset[keyword].value): generate_uid()
        for dataset in datasets
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    }
    folder.mkdir()
    for number, dataset in enumerate(datasets):
        dataset.walk(lambda _, element: _replace(element, fresh))
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        _plant(dataset)
        dataset.save_as(folder / f"{number}.dcm")
    return str(datasets[0].StudyInstanceUID)


def _replace(element: Any, fresh: dict[str, str]) -> None:
    if element.VR == "UI" and element.value in fresh:
        element.value = fresh[element.value]


def _plant(dataset: Dataset) -> None:
    dataset.PatientName, dataset.PatientID = f"{PATIENT}^Richard", f"{PATIENT}-4711"
    dataset.ReferringPhysicianName = f"{PATIENT}^Physician"
    dataset.InstitutionName = f"{PATIENT} Hospital"
    dataset.StudyDescription = f"for Mr {PATIENT}"
    dataset.private_block(0x0011, "OF THE TESTS", create=True).add_new(1, "LO", PATIENT)


def stop(container: str) -> None:
    docker("stop", "--time", "5", container)


def start(container: str) -> None:
    docker("start", container)
