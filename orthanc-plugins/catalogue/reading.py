"""Reads a study from Orthanc as the rows of the catalogue."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from host.archive import Archive, Json, UnknownResource

Row = dict[str, Any]

#: What of an IS fits a column of 32 bits; other values are left out.
_NUMBER = re.compile(r"[+-]?\d{1,9}", re.ASCII)


def read_study(archive: Archive, orthanc_id: str) -> tuple[Row, list[Row]] | None:
    """The rows of a study and of its series, or None when Orthanc does not hold it (any more)."""
    try:
        study = archive.get(f"/studies/{orthanc_id}?requested-tags=InstitutionName")
        children = archive.get(f"/studies/{orthanc_id}/series?expand")
        size = archive.get(f"/studies/{orthanc_id}/statistics")
        series = [_series_row(archive, orthanc_id, child) for child in children]
        arrived_at = _arrival(archive, children)
    except UnknownResource:
        return None
    tags, patient = study["MainDicomTags"], study["PatientMainDicomTags"]
    modalities = sorted({row["modality"] for row in series if row["modality"]})
    row = {
        "orthanc_id": orthanc_id,
        "study_instance_uid": _uid(tags, "StudyInstanceUID"),
        "patient_id": _text(patient, "PatientID"),
        "patient_name": _text(patient, "PatientName"),
        "patient_birth_date": _date(patient, "PatientBirthDate"),
        "patient_sex": _text(patient, "PatientSex")[:16] or None,
        "accession_number": _text(tags, "AccessionNumber"),
        "description": _text(tags, "StudyDescription"),
        "study_date": _date(tags, "StudyDate"),
        "study_time": _text(tags, "StudyTime")[:16] or None,
        "referring_physician": _text(tags, "ReferringPhysicianName"),
        "institution": _text({**study.get("RequestedTags", {}), **tags}, "InstitutionName"),
        "modalities": "".join(f"\\{name}" for name in modalities) + "\\",
        "series_count": len(series),
        "instance_count": int(size["CountInstances"]),
        "size_bytes": int(size["DiskSize"]),
        "arrived_at": arrived_at,
    }
    return row, series


def _series_row(archive: Archive, study_orthanc_id: str, series: Json) -> Row:
    tags = series["MainDicomTags"]
    size = archive.get(f"/series/{series['ID']}/statistics")
    number = _text(tags, "SeriesNumber")
    return {
        "orthanc_id": series["ID"],
        "study_orthanc_id": study_orthanc_id,
        "series_instance_uid": _uid(tags, "SeriesInstanceUID"),
        "modality": _text(tags, "Modality")[:16],
        "number": int(number) if _NUMBER.fullmatch(number) else None,
        "description": _text(tags, "SeriesDescription"),
        "series_date": _date(tags, "SeriesDate"),
        "station": _text(tags, "StationName"),
        "manufacturer": _text(tags, "Manufacturer"),
        "body_part": _text(tags, "BodyPartExamined"),
        "instance_count": int(size["CountInstances"]),
        "size_bytes": int(size["DiskSize"]),
    }


def _arrival(archive: Archive, children: list[Json]) -> datetime:
    """When the first instance arrived, by Orthanc's own reception date: the same after a rebuild."""
    moments = []
    for series in children:
        if series["Instances"]:
            metadata = archive.get(f"/instances/{series['Instances'][0]}/metadata?expand")
            moments.append(str(metadata.get("ReceptionDate", "")))
    try:
        return datetime.strptime(min(moments), "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return datetime.now(UTC)


def _text(tags: Json, name: str) -> str:
    # PostgreSQL takes no NUL in a text, and files from the field have some.
    return str(tags.get(name) or "").replace("\x00", "").strip()


def _uid(tags: Json, name: str) -> str:
    return _text(tags, name)[:64]  # all that a UI may hold (PS3.5, 6.2), whatever the file says


def _date(tags: Json, name: str) -> str | None:
    value = _text(tags, name).replace(".", "")  # "1999.03.02" is how ACR-NEMA wrote it
    return value if len(value) == 8 and value.isdecimal() else None
