"""The archive that plugins see, over HTTP: lets a test run the plugins' own code against a real Orthanc."""

from __future__ import annotations

from collections.abc import Mapping

import requests

from host.archive import ArchiveError, Json, StoredInstance, UnknownResource
from integration.containers import Client, OrthancServer


class RemoteArchive:
    """Implements ``host.archive.Archive``, with the messages that Orthanc gives its plugins."""

    def __init__(self, server: OrthancServer) -> None:
        self._server = server

    def get(self, path: str) -> Json:
        return self._ask("GET", path).json()

    def post(self, path: str, body: Mapping[str, Json]) -> Json:
        return self._ask("POST", path, json=body).json()

    def find_instance(self, identifier: str) -> str | None:
        return self._find("Instance", identifier)

    def find_study(self, identifier: str) -> str | None:
        return self._find("Study", identifier)

    def read_instance(self, orthanc_id: str) -> bytes:
        return self._ask("GET", f"/instances/{orthanc_id}/file").content

    def read_transcoded(self, orthanc_id: str, transfer_syntax_uid: str) -> bytes:
        return self._ask("GET", f"/instances/{orthanc_id}/file?transcode={transfer_syntax_uid}").content

    def store_instance(self, dicom: bytes) -> StoredInstance:
        answer = self._ask("POST", "/instances", data=dicom).json()
        return StoredInstance(answer["ID"], "stored" if answer["Status"] == "Success" else "already_stored")

    def attach(self, orthanc_id: str, name: str, content: bytes) -> None:
        self._ask("PUT", f"/instances/{orthanc_id}/attachments/{name}", data=content)

    def read_attachment(self, orthanc_id: str, name: str) -> bytes | None:
        try:
            return self._ask("GET", f"/instances/{orthanc_id}/attachments/{name}/data").content
        except UnknownResource:
            return None

    def _find(self, level: str, identifier: str) -> str | None:
        found = self._ask("POST", "/tools/lookup", data=identifier).json()
        return next((str(entry["ID"]) for entry in found if entry["Type"] == level), None)

    def _ask(self, method: str, path: str, **options: object) -> requests.Response:
        with Client(self._server.http_port, "admin") as client:
            answer = client.request(method, path, **options)
        if answer.ok:
            return answer
        reason = answer.json().get("OrthancError", answer.reason)
        kind = UnknownResource if answer.status_code == 404 else ArchiveError
        raise kind(f"{method} {path}: {reason}")
