"""An archive in memory that answers as Orthanc documents it.

What is stored is parsed by pydicom; identifiers, tags by level, changes, counts and errors are Orthanc's.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pydicom
from pydicom.multival import MultiValue
from pydicom.uid import ExplicitVRLittleEndian

from host.archive import ArchiveError, InvalidDicom, Json, StoredInstance, UnknownResource
from host.events import Events, InstanceStored, Level, ResourceDeleted
from unit.host.dicom_files import assert_whole, orthanc_id, texts_of

LEVELS: tuple[Level, ...] = ("patient", "study", "series", "instance")
_COLLECTIONS: dict[str, Level] = {
    "patients": "patient",
    "studies": "study",
    "series": "series",
    "instances": "instance",
}
#: Orthanc's DefaultDicomMapping, as far as anybody here reads it.
MAIN_TAGS: dict[Level, tuple[str, ...]] = {
    "patient": ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "OtherPatientIDs"),
    "study": (
        "StudyDate",
        "StudyTime",
        "StudyID",
        "StudyDescription",
        "AccessionNumber",
        "StudyInstanceUID",
        "ReferringPhysicianName",
        "InstitutionName",
    ),
    "series": (
        "SeriesDate",
        "SeriesTime",
        "Modality",
        "Manufacturer",
        "StationName",
        "SeriesDescription",
        "BodyPartExamined",
        "SeriesNumber",
        "SeriesInstanceUID",
    ),
    "instance": ("InstanceNumber", "SOPInstanceUID", "SOPClassUID"),  # the last by our ExtraMainDicomTags
}


@dataclass
class _Stored:
    dicom: bytes
    ids: dict[Level, str]
    tags: dict[Level, dict[str, str]]
    sop_class_uid: str
    received: datetime
    attachments: dict[str, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self.dicom) + sum(map(len, self.attachments.values()))


class ArchiveDouble:
    """Implements ``host.archive.Archive``.

    Parameters
    ----------
    events
        Told of arrivals, changes and deletions as the server would tell them.
    """

    def __init__(self, events: Events | None = None) -> None:
        self.events = events or Events()
        self.instances: dict[str, _Stored] = {}
        self.changes: list[dict[str, Any]] = []
        self.last_change = 0
        self.modalities: list[str] = []
        #: Of studies, by their Orthanc identifier.
        self.labels: dict[str, set[str]] = {}
        self.unstable: set[str] = set()
        self.now = datetime.now(UTC)
        self.calls: list[tuple[str, str]] = []
        self._faults: list[tuple[str, str, Exception, int]] = []

    def fail(self, operation: str, error: Exception, times: int = 1, about: str = "") -> None:
        """Let the next ``times`` calls of ``operation`` (whose first argument holds ``about``) raise ``error``."""
        self._faults.append((operation, about, error, times))

    def count(self, operation: str) -> int:
        """How often ``operation`` was called."""
        return sum(name == operation for name, _ in self.calls)

    # What host.archive.Archive asks for

    def get(self, path: str) -> Json:
        self._call("get", path)
        url = urlsplit(path)
        query = {name: values[-1] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        parts = url.path.strip("/").split("/")
        roots: dict[str, Callable[[], Json]] = {
            "system": lambda: {"Name": "double", "Version": "1.13.0", "DatabaseBackendPlugin": None},
            "statistics": self._statistics,
            "modalities": lambda: list(self.modalities),
            "changes": lambda: self._changes(query),
        }
        if parts[0] in roots and len(parts) == 1:
            return roots[parts[0]]()
        if parts[0] not in _COLLECTIONS:
            raise UnknownResource(f"GET {path}: unknown resource")
        return self._resource(_COLLECTIONS[parts[0]], parts[1:], query)

    def post(self, path: str, body: Mapping[str, Json]) -> Json:
        self._call("post", path)
        if path == "/tools/find":
            return self._find(body)
        if match := re.fullmatch("/modalities/([^/]+)/echo", path):
            if match[1] not in self.modalities:
                raise UnknownResource(f"POST {path}: unknown modality")
            return {}
        raise UnknownResource(f"POST {path}: unknown resource")

    def find_instance(self, identifier: str) -> str | None:
        self._call("find_instance", identifier)
        if identifier in self.instances:
            return identifier
        found = (
            key for key, stored in self.instances.items() if stored.tags["instance"]["SOPInstanceUID"] == identifier
        )
        return next(found, None)

    def find_study(self, identifier: str) -> str | None:
        self._call("find_study", identifier)
        found = (
            stored.ids["study"]
            for stored in self.instances.values()
            if identifier in (stored.ids["study"], stored.tags["study"]["StudyInstanceUID"])
        )
        return next(found, None)

    def read_instance(self, orthanc_id: str) -> bytes:
        self._call("read_instance", orthanc_id)
        return self._instance(orthanc_id).dicom

    def read_transcoded(self, orthanc_id: str, transfer_syntax_uid: str) -> bytes:
        self._call("read_transcoded", orthanc_id)
        if transfer_syntax_uid != ExplicitVRLittleEndian:
            raise ArchiveError("transcoding: not supported")
        dataset = pydicom.dcmread(io.BytesIO(self._instance(orthanc_id).dicom))
        try:
            dataset.decompress(generate_instance_uid=False)
        except Exception as error:
            raise ArchiveError("decoding: not supported") from error
        buffer = io.BytesIO()
        dataset.save_as(buffer)
        return buffer.getvalue()

    def store_instance(self, dicom: bytes) -> StoredInstance:
        self._call("store_instance", "")
        stored = _parse(dicom, self.now)
        identifier = stored.ids["instance"]
        if identifier in self.instances:
            self.events.instance_stored.publish(InstanceStored(identifier, stored.sop_class_uid))
            return StoredInstance(identifier, "already_stored")
        new = [level for level in LEVELS if not self._members(level, stored.ids[level])]
        self.instances[identifier] = stored
        for level in reversed(new):
            self._change(f"New{level.capitalize()}", level, stored.ids[level])
        self.events.instance_stored.publish(InstanceStored(identifier, stored.sop_class_uid))
        self.events.changed.publish(None)
        return StoredInstance(identifier, "stored")

    def attach(self, orthanc_id: str, name: str, content: bytes) -> None:
        self._call("attach", name)
        self._instance(orthanc_id).attachments[name] = content

    def read_attachment(self, orthanc_id: str, name: str) -> bytes | None:
        self._call("read_attachment", name)
        stored = self.instances.get(orthanc_id)
        return stored.attachments.get(name) if stored else None

    # What others do to an archive

    def delete(self, level: Level, identifier: str) -> None:
        """Delete a resource, and the parents that it leaves empty; all of them are announced, none is in /changes."""
        gone = self._members(level, identifier)
        if not gone:
            raise UnknownResource(f"DELETE {identifier}: unknown resource")
        for stored in gone:
            del self.instances[stored.ids["instance"]]
        told: set[str] = set()
        for each in reversed(LEVELS):
            for stored in gone:
                identifier = stored.ids[each]
                if identifier not in told and not self._members(each, identifier):
                    told.add(identifier)
                    self.events.resource_deleted.publish(ResourceDeleted(each, identifier))

    def empty_changes(self, restart_numbers: bool = False) -> None:
        """DELETE /changes; with ``restart_numbers`` as after restoring an older database."""
        self.changes.clear()
        if restart_numbers:
            self.last_change = 0

    # Orthanc's routes

    def _call(self, operation: str, about: str) -> None:
        self.calls.append((operation, about))
        for index, (name, part, error, times) in enumerate(self._faults):
            if name == operation and part in about:
                self._faults[index : index + 1] = [(name, part, error, times - 1)] if times > 1 else []
                raise error

    def _instance(self, identifier: str) -> _Stored:
        if identifier not in self.instances:
            raise UnknownResource(f"instance {identifier}: unknown resource")
        return self.instances[identifier]

    def _members(self, level: Level, identifier: str) -> list[_Stored]:
        return [stored for stored in self.instances.values() if stored.ids[level] == identifier]

    def _all(self, level: Level) -> list[str]:
        return list(dict.fromkeys(stored.ids[level] for stored in self.instances.values()))

    def _change(self, kind: str, level: Level, identifier: str) -> None:
        self.last_change += 1
        self.changes.append(
            {
                "ChangeType": kind,
                "Date": f"{self.now:%Y%m%dT%H%M%S}",
                "ID": identifier,
                "ResourceType": level.capitalize(),
                "Seq": self.last_change,
            }
        )

    def _changes(self, query: Mapping[str, str]) -> Json:
        since, limit = int(query.get("since", 0)), int(query.get("limit", 100))
        later = [change for change in self.changes if change["Seq"] > since]
        page = self.changes[-1:] if "last" in query else later[:limit]
        # Orthanc: of an empty page, "Last" is the number of the last change there ever was.
        last = page[-1]["Seq"] if page else self.last_change
        return {"Changes": page, "Done": len(page) == len(later), "Last": last}

    def _statistics(self) -> Json:
        counts = {f"Count{name.capitalize()}": len(self._all(level)) for name, level in _COLLECTIONS.items()}
        size = sum(stored.size for stored in self.instances.values())
        return {**counts, "TotalDiskSize": str(size), "TotalDiskSizeMB": size >> 20}

    def _resource(self, level: Level, parts: list[str], query: Mapping[str, str]) -> Json:
        if not parts:
            since, limit = int(query.get("since", 0)), int(query.get("limit", 0)) or None
            page = self._all(level)[since:][:limit]
            return [self._describe(level, identifier) for identifier in page] if "expand" in query else page
        identifier = parts[0]
        members = self._members(level, identifier)
        if not members:
            raise UnknownResource(f"{level} {identifier}: unknown resource")
        if len(parts) == 1:
            return self._describe(level, identifier)
        if parts[1] == "statistics":
            size = sum(stored.size for stored in members)
            counted = {"CountInstances": len(members), "CountSeries": len({m.ids["series"] for m in members})}
            return {**counted, "DiskSize": str(size), "DiskSizeMB": size >> 20}
        if parts[1] == "metadata" and level == "instance":
            date = f"{members[0].received:%Y%m%dT%H%M%S}"
            return {"ReceptionDate": date, "SopClassUid": members[0].sop_class_uid, "RemoteAET": "TEST"}
        if parts[1] in _COLLECTIONS:
            below = _COLLECTIONS[parts[1]]
            children = dict.fromkeys(stored.ids[below] for stored in members)
            described = [self._describe(below, child) for child in children]
            if "requested-tags" in query:
                for each in described:
                    each["RequestedTags"] = self._requested(each["ID"], query["requested-tags"].split(";"))
            return described
        raise UnknownResource(f"{level} {identifier}/{parts[1]}: unknown resource")

    def _describe(self, level: Level, identifier: str) -> dict[str, Json]:
        members = self._members(level, identifier)
        first = members[0]
        answer: dict[str, Json] = {
            "ID": identifier,
            "Type": level.capitalize(),
            "MainDicomTags": first.tags[level],
        }
        depth = LEVELS.index(level)
        if depth > 0:
            answer[f"Parent{LEVELS[depth - 1].capitalize()}"] = first.ids[LEVELS[depth - 1]]
        if depth < 3:
            children = {"study": "Studies", "series": "Series", "instance": "Instances"}[LEVELS[depth + 1]]
            answer[children] = list(dict.fromkeys(stored.ids[LEVELS[depth + 1]] for stored in members))
        if level == "study":
            answer["PatientMainDicomTags"] = first.tags["patient"]
            answer["Labels"] = sorted(self.labels.get(identifier, ()))
            answer["IsStable"] = identifier not in self.unstable
        if level == "instance":
            answer["FileSize"] = len(first.dicom)
        return answer

    def _requested(self, instance: str, names: list[str]) -> dict[str, Json]:
        dataset = pydicom.dcmread(io.BytesIO(self.instances[instance].dicom), specific_tags=list(names), force=True)
        values = {name: dataset[name].value for name in names if name in dataset}
        return {
            name: "\\".join(map(str, value)) if isinstance(value, MultiValue) else str(value)
            for name, value in values.items()
        }

    def _find(self, body: Mapping[str, Json]) -> Json:
        level = next(level for level in LEVELS if level.capitalize() == body["Level"])
        found = [self._describe(level, identifier) for identifier in self._all(level)]
        labels = set(body.get("Labels", ()))
        found = [each for each in found if not labels or labels & self.labels.get(str(each["ID"]), set())]
        wanted = body["Query"].items()
        found = [each for each in found if all(each["MainDicomTags"].get(name) == value for name, value in wanted)]
        found = found[body.get("Since", 0) :][: body.get("Limit") or None]
        return found if body.get("Expand") else [each["ID"] for each in found]


def _parse(dicom: bytes, now: datetime) -> _Stored:
    try:
        dataset = pydicom.dcmread(io.BytesIO(dicom), force=True)
        assert_whole(dataset)
        tags = {level: texts_of(dataset, MAIN_TAGS[level]) for level in LEVELS}
        sop_class_uid = str(dataset.get("SOPClassUID", ""))
    except Exception as error:
        raise InvalidDicom("the DICOM file is damaged or cut off") from error
    uids = [
        tags["patient"].get("PatientID", ""),
        tags["study"].get("StudyInstanceUID", ""),
        tags["series"].get("SeriesInstanceUID", ""),
        tags["instance"].get("SOPInstanceUID", ""),
    ]
    if not all(uids[1:]):
        raise InvalidDicom("it lacks its Patient ID or one of its Study, Series and SOP Instance UIDs")
    ids = {level: orthanc_id(*uids[: depth + 1]) for depth, level in enumerate(LEVELS)}
    return _Stored(dicom, ids, tags, sop_class_uid, now)
