"""Reads from Orthanc what rules ask about a study, and what a delivery takes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from forwarding.model import Consignment, Instance
from forwarding.rules import StudyFacts
from host.archive import Archive, Json, UnknownResource
from store.deliveries import Claim, StudyToDeliver


@dataclass(frozen=True, slots=True)
class ReadStudy:
    """A study as the outbox remembers it, and as rules see it."""

    to_deliver: StudyToDeliver
    facts: StudyFacts


def is_settled(archive: Archive, orthanc_id: str, stable_age_s: float) -> bool | None:
    """Whether a study is complete as far as Orthanc knows; None when it is not there (any more).

    Each Orthanc knows only of what it has received itself that it may be incomplete: of what another node on the same
    database receives, the time of the last change tells.
    """
    try:
        study = archive.get(f"/studies/{orthanc_id}")
    except UnknownResource:
        return None
    if not study.get("IsStable", True):
        return False
    try:
        changed = datetime.strptime(study["LastUpdate"], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except (KeyError, ValueError):
        return True
    # A change in the future was before the clock was set back.
    return not timedelta() <= datetime.now(UTC) - changed < timedelta(seconds=stable_age_s)


def read_study(archive: Archive, orthanc_id: str) -> ReadStudy | None:
    """A study, or None when Orthanc does not hold it (any more)."""
    try:
        study = archive.get(f"/studies/{orthanc_id}")
        series = archive.get(f"/studies/{orthanc_id}/series?expand")
        size = archive.get(f"/studies/{orthanc_id}/statistics")
        callers = {_caller(archive, each["Instances"][0]) for each in series if each["Instances"]}
    except UnknownResource:
        return None
    tags, patient = study["MainDicomTags"], study["PatientMainDicomTags"]
    described = [each["MainDicomTags"] for each in series]
    description = _text(tags, "StudyDescription")
    return ReadStudy(
        StudyToDeliver(
            orthanc_id=orthanc_id,
            study_instance_uid=_text(tags, "StudyInstanceUID")[:64],
            patient_id=_text(patient, "PatientID"),
            patient_name=_text(patient, "PatientName"),
            description=description,
            instances=frozenset(instance for each in series for instance in each["Instances"]),
            size_bytes=int(size["DiskSize"]),
        ),
        StudyFacts(
            modalities=frozenset(_text(each, "Modality") for each in described),
            calling_aets=frozenset(callers),
            stations=frozenset(_text(each, "StationName") for each in described),
            institution=_text(tags, "InstitutionName"),
            description=description,
            labels=frozenset(study.get("Labels", ())),
        ),
    )


def read_consignment(archive: Archive, claimed: Claim) -> Consignment:
    """What is still there of the instances that a delivery takes. Raises UnknownResource when the study is gone."""
    whole = read_whole(archive, claimed.study_orthanc_id)
    wanted = set(claimed.instances)
    instances = tuple(each for each in whole.instances if each.orthanc_id in wanted)
    return replace(whole, instances=instances, whole=len(instances) == len(whole.instances))


def read_whole(archive: Archive, study_orthanc_id: str) -> Consignment:
    """All instances of a study. Raises UnknownResource when it is gone."""
    study = archive.get(f"/studies/{study_orthanc_id}")
    series = archive.get(f"/studies/{study_orthanc_id}/series?expand")
    uids = {each["ID"]: _text(each["MainDicomTags"], "SeriesInstanceUID") for each in series}
    held = archive.get(f"/studies/{study_orthanc_id}/instances?expand")
    return Consignment(
        study_orthanc_id=study_orthanc_id,
        study_instance_uid=_text(study["MainDicomTags"], "StudyInstanceUID"),
        patient_id=_text(study["PatientMainDicomTags"], "PatientID"),
        # A series that came between the two questions is for a delivery of its own.
        instances=tuple(_instance(each, uids[each["ParentSeries"]]) for each in held if each["ParentSeries"] in uids),
        whole=True,
    )


def _instance(instance: Json, series_instance_uid: str) -> Instance:
    tags = instance["MainDicomTags"]
    return Instance(
        orthanc_id=instance["ID"],
        sop_instance_uid=_text(tags, "SOPInstanceUID"),
        sop_class_uid=_text(tags, "SOPClassUID"),
        series_instance_uid=series_instance_uid,
        size_bytes=int(instance["FileSize"]),
    )


def _caller(archive: Archive, instance: str) -> str:
    metadata: dict[str, Any] = archive.get(f"/instances/{instance}/metadata?expand")
    return str(metadata.get("RemoteAET", ""))


def _text(tags: Json, name: str) -> str:
    # PostgreSQL takes no NUL in a text, and files from the field have some.
    return str(tags.get(name) or "").replace("\x00", "").strip()
