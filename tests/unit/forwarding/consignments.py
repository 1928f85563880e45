"""Studies to be sent, in an archive."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from pydicom import dcmread

from forwarding.model import Consignment, Instance
from unit.archive_double import ArchiveDouble


def consign(archive: ArchiveDouble, *files: Path | bytes) -> Consignment:
    """Store these files of one study, and consign them."""
    instances = []
    for file in files:
        dicom = file if isinstance(file, bytes) else file.read_bytes()
        dataset = dcmread(BytesIO(dicom), stop_before_pixels=True)
        stored = archive.store_instance(dicom)
        instances.append(
            Instance(
                stored.orthanc_id,
                str(dataset.SOPInstanceUID),
                str(dataset.SOPClassUID),
                str(dataset.SeriesInstanceUID),
                len(dicom),
            )
        )
    study = archive.instances[instances[0].orthanc_id].ids["study"]
    return Consignment.of(study, str(dataset.StudyInstanceUID), str(dataset.PatientID), tuple(instances))


def nothing(_instances: int, _bytes: int) -> None:
    """A progress that nobody follows."""
