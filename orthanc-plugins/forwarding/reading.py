"""Reads from Orthanc what rules ask about a study, and what a delivery takes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
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
    wanted = set(claimed.instances)
    held = read_series(archive, claimed.study_orthanc_id)
    taken = {series: [each for each in instances if each in wanted] for series, instances in held.items()}
    share = sum(map(len, taken.values())) / len(wanted)
    return _consignment(
        archive, claimed.study_orthanc_id, taken, round(share * claimed.size_bytes), whole=taken == held
    )


def read_whole(archive: Archive, study_orthanc_id: str) -> Consignment:
    """All instances of a study. Raises UnknownResource when it is gone."""
    series = read_series(archive, study_orthanc_id)
    size = archive.get(f"/studies/{study_orthanc_id}/statistics")
    return _consignment(archive, study_orthanc_id, series, int(size["DiskSize"]), whole=True)


def read_series(archive: Archive, study_orthanc_id: str) -> dict[str, list[str]]:
    """Orthanc's identifiers of a study's instances, by Series Instance UID. Raises UnknownResource when it is gone."""
    return {
        _text(each["MainDicomTags"], "SeriesInstanceUID"): each["Instances"]
        for each in archive.get(f"/studies/{study_orthanc_id}/series?expand")
    }


def _consignment(
    archive: Archive, study_orthanc_id: str, series: Mapping[str, Sequence[str]], size_bytes: int, whole: bool
) -> Consignment:
    study = archive.get(f"/studies/{study_orthanc_id}")
    series = {uid: instances for uid, instances in series.items() if instances}
    return Consignment(
        study_orthanc_id=study_orthanc_id,
        study_instance_uid=_text(study["MainDicomTags"], "StudyInstanceUID"),
        patient_id=_text(study["PatientMainDicomTags"], "PatientID"),
        series=series,
        size_bytes=size_bytes,
        whole=whole,
        _read=partial(_read_instances, archive, study_orthanc_id, series),
    )


def _read_instances(
    archive: Archive, study_orthanc_id: str, series: Mapping[str, Sequence[str]]
) -> tuple[Instance, ...]:
    """Those of these that are still there."""
    uids = {each: uid for uid, instances in series.items() for each in instances}
    held = archive.get(f"/studies/{study_orthanc_id}/instances?expand")
    return tuple(_instance(each, uids[each["ID"]]) for each in held if each["ID"] in uids)


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
