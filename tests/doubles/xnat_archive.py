"""What the XNAT double keeps: projects, users, sessions; and what becomes of an import. It knows nothing of HTTP."""

from __future__ import annotations

import hashlib
import struct
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import quote, unquote

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

#: The kind of a session is that of the first of these modalities that it has; XNAT merges no two kinds.
SESSION_TYPES = {
    "PT": "xnat:petSessionData",
    "MR": "xnat:mrSessionData",
    "CT": "xnat:ctSessionData",
    "RTSTRUCT": "xnat:rtSessionData",
    "RTDOSE": "xnat:rtSessionData",
    "RTPLAN": "xnat:rtSessionData",
}
_HAS_DATA_DESCRIPTOR = 0x0008


class Answer(Exception):
    """What XNAT answers instead of doing it: a status, and a message in the reason phrase."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass
class Scan:
    identifier: str
    series_instance_uid: str
    modality: str
    number: int
    #: File name to where its content lies.
    files: dict[str, Path] = field(default_factory=dict)


@dataclass
class Session:
    identifier: str
    project: str
    subject: str
    label: str
    kind: str
    study_instance_uid: str
    scans: dict[str, Scan] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        return f"/data/archive/projects/{self.project}/subjects/{quote(self.subject)}/experiments/{quote(self.label)}"


@dataclass
class Project:
    identifier: str
    #: User to role: Owners and Members may write, Collaborators read.
    users: dict[str, str] = field(default_factory=dict)


class XnatArchive:
    """Everything below one folder.

    Attributes
    ----------
    faults
        What the next imports do instead of succeeding, one word each: ``busy``, ``locked``, ``prearchive``,
        ``filtered`` (every object is), ``loses`` (an empty shell of a session), ``loses_one``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.projects: dict[str, Project] = {}
        self.sessions: dict[tuple[str, str], Session] = {}
        self.faults: list[str] = []
        self.lock = threading.RLock()

    def may_write(self, user: str, project: str) -> bool:
        known = self.projects.get(project)
        return known is not None and (user == "admin" or known.users.get(user) in ("Owners", "Members"))

    def session(self, identifier: str, project: str | None = None) -> Session:
        for each in self.sessions.values():
            if identifier == each.identifier or (project == each.project and identifier == each.label):
                return each
        raise Answer(404, f"Unable to find the specified experiment {identifier}.")

    def import_zip(self, body: IO[bytes], user: str, query: dict[str, str]) -> list[str]:
        """The import handler DICOM-zip: the URIs of what came of it."""
        with self.lock:
            fault = self.faults.pop(0) if self.faults else ""
            if fault == "busy":
                raise Answer(409, "Session processing may already be in progress: Merge. Try again.")
            if fault == "locked":
                raise Answer(423, "Duplicate archive attempt. Destination session in use.")
            objects = list(self._read_objects(body, query.get("Ignore-Unparsable") == "true"))
            if fault == "filtered":
                return []
            if not objects:
                raise Answer(400, "unable to read data from file: no DICOM object")
            project, subject, label, is_archive = _destination(query, objects[0][0])
            if not self.may_write(user, project):
                return [f"/data/prearchive/projects/Unassigned/20260101_120000000/{quote(label)}"]
            if fault == "prearchive" or not is_archive:
                return [f"/data/prearchive/projects/{project}/20260101_120000000/{quote(label)}"]
            session = self._archive(project, subject, label, objects, query)
            if fault == "loses":
                session.scans.clear()
            if fault == "loses_one":
                next(iter(session.scans.values())).files.popitem()
            return [session.uri]

    def _archive(
        self, project: str, subject: str, label: str, objects: list[tuple[Dataset, Path]], query: dict[str, str]
    ) -> Session:
        kind = _kind(dataset for dataset, _ in objects)
        study = str(objects[0][0].StudyInstanceUID)
        session = self.sessions.get((project, label))
        if session is None:
            session = Session(f"XNAT_E{len(self.sessions) + 1:05}", project, subject, label, kind, study)
            self.sessions[project, label] = session
        else:
            _check_conflicts(session, subject, kind, study, query)
        for dataset, arrived in objects:
            scan = _scan_of(session, dataset)
            name = _file_name(dataset)
            if name in scan.files and query.get("overwrite_files") != "true":
                raise Answer(400, "Failed to archive 1 of 1 session(s): file already exists")
            place = self.folder / session.identifier / scan.identifier / name
            place.parent.mkdir(parents=True, exist_ok=True)
            arrived.replace(place)
            scan.files[name] = place
        return session

    def _read_objects(self, body: IO[bytes], ignore_unparsable: bool) -> Iterator[tuple[Dataset, Path]]:
        """The DICOM objects in a ZIP, as Java's ZipInputStream reads it, each in a file of its own."""
        try:
            archive = zipfile.ZipFile(body)
        except zipfile.BadZipFile as error:
            raise Answer(400, "unable to read data from file") from error
        with archive:
            for number, entry in enumerate(archive.infolist()):
                # Of an entry that is stored as it is, ZipInputStream must know the size beforehand.
                if entry.compress_type == zipfile.ZIP_STORED and _flags_of(body, entry) & _HAS_DATA_DESCRIPTOR:
                    raise Answer(400, "unable to read data from file: only DEFLATED entries can have EXT descriptor")
                arrived = self.folder / f"arrived-{number}"
                arrived.write_bytes(archive.read(entry))
                try:
                    yield dcmread(arrived, stop_before_pixels=True), arrived
                except InvalidDicomError as error:
                    if not ignore_unparsable:
                        raise Answer(400, f"unable to read DICOM object {entry.filename}") from error


def _flags_of(body: IO[bytes], entry: zipfile.ZipInfo) -> int:
    """The general purpose flags in the local header, which is all that a stream shows."""
    here = body.tell()
    body.seek(entry.header_offset + 6)
    (flags,) = struct.unpack("<H", body.read(2))
    body.seek(here)
    return int(flags)


def _destination(query: dict[str, str], first: Dataset) -> tuple[str, str, str, bool]:
    parts = query.get("dest", "").strip("/").split("/")
    named = dict(zip(parts[1::2], map(unquote, parts[2::2]), strict=False))
    project = query.get("project") or named.get("projects", "")
    subject = query.get("subject") or named.get("subjects") or str(first.get("PatientName", ""))
    label = query.get("session") or named.get("experiments") or str(first.get("PatientID", ""))
    return project, _clean(subject), _clean(label), parts[0] == "archive"


def _clean(label: str) -> str:
    return "".join(each if each.isalnum() or each in "-_" else "_" for each in label)


def _check_conflicts(session: Session, subject: str, kind: str, study: str, query: dict[str, str]) -> None:
    def conflict(reason: str) -> Answer:
        return Answer(400, f"Failed to archive 1 of 1 session(s): {reason}")

    if query.get("overwrite") not in ("append", "delete"):
        raise conflict("Session already exists, retry with overwrite enabled")
    if session.subject != subject:
        raise conflict(f"Invalid modification of session subject: {session.label} Already Exists for another Subject")
    if session.kind != kind:
        raise conflict("Invalid modification of session modality via archive process.")
    if session.study_instance_uid != study:
        raise conflict("Invalid modification of session UID via archive process.")


def _kind(datasets: Iterator[Dataset]) -> str:
    modalities = {str(dataset.get("Modality", "")) for dataset in datasets}
    return next((kind for each, kind in SESSION_TYPES.items() if each in modalities), "xnat:otherDicomSessionData")


def _scan_of(session: Session, dataset: Dataset) -> Scan:
    series = str(dataset.SeriesInstanceUID)
    for scan in session.scans.values():
        if scan.series_instance_uid == series:
            return scan
    modality = str(dataset.get("Modality", "OT"))
    wanted = str(dataset.get("SeriesNumber") or "") or f"{modality}1"
    identifier, number = wanted, 0
    while identifier in session.scans:
        number += 1
        identifier = f"{wanted}-{modality}{number}"
    session.scans[identifier] = Scan(identifier, series, modality, len(session.scans) + 1)
    return session.scans[identifier]


def _file_name(dataset: Dataset) -> str:
    unique = hashlib.sha1(f"{dataset.SOPClassUID}{dataset.SOPInstanceUID}".encode()).hexdigest()[:8]
    numbers = [str(dataset.get(keyword) or 0) for keyword in ("SeriesNumber", "InstanceNumber")]
    return "-".join([str(dataset.StudyInstanceUID), *numbers, unique]) + ".dcm"
