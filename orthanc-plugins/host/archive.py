"""What plugins may ask of the archive. The real one is ``host.orthanc_archive``; tests use a small double."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Json = Any


class ArchiveError(Exception):
    """The archive did not do what was asked. A passing fault as far as is known: worth another try."""


class UnknownResource(ArchiveError):
    """The archive does not hold the resource (any more)."""


class InvalidDicom(ArchiveError):
    """The archive will never store what it was given; the message is the reason."""


@dataclass(frozen=True, slots=True)
class StoredInstance:
    """What storing one instance led to."""

    orthanc_id: str
    result: Literal["stored", "already_stored"]


class Archive(Protocol):
    """The archive, seen from a plugin: read, store, find, attach, send."""

    def get(self, path: str) -> Json:
        """The JSON answer of the archive's own REST route ``path``. Raises UnknownResource or ArchiveError."""
        ...

    def post(self, path: str, body: Mapping[str, Json]) -> Json:
        """The JSON answer of a POST to the archive's own REST route. Raises UnknownResource or ArchiveError."""
        ...

    def find_instance(self, identifier: str) -> str | None:
        """The archive's identifier of an instance, given that identifier or a SOP Instance UID; None if unknown."""
        ...

    def find_study(self, identifier: str) -> str | None:
        """The archive's identifier of a study, given that identifier or a Study Instance UID; None if unknown."""
        ...

    def read_instance(self, orthanc_id: str) -> bytes:
        """The DICOM file of an instance. Raises UnknownResource."""
        ...

    def read_transcoded(self, orthanc_id: str, transfer_syntax_uid: str) -> bytes:
        """The same in another transfer syntax. Raises UnknownResource, or ArchiveError when that cannot be had."""
        ...

    def store_instance(self, dicom: bytes) -> StoredInstance:
        """Store a DICOM file. Raises InvalidDicom, or ArchiveError when the archive cannot store now (disk full)."""
        ...

    def attach(self, orthanc_id: str, name: str, content: bytes) -> None:
        """Attach content to an instance, replacing what had this name. Raises UnknownResource."""
        ...

    def read_attachment(self, orthanc_id: str, name: str) -> bytes | None:
        """The content attached to an instance under this name, or None."""
        ...
