"""Sending to XNAT's import service, proof by XNAT's listing of files and what is written in each of them.

XNAT counts a body of unknown size as none and its reader of ZIPs must know the size of a stored entry beforehand. So
the ZIP is written first, to a temporary file without a name, and sent when its last file is in it.
"""

from __future__ import annotations

import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import IO, Any
from urllib.parse import quote

import requests
from pydicom import dcmread

from deidentification import Deidentifier, Option
from forwarding.configuration import Destination, Xnat
from forwarding.model import Consignment, Progress, Proof, Refused, Unreachable
from forwarding.reading import read_whole
from forwarding.sending.files import Files, give_up_when
from forwarding.sending.web import PIECE_BYTES, Pace, Web
from host.archive import Archive

_BUSY = {409, 423}
#: Of a study of several modalities, the first of these names it, as in XNAT itself.
_MODALITIES = ("PT", "MR", "CT")
#: File meta information (PS3.10, 7.1): where its length stands, and where it ends.
_LENGTH_OFFSET, _META_OFFSET = 140, 144
_HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a study lies in XNAT."""

    project: str
    subject: str
    session: str

    @property
    def path(self) -> str:
        return f"/projects/{self.project}/subjects/{self.subject}/experiments/{self.session}"


class XnatSender:
    """Implements ``forwarding.model.Sender``.

    Every sending takes the whole study: structures that come late are a session of another kind to XNAT, which it
    refuses to merge into one of images.
    """

    def __init__(self, archive: Archive, files: Files, destination: Destination, endpoint: Xnat) -> None:
        self._archive = archive
        self._files = files
        self._endpoint = endpoint
        self._web = Web(destination, endpoint)
        self._bandwidth = destination.bandwidth_bytes_per_s

    def probe(self) -> None:
        """The project, as the account sees it; all of them, where the study names it."""
        project = self._endpoint.project
        with self._conversation() as session:
            self._check_project(session, None if "{" in project else project, self._web.probe_timeout_s)

    def send(self, consignment: Consignment, progress: Progress, stopping: threading.Event) -> None:
        place = self._place(consignment)
        with self._files.temporary_file() as spool, self._conversation() as session:
            self._check_project(session, place.project)
            with zipfile.ZipFile(spool, "w") as archive:
                whole = read_whole(self._archive, consignment.study_orthanc_id)
                for number, file in enumerate(self._files.each(whole, stopping)):
                    archive.writestr(f"{number:06}.dcm", file)
            body = _Body(spool, Pace(self._bandwidth, stopping), consignment, progress)
            query = {
                "import-handler": "DICOM-zip",
                "project": place.project,
                "subject": place.subject,
                "session": place.session,
                "dest": f"/archive{place.path}",
                # What a broken sending has left there is completed, and files are the same when they are sent again.
                "overwrite": "append",
                "overwrite_files": "true",
                "Ignore-Unparsable": "true",
            }
            headers = {"Content-Type": "application/zip"}
            path = "/data/services/import"
            timeout_s = self._web.patience_s(len(body))
            answer = self._web.ask(session, "POST", path, timeout_s, params=query, data=body, headers=headers)
            self._check_import(answer, place)
        progress(len(consignment), consignment.size_bytes)

    def prove(self, consignment: Consignment, stopping: threading.Event) -> Proof:
        held: set[str] = set()
        with self._conversation() as session:
            for uri in self._listing(session, self._place(consignment)):
                give_up_when(stopping)
                held.add(self._sop_instance_uid(session, uri))
        return Proof("file_listing", self._files.uids(consignment) - held)

    @contextmanager
    def _conversation(self) -> Iterator[requests.Session]:
        """Signed in once and out again: XNAT limits how many sign-ins an account may have open."""
        with self._web.session() as session:
            try:
                yield session
            finally:
                if session.cookies:
                    with suppress(Unreachable):
                        self._web.ask(session, "DELETE", "/data/JSESSION")

    def _check_project(self, session: requests.Session, project: str | None, timeout_s: float | None = None) -> None:
        path = "/data/projects" if project is None else f"/data/projects/{quote(project)}"
        answer = self._web.ask(session, "GET", f"{path}?format=json", timeout_s)
        if answer.status_code == 404:
            remedy = f"create it, and let the user {self._endpoint.user!r} be a member of it"
            raise Unreachable(f"{self._web.name} has no project {project!r}: {remedy}.")
        if answer.status_code != 200:
            raise self._web.strange(answer, "a look at the project")

    def _check_import(self, answer: requests.Response, place: _Place) -> None:
        name = self._web.name
        if answer.status_code in _BUSY:
            raise Refused(f"{name} is busy with session {place.session} ({answer.reason}): it is tried again.")
        if answer.status_code == 404:
            raise Unreachable(f"{name} has no import service DICOM-zip: correct Url in forwarding.json.")
        if answer.status_code != 200:
            raise self._web.strange(answer, f"the import of session {place.session}")
        uris = answer.text.split()
        if not uris:
            raise Refused(
                f"{name} has filtered out every object: see the series import filter of its site and project."
            )
        for uri in uris:
            if "/prearchive/projects/Unassigned/" in uri:
                remedy = f"make the user {self._endpoint.user!r} a member of it, and delete {uri} there"
                raise Refused(f"{name} did not let the study into project {place.project!r}: {remedy}.")
            if not uri.startswith("/data/archive/"):
                raise Refused(f"{name} left the study in its prearchive: review {uri} there.")

    def _listing(self, session: requests.Session, place: _Place) -> list[str]:
        """The URI of each file of the session, of all its scans."""
        answer = self._web.ask(session, "GET", f"/data{place.path}?format=json")
        if answer.status_code == 404:
            return []
        identifier = self._json(answer)["items"][0]["data_fields"]["ID"]
        path = f"/data/experiments/{identifier}/scans/ALL/resources/DICOM/files?format=json"
        rows = self._json(self._web.ask(session, "GET", path))["ResultSet"]["Result"]
        return [row["URI"] for row in rows]

    def _sop_instance_uid(self, session: requests.Session, uri: str) -> str:
        """Which instance a file is, of which no more than the beginning is fetched."""
        with self._web.ask(session, "GET", uri, stream=True) as answer:
            if answer.status_code != 200:
                return ""
            head = next(answer.iter_content(_HEAD_BYTES), b"")
        end = _META_OFFSET + int.from_bytes(head[_LENGTH_OFFSET:_META_OFFSET], "little")
        if end > len(head):
            return ""
        return str(dcmread(BytesIO(head[:end]), force=True).file_meta.get("MediaStorageSOPInstanceUID", ""))

    def _json(self, answer: requests.Response) -> Any:
        if answer.status_code != 200:
            raise self._web.strange(answer, "a question about what it holds")
        return answer.json()

    def _place(self, consignment: Consignment) -> _Place:
        """The labels. Those of a de-identified study are made of its pseudonyms alone."""
        tags = self._archive.get(f"/studies/{consignment.study_orthanc_id}")["MainDicomTags"]
        series = self._archive.get(f"/studies/{consignment.study_orthanc_id}/series")
        held = {each["MainDicomTags"].get("Modality", "") for each in series}
        deidentifier = self._files.deidentifier
        patient, date = consignment.patient_id, tags.get("StudyDate", "")
        if deidentifier:
            patient, date = deidentifier.patient_pseudonym(patient), _moved(date, consignment.patient_id, deidentifier)
        values = {
            "patient": patient,
            "study": self._files.uid(consignment.study_instance_uid),
            "date": date,
            "modality": next((each for each in (*_MODALITIES, *sorted(held)) if each in held), ""),
        }
        templates = self._endpoint.project, self._endpoint.subject, self._endpoint.session
        return _Place(*(_label(template.format_map(values)) for template in templates))


class _Body:
    """A file, sent at the pace configured, that says how far it is. Its length is known."""

    def __init__(self, spool: IO[bytes], pace: Pace, consignment: Consignment, progress: Progress) -> None:
        self._spool = spool
        self._pace = pace
        self._consignment = consignment
        self._progress = progress
        self._size = spool.seek(0, 2)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[memoryview]:
        self._spool.seek(0)
        sent = 0
        while content := self._spool.read(16 * PIECE_BYTES):
            yield from self._pace.pieces(content)
            sent += len(content)
            share = sent / self._size
            self._progress(int(share * len(self._consignment)), int(share * self._consignment.size_bytes))


def _label(text: str) -> str:
    """XNAT's labels have letters, digits, hyphens and underscores."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text.strip()) or "unknown"


def _moved(date: str, patient_id: str, deidentifier: Deidentifier) -> str:
    """The date that stands in the de-identified files; none where dates are removed."""
    shift = deidentifier.date_shift(patient_id)
    if not re.fullmatch("[0-9]{8}", date) or not (shift or Option.RETAIN_FULL_DATES in deidentifier.profile.options):
        return ""
    return f"{datetime.strptime(date, '%Y%m%d') + shift:%Y%m%d}"
