"""Studies on a real Orthanc and destinations for them; what sends is the plugin's own code, run by the test."""

from __future__ import annotations

import uuid
from io import BytesIO

from pydicom import Dataset, dcmread
from pydicom.uid import generate_uid

from forwarding.configuration import Destination, Dicom
from forwarding.model import Consignment, Instance
from forwarding.sending.dicom import DicomSender
from integration.containers import TESTS_HOST, OrthancServer
from integration.datasets import STS_CT, copy_of, file_of, renumber
from integration.remote_archive import RemoteArchive


def consign(server: OrthancServer, images: int = 5) -> Consignment:
    """A study of the test's own: slices of a CT, in two series when there is more than one."""
    archive = RemoteArchive(server)
    dataset = copy_of(STS_CT[0], f"SENDING-{uuid.uuid4().hex[:8]}")
    instances = []
    for number in range(images):
        if number == images // 2:
            dataset.SeriesInstanceUID = generate_uid()
        instances.append(stored(archive, renumber(dataset)))
    study = archive.get(f"/instances/{instances[0].orthanc_id}/study")["ID"]
    return Consignment.of(study, dataset.StudyInstanceUID, dataset.PatientID, tuple(instances), whole=True)


def stored(archive: RemoteArchive, dataset: Dataset) -> Instance:
    """An instance of a consignment, stored."""
    dicom = file_of(dataset)
    identifier = archive.store_instance(dicom).orthanc_id
    return Instance(identifier, dataset.SOPInstanceUID, dataset.SOPClassUID, dataset.SeriesInstanceUID, len(dicom))


def held(server: OrthancServer, study: Consignment) -> list[Dataset]:
    """What a server holds of a study, without the file meta information, which each writes anew."""
    archive = RemoteArchive(server)
    found = archive.post("/tools/find", {"Level": "Instance", "Query": {"StudyInstanceUID": study.study_instance_uid}})
    datasets = [dcmread(BytesIO(archive.read_instance(each))) for each in found]
    return sorted(datasets, key=lambda dataset: str(dataset.SOPInstanceUID))


def dicom_sender(
    server: OrthancServer, aet: str, port: int, commitment: bool = False, timeout_s: float = 20
) -> DicomSender:
    """Sends to a modality on this machine, registered for the occasion."""
    name = f"sending-{uuid.uuid4().hex[:8]}"
    with server.http() as client:
        told = client.put(f"/modalities/{name}", json={"AET": aet, "Host": TESTS_HOST, "Port": port})
        assert told.ok, told.text
    endpoint = Dicom(name, storage_commitment=commitment)
    return DicomSender(RemoteArchive(server), Destination(name, endpoint, timeout_s=timeout_s), endpoint)
