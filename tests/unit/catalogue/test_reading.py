"""A study becomes a row, however odd its tags are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import BigInteger, Integer, String

from catalogue.reading import Row, read_study
from host.archive import UnknownResource
from store import studies
from store.database import Database
from store.tables import series, study
from unit.archive_double import ArchiveDouble
from unit.host.dicom_files import instance_file, study_id


def read(archive: ArchiveDouble, **tags: Any) -> tuple[Row, list[Row]]:
    archive.store_instance(instance_file(**tags))
    found = read_study(archive, next(iter(archive.instances.values())).ids["study"])
    assert found is not None
    return found


def test_every_column_is_filled_from_its_tag(archive: ArchiveDouble) -> None:
    archive.now = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
    row, (child,) = read(
        archive,
        PatientBirthDate="19700102",
        PatientSex="F",
        AccessionNumber="A1",
        StudyDescription="Thorax à blanc",
        StudyDate="20240131",
        StudyTime="101112.5",
        ReferringPhysicianName="House^G",
        InstitutionName="Hôpital",
        SeriesNumber="4",
        SeriesDescription="Axial",
        SeriesDate="20240131",
        StationName="CT1",
        Manufacturer="Maker",
        BodyPartExamined="CHEST",
    )
    size = archive.get("/statistics")["TotalDiskSize"]
    assert row == {
        "orthanc_id": study_id(),
        "study_instance_uid": "1.2.826.0.1.3680043.8.498.1",
        "patient_id": "P1",
        "patient_name": "Dupont^Renée",
        "patient_birth_date": "19700102",
        "patient_sex": "F",
        "accession_number": "A1",
        "description": "Thorax à blanc",
        "study_date": "20240131",
        "study_time": "101112.5",
        "referring_physician": "House^G",
        "institution": "Hôpital",
        "modalities": "\\CT\\",
        "series_count": 1,
        "instance_count": 1,
        "size_bytes": int(size),
        "arrived_at": archive.now,
    }
    assert child["study_orthanc_id"] == study_id()
    del child["orthanc_id"], child["study_orthanc_id"], child["size_bytes"]
    assert child == {
        "series_instance_uid": "1.2.826.0.1.3680043.8.498.1.1",
        "modality": "CT",
        "number": 4,
        "description": "Axial",
        "series_date": "20240131",
        "station": "CT1",
        "manufacturer": "Maker",
        "body_part": "CHEST",
        "instance_count": 1,
    }


def test_modalities_are_listed_once_each_in_order(archive: ArchiveDouble) -> None:
    for number, modality in enumerate(["RTSTRUCT", "CT", "CT", ""]):
        archive.store_instance(instance_file(series=str(number), Modality=modality))
    found = read_study(archive, study_id())
    assert found is not None and found[0]["modalities"] == "\\CT\\RTSTRUCT\\"


def test_a_study_that_is_not_there_is_none(archive: ArchiveDouble) -> None:
    assert read_study(archive, study_id()) is None


@pytest.mark.parametrize("about", ["/series?", "/statistics", "/metadata"])
def test_a_study_that_goes_while_it_is_read_is_none(archive: ArchiveDouble, about: str) -> None:
    archive.store_instance(instance_file())
    archive.fail("get", UnknownResource("gone"), about=about)
    assert read_study(archive, study_id()) is None


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (b"20240131", "20240131"),
        (b"1999.03.02", "19990302"),
        (b"20240131 ", "20240131"),
        (b"", None),
        (b"2024", None),
        (b"20240131-20240201", None),
        (b"ANONYMIZ", None),
        (b"2024-01-31", None),
        (b"\x00\x00\x00\x00\x00\x00\x00\x00", None),
    ],
)
def test_a_date_is_eight_digits_or_nothing(archive: ArchiveDouble, written: bytes, kept: str | None) -> None:
    row, (child,) = read(archive, StudyDate=written, SeriesDate=written, PatientBirthDate=written)
    assert (row["study_date"], child["series_date"], row["patient_birth_date"]) == (kept, kept, kept)


@pytest.mark.parametrize(
    ("written", "kept"),
    [(b"7", 7), (b"-3", -3), (b"+4", 4), (b"", None), (b"1.5", None), (b"abc", None), (b"--5", None), (b"+-5", None)],
)
def test_a_series_number_is_a_whole_number_or_nothing(archive: ArchiveDouble, written: bytes, kept: int | None) -> None:
    _, (child,) = read(archive, SeriesNumber=written)
    assert child["number"] == kept


@pytest.mark.parametrize("sign", [b"\x00", b"a\x00b", b"\x00\x00"])
def test_no_nul_reaches_the_database(archive: ArchiveDouble, sign: bytes) -> None:
    tags = ("PatientID", "PatientName", "StudyDescription", "AccessionNumber", "Modality", "StationName", "StudyTime")
    row, (child,) = read(archive, **{name: b"x" + sign + b"y" for name in tags})
    assert not any("\x00" in str(value) for value in (*row.values(), *child.values()))
    assert row["patient_name"].startswith("x") and row["patient_name"].endswith("y")


ODD: list[dict[str, Any]] = [
    {},
    {"study": "1" * 60, "series": "2" * 60},
    {"SeriesNumber": b"9999999999"},
    {"SeriesNumber": b"-999999999"},
    {"SeriesNumber": b"2147483648"},
    {"Modality": b"A MODALITY LONGER THAN ITS COLUMN"},
    {"PatientSex": b"A SEX LONGER THAN SIXTEEN"},
    {"StudyTime": b"101112.123456789012345"},
    {"PatientID": b"x" * 5000, "StudyDescription": b"y" * 5000},
]


@pytest.mark.parametrize("tags", ODD, ids=lambda tags: "-".join(tags) or "plain")
def test_every_row_fits_its_columns(archive: ArchiveDouble, database: Database, tags: dict[str, Any]) -> None:
    """SQLite takes anything; on PostgreSQL one row that does not fit would stop the catalogue for good."""
    row, children = read(archive, **tags)
    for table, values in [(study, row), *((series, child) for child in children)]:
        for name, value in values.items():
            kind = table.c[name].type
            if isinstance(kind, String) and kind.length is not None and value is not None:
                assert len(value) <= kind.length, f"{name} has {len(value)} characters, {kind.length} fit"
            if isinstance(kind, Integer) and value is not None:
                bits = 63 if isinstance(kind, BigInteger) else 31
                assert -(2**bits) <= value < 2**bits, f"{name} is {value}"
    with database.begin() as connection:
        studies.put(connection, row, children)
