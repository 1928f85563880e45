"""Stores files one by one and says of each what became of it: one bad file never costs the others."""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Iterable, Iterator

import pydicom
from pydicom.errors import InvalidDicomError

from host.archive import Archive, ArchiveError, InvalidDicom, StoredInstance
from rtstruct.elements import SOP_INSTANCE_UID, STUDY_INSTANCE_UID, value
from rtstruct.image_elements import walk_head
from rtstruct.text import plain
from rtstruct.walk import Damage, Unexpected
from upload.archives import RefusedZip, ZipLimits, is_zip, members_of
from upload.models import UploadAnswer, UploadedFile

logger = logging.getLogger("pacs.upload")

#: Media Storage Directory Storage: a DICOMDIR lists other files and is no image.
_DICOMDIR = b"1.2.840.10008.1.3.10"
#: Before an instance that the archive did not take is tried again.
_PAUSES_S = (0.1, 0.3)


class ArchiveUnavailable(Exception):
    """Nothing of the request could be stored, for a reason that lies with the archive and may pass."""


class Uploader:
    """Stores what a request brings."""

    def __init__(self, archive: Archive, limits: ZipLimits) -> None:
        self._archive = archive
        self._limits = limits

    def upload(self, files: Iterable[tuple[str, bytes]]) -> UploadAnswer:
        """Store these files (name, content); those that are ZIP archives are unpacked.

        Raises
        ------
        ArchiveUnavailable
            If nothing was stored and the archive itself is the reason.
        """
        results: list[UploadedFile] = []
        faults = 0
        for name, content in files:
            for result, fault in self._store(name, content):
                results.append(result)
                faults += fault
        counts = {
            kind: sum(file.result == kind for file in results) for kind in ("stored", "already_stored", "rejected")
        }
        if faults and faults == len(results):
            raise ArchiveUnavailable
        if len(results) > 1 or counts["rejected"]:
            # Names of files may hold names of patients: only counts are logged.
            logger.info("Upload: %(stored)d stored, %(already_stored)d already stored, %(rejected)d rejected", counts)
        return UploadAnswer(files=results, **counts)

    def _store(self, name: str, content: bytes) -> Iterator[tuple[UploadedFile, bool]]:
        if not is_zip(content):
            yield self._store_dicom(name, content)
            return
        try:
            members = members_of(content, self._limits)
        except RefusedZip as error:
            yield _rejected(name, str(error)), False
            return
        empty = True
        for member in members:
            empty = False
            path = f"{name}/{member.name}"
            if member.reason is not None:
                yield _rejected(path, member.reason), False
            elif is_zip(member.content):
                yield _rejected(path, "it is a ZIP archive within a ZIP archive: send it by itself"), False
            else:
                yield self._store_dicom(path, member.content)
        if empty:
            yield _rejected(name, "the ZIP archive holds no file"), False

    def _store_dicom(self, name: str, content: bytes) -> tuple[UploadedFile, bool]:
        if not content:
            return _rejected(name, "the file is empty"), False
        try:
            stored = self._store_patiently(content)
        except InvalidDicom as error:
            return _rejected(name, _why_invalid(content, error)), False
        except ArchiveError as error:
            logger.error("An instance could not be stored: %s", error)
            return _rejected(name, "the archive cannot store now: its disk may be full; try again later"), True
        sop_instance_uid, study_instance_uid = _uids(content)
        file = UploadedFile(
            name=name,
            result=stored.result,
            orthanc_id=stored.orthanc_id,
            sop_instance_uid=sop_instance_uid,
            study_instance_uid=study_instance_uid,
        )
        return file, False

    def _store_patiently(self, content: bytes) -> StoredInstance:
        """Store, trying again after a moment.

        Instances of one study that are stored side by side compete for its rows, and PostgreSQL makes the losers start
        over; Orthanc does so a number of times, and then gives up.
        """
        for pause_s in _PAUSES_S:
            try:
                return self._archive.store_instance(content)
            except InvalidDicom:
                raise
            except ArchiveError:
                time.sleep(pause_s)
        return self._archive.store_instance(content)


def _rejected(name: str, reason: str) -> UploadedFile:
    return UploadedFile(name=name, result="rejected", reason=reason)


def _why_invalid(content: bytes, error: InvalidDicom) -> str:
    if content[128:132] != b"DICM":
        return "it is not a DICOM file"
    if _DICOMDIR in content[:1024]:
        return "it is a DICOMDIR, which only lists other files: send those"
    return str(error)


def _uids(content: bytes) -> tuple[str | None, str | None]:
    """SOP and Study Instance UID of a file that the archive has accepted."""
    try:
        # Takes a tenth of pydicom's time, which counts where each image is a request.
        item, _ = walk_head(content, {SOP_INSTANCE_UID: None, STUDY_INSTANCE_UID: None}, before=STUDY_INSTANCE_UID + 1)
        return plain(value(item, SOP_INSTANCE_UID)) or None, plain(value(item, STUDY_INSTANCE_UID)) or None
    except (Unexpected, Damage):
        return _uids_by_pydicom(content)


def _uids_by_pydicom(content: bytes) -> tuple[str | None, str | None]:
    tags = ["SOPInstanceUID", "StudyInstanceUID"]
    try:
        dataset = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True, force=True, specific_tags=tags)
        return (str(dataset.get(tags[0]) or "") or None, str(dataset.get(tags[1]) or "") or None)
    except (
        InvalidDicomError,
        EOFError,
        ValueError,
        KeyError,
        TypeError,
        NotImplementedError,
        AttributeError,
    ):
        # Orthanc reads some files that pydicom does not; the instance is stored, its UIDs are a convenience.
        return None, None
