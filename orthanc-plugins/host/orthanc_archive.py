"""The archive that plugins see, on top of Orthanc's plugin SDK. Never called before Orthanc has started."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

import orthanc

from host.archive import ArchiveError, InvalidDicom, Json, StoredInstance, UnknownResource

#: What Orthanc says of a file that it will never store.
_INVALID = {
    orthanc.ErrorCode.BAD_FILE_FORMAT: "the DICOM file is damaged or cut off",
    orthanc.ErrorCode.CORRUPTED_FILE: "the DICOM file is damaged or cut off",
    orthanc.ErrorCode.INEXISTENT_TAG: "it lacks its Patient ID or one of its Study, Series and SOP Instance UIDs",
}


class OrthancArchive:
    """Implements ``host.archive.Archive`` inside Orthanc; every method may be called from any thread."""

    def get(self, path: str) -> Json:
        try:
            return json.loads(orthanc.RestApiGet(path))
        except orthanc.OrthancException as error:
            _translate(error, f"GET {path}")

    def post(self, path: str, body: Mapping[str, Json]) -> Json:
        try:
            answer = orthanc.RestApiPost(path, json.dumps(body).encode())
        except orthanc.OrthancException as error:
            _translate(error, f"POST {path}")
        return json.loads(answer) if answer else None

    def find_instance(self, identifier: str) -> str | None:
        return self._find("Instance", "/instances/", identifier)

    def find_study(self, identifier: str) -> str | None:
        return self._find("Study", "/studies/", identifier)

    def _find(self, level: str, route: str, identifier: str) -> str | None:
        # An Orthanc identifier is a SHA-1 in five groups; a UID has digits and dots alone.
        if "-" in identifier:
            try:
                return str(self.get(route + identifier)["ID"])
            except UnknownResource:
                return None
        # Not orthanc.LookupInstance: for an unknown UID it raises the same "internal error" as for a real fault.
        try:
            found = json.loads(orthanc.RestApiPost("/tools/lookup", identifier.encode()))
        except orthanc.OrthancException as error:
            _translate(error, f"looking up {identifier}")
        return next((str(entry["ID"]) for entry in found if entry["Type"] == level), None)

    def read_instance(self, orthanc_id: str) -> bytes:
        try:
            return bytes(orthanc.GetDicomForInstance(orthanc_id))
        except orthanc.OrthancException as error:
            _translate(error, f"reading instance {orthanc_id}")

    def read_transcoded(self, orthanc_id: str, transfer_syntax_uid: str) -> bytes:
        path = f"/instances/{orthanc_id}/file?transcode={transfer_syntax_uid}"
        try:
            return bytes(orthanc.RestApiGet(path))
        except orthanc.OrthancException as error:
            _translate(error, f"transcoding instance {orthanc_id}")

    def store_instance(self, dicom: bytes) -> StoredInstance:
        try:
            answer = json.loads(orthanc.RestApiPost("/instances", dicom))
        except orthanc.OrthancException as error:
            reason = _INVALID.get(error.args[0]) if error.args else None
            if reason is not None:
                raise InvalidDicom(reason) from error
            _translate(error, "storing an instance")
        if not isinstance(answer, dict) or answer.get("Status") not in ("Success", "AlreadyStored"):
            raise ArchiveError("Orthanc did not store the instance")
        return StoredInstance(answer["ID"], "stored" if answer["Status"] == "Success" else "already_stored")

    def attach(self, orthanc_id: str, name: str, content: bytes) -> None:
        try:
            orthanc.RestApiPut(f"/instances/{orthanc_id}/attachments/{name}", content)
        except orthanc.OrthancException as error:
            _translate(error, f"attaching {name} to instance {orthanc_id}")

    def read_attachment(self, orthanc_id: str, name: str) -> bytes | None:
        try:
            return bytes(orthanc.RestApiGet(f"/instances/{orthanc_id}/attachments/{name}/data"))
        except orthanc.OrthancException as error:
            if _is_unknown(error):
                return None
            _translate(error, f"reading {name} of instance {orthanc_id}")


def _is_unknown(error: Any) -> bool:
    codes = (orthanc.ErrorCode.UNKNOWN_RESOURCE, orthanc.ErrorCode.INEXISTENT_ITEM)
    return bool(error.args) and error.args[0] in codes


def _translate(error: Any, action: str) -> NoReturn:
    reason = error.args[-1] if error.args else error
    kind = UnknownResource if _is_unknown(error) else ArchiveError
    raise kind(f"{action}: {reason}") from error
