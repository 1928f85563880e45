"""The tables. A change here needs a migration in ``store/migrations/versions``; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, always aware and in UTC; SQLite, which has no zones, stores it naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _identifier() -> String:
    return String(44)  # an Orthanc identifier: a SHA-1 in hexadecimal, in five groups


#: One row for each RTSTRUCT: the queue of extractions and its history.
extraction = Table(
    "extraction",
    metadata,
    Column("orthanc_id", _identifier(), primary_key=True),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("engine_version", Integer, nullable=False),
    Column("error", Text),
    Column("enqueued_at", UtcDateTime, nullable=False),
    Column("next_try_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("duration_s", Double),
    Column("lease_owner", String(100)),
    Column("lease_until", UtcDateTime),
    Column("sop_instance_uid", String(64)),
    Column("series_instance_uid", String(64)),
    Column("study_instance_uid", String(64)),
    Column("label", Text),
    Column("structure_count", Integer),
    Column("contour_count", Integer),
    Column("point_count", BigInteger),
    Index("ix_extraction_state_next_try_at", "state", "next_try_at"),
    Index("ix_extraction_enqueued_at", "enqueued_at"),
    Index("ix_extraction_study_instance_uid", "study_instance_uid"),
)

#: One row for each structure of each extracted RTSTRUCT, for queries over a cohort. Lengths in mm.
structure = Table(
    "structure",
    metadata,
    Column("orthanc_id", _identifier(), ForeignKey("extraction.orthanc_id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),  # its place in the file: numbers are not always unique
    Column("number", Integer),
    Column("name", Text, nullable=False),
    Column("interpreted_type", String(32)),
    Column("generation_algorithm", String(32)),
    Column("contour_count", Integer, nullable=False),
    Column("point_count", BigInteger, nullable=False),
    Column("plane_count", Integer, nullable=False),
    Column("volume_cm3", Double),
    Column("centroid_x_mm", Double),
    Column("centroid_y_mm", Double),
    Column("centroid_z_mm", Double),
    Column("warning_count", Integer, nullable=False),
    # Drawn from the name, and drawn anew at each start: without accents and case, and TG-263's name for it.
    Column("folded_name", Text),
    Column("tg263", Text),
    Column("tg263_confidence", Double),
    Index("ix_structure_name", "name"),
    Index("ix_structure_folded_name", "folded_name"),
    Index("ix_structure_tg263", "tg263", "volume_cm3"),
    Index("ix_structure_volume_cm3", "volume_cm3"),
)

#: The catalogue: a read model of Orthanc's studies, rebuilt from Orthanc at any time. Orthanc stays the truth.
study = Table(
    "study",
    metadata,
    Column("orthanc_id", _identifier(), primary_key=True),
    Column("study_instance_uid", String(64), nullable=False),
    Column("patient_id", Text, nullable=False),
    Column("patient_name", Text, nullable=False),
    Column("patient_birth_date", String(8)),
    Column("patient_sex", String(16)),
    Column("accession_number", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("study_date", String(8)),  # YYYYMMDD, DICOM's DA: sorts as text
    Column("study_time", String(16)),
    Column("referring_physician", Text, nullable=False),
    Column("institution", Text, nullable=False),
    Column(
        "modalities", Text, nullable=False
    ),  # "\\CT\\RTSTRUCT\\": each between backslashes, so that LIKE finds whole ones
    Column("series_count", Integer, nullable=False),
    Column("instance_count", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("arrived_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    # Without accents and case, for search and for sorting.
    Column("folded_patient_id", Text, nullable=False),
    Column("folded_patient_name", Text, nullable=False),
    Column("folded_accession_number", Text, nullable=False),
    Column("folded_description", Text, nullable=False),
    Index("ix_study_study_instance_uid", "study_instance_uid"),
    Index("ix_study_study_date", "study_date", "orthanc_id"),
    Index("ix_study_arrived_at", "arrived_at", "orthanc_id"),
    Index("ix_study_folded_patient_name", "folded_patient_name", "orthanc_id"),
    Index("ix_study_folded_patient_id", "folded_patient_id", "orthanc_id"),
    Index("ix_study_folded_accession_number", "folded_accession_number", "orthanc_id"),
)

series = Table(
    "series",
    metadata,
    Column("orthanc_id", _identifier(), primary_key=True),
    Column("study_orthanc_id", _identifier(), ForeignKey("study.orthanc_id", ondelete="CASCADE"), nullable=False),
    Column("series_instance_uid", String(64), nullable=False),
    Column("modality", String(16), nullable=False),
    Column("number", Integer),
    Column("description", Text, nullable=False),
    Column("series_date", String(8)),
    Column("station", Text, nullable=False),
    Column("manufacturer", Text, nullable=False),
    Column("body_part", Text, nullable=False),
    Column("instance_count", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Index("ix_series_study_orthanc_id", "study_orthanc_id"),
    Index("ix_series_modality", "modality"),
)

#: How far each reader of Orthanc's /changes has come.
change_cursor = Table(
    "change_cursor",
    metadata,
    Column("name", String(50), primary_key=True),
    Column("position", BigInteger, nullable=False),
)

#: One row for each delivery of (a part of) a study to a destination: the outbox and its history.
delivery = Table(
    "delivery",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("study_orthanc_id", _identifier(), nullable=False),
    Column("destination", String(32), nullable=False),
    # Of the instances it takes. NULL once it says nothing of what is held now: the study was deleted, or sent anew.
    Column("digest", String(64)),
    Column("instances", LargeBinary, nullable=False),  # Orthanc's identifiers, 20 bytes each: they are SHA-1s
    Column("by_hand", Boolean, nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("reason", Text),
    Column("proof", String(20)),
    # As they were when it was made: they stay when the study is deleted.
    Column("study_instance_uid", String(64), nullable=False),
    Column("patient_id", Text, nullable=False),
    Column("patient_name", Text, nullable=False),
    Column("study_description", Text, nullable=False),
    Column("folded", Text, nullable=False),  # these three without accents and case, for search
    Column("instances_total", Integer, nullable=False),
    Column("instances_sent", Integer, nullable=False),
    Column("bytes_total", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_try_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("delivered_at", UtcDateTime),
    Column("duration_s", Double),
    Column("lease_owner", String(100)),
    Column("lease_until", UtcDateTime),
    Index("ix_delivery_unique", "study_orthanc_id", "destination", "digest", unique=True),
    Index("ix_delivery_queue", "destination", "state", "by_hand", "next_try_at"),
    Index("ix_delivery_state_lease_until", "state", "lease_until"),
    Index("ix_delivery_destination_delivered_at", "destination", "delivered_at"),
    Index("ix_delivery_created_at", "created_at", "id"),
    Index("ix_delivery_study_instance_uid", "study_instance_uid"),
)

#: Who is behind a pseudonym, by study and destination; what identifies is sealed (store.crosswalk).
crosswalk = Table(
    "crosswalk",
    metadata,
    Column("destination", String(100), primary_key=True),
    Column("study_instance_uid", String(64), primary_key=True),  # as the destination knows it
    Column("pseudonym", String(64), nullable=False),
    Column("patient_digest", String(64), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime, nullable=False),
    Index("ix_crosswalk_pseudonym", "pseudonym"),
    Index("ix_crosswalk_patient_digest", "patient_digest"),
    Index("ix_crosswalk_recorded_at", "recorded_at"),
)
