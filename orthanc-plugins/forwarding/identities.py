"""Who is behind the pseudonyms under which studies leave: written into the crosswalk before any of them does."""

from __future__ import annotations

import threading

from deidentification import Deidentifier
from forwarding.model import Consignment, Progress, Proof, Sender
from host.archive import Archive
from store.crosswalk import Crosswalk, Original
from store.database import Database


class RecordingSender:
    """A sender of de-identified studies, which leaves in the crosswalk who they are."""

    def __init__(
        self,
        sender: Sender,
        destination: str,
        deidentifier: Deidentifier,
        crosswalk: Crosswalk,
        archive: Archive,
        database: Database,
    ) -> None:
        self._sender = sender
        self._destination = destination
        self._deidentifier = deidentifier
        self._crosswalk = crosswalk
        self._archive = archive
        self._database = database

    def probe(self) -> None:
        self._sender.probe()

    def send(self, consignment: Consignment, progress: Progress, stopping: threading.Event) -> None:
        self._record(consignment)
        self._sender.send(consignment, progress, stopping)

    def prove(self, consignment: Consignment, stopping: threading.Event) -> Proof:
        return self._sender.prove(consignment, stopping)

    def _record(self, consignment: Consignment) -> None:
        patient = self._archive.get(f"/studies/{consignment.study_orthanc_id}")["PatientMainDicomTags"]
        original = Original(
            patient_id=consignment.patient_id,
            patient_name=str(patient.get("PatientName", "")),
            patient_birth_date=str(patient.get("PatientBirthDate", "")),
            study_instance_uid=consignment.study_instance_uid,
            date_shift_days=self._deidentifier.date_shift(consignment.patient_id).days,
        )
        with self._database.begin() as connection:
            self._crosswalk.record(
                connection,
                original,
                self._deidentifier.patient_pseudonym(consignment.patient_id),
                self._deidentifier.uid(consignment.study_instance_uid),
                self._destination,
            )
