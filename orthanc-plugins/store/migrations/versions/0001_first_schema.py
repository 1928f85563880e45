"""The first schema: extractions and their structures, the catalogue, cursors."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "change_cursor",
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_change_cursor")),
    )
    op.create_table(
        "extraction",
        sa.Column("orthanc_id", sa.String(length=44), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("engine_version", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("enqueued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration_s", sa.Double(), nullable=True),
        sa.Column("lease_owner", sa.String(length=100), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sop_instance_uid", sa.String(length=64), nullable=True),
        sa.Column("series_instance_uid", sa.String(length=64), nullable=True),
        sa.Column("study_instance_uid", sa.String(length=64), nullable=True),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("structure_count", sa.Integer(), nullable=True),
        sa.Column("contour_count", sa.Integer(), nullable=True),
        sa.Column("point_count", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("orthanc_id", name=op.f("pk_extraction")),
    )
    op.create_index("ix_extraction_enqueued_at", "extraction", ["enqueued_at"], unique=False)
    op.create_index("ix_extraction_state_next_try_at", "extraction", ["state", "next_try_at"], unique=False)
    op.create_index("ix_extraction_study_instance_uid", "extraction", ["study_instance_uid"], unique=False)
    op.create_table(
        "study",
        sa.Column("orthanc_id", sa.String(length=44), nullable=False),
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("patient_name", sa.Text(), nullable=False),
        sa.Column("patient_birth_date", sa.String(length=8), nullable=True),
        sa.Column("patient_sex", sa.String(length=16), nullable=True),
        sa.Column("accession_number", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("study_date", sa.String(length=8), nullable=True),
        sa.Column("study_time", sa.String(length=16), nullable=True),
        sa.Column("referring_physician", sa.Text(), nullable=False),
        sa.Column("institution", sa.Text(), nullable=False),
        sa.Column("modalities", sa.Text(), nullable=False),
        sa.Column("series_count", sa.Integer(), nullable=False),
        sa.Column("instance_count", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("folded_patient_id", sa.Text(), nullable=False),
        sa.Column("folded_patient_name", sa.Text(), nullable=False),
        sa.Column("folded_accession_number", sa.Text(), nullable=False),
        sa.Column("folded_description", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("orthanc_id", name=op.f("pk_study")),
    )
    op.create_index("ix_study_arrived_at", "study", ["arrived_at", "orthanc_id"], unique=False)
    op.create_index(
        "ix_study_folded_accession_number", "study", ["folded_accession_number", "orthanc_id"], unique=False
    )
    op.create_index("ix_study_folded_patient_id", "study", ["folded_patient_id", "orthanc_id"], unique=False)
    op.create_index("ix_study_folded_patient_name", "study", ["folded_patient_name", "orthanc_id"], unique=False)
    op.create_index("ix_study_study_date", "study", ["study_date", "orthanc_id"], unique=False)
    op.create_index("ix_study_study_instance_uid", "study", ["study_instance_uid"], unique=False)
    op.create_table(
        "series",
        sa.Column("orthanc_id", sa.String(length=44), nullable=False),
        sa.Column("study_orthanc_id", sa.String(length=44), nullable=False),
        sa.Column("series_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("modality", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("series_date", sa.String(length=8), nullable=True),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("manufacturer", sa.Text(), nullable=False),
        sa.Column("body_part", sa.Text(), nullable=False),
        sa.Column("instance_count", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_orthanc_id"],
            ["study.orthanc_id"],
            name=op.f("fk_series_study_orthanc_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("orthanc_id", name=op.f("pk_series")),
    )
    op.create_index("ix_series_modality", "series", ["modality"], unique=False)
    op.create_index("ix_series_study_orthanc_id", "series", ["study_orthanc_id"], unique=False)
    op.create_table(
        "structure",
        sa.Column("orthanc_id", sa.String(length=44), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("interpreted_type", sa.String(length=32), nullable=True),
        sa.Column("generation_algorithm", sa.String(length=32), nullable=True),
        sa.Column("contour_count", sa.Integer(), nullable=False),
        sa.Column("point_count", sa.BigInteger(), nullable=False),
        sa.Column("plane_count", sa.Integer(), nullable=False),
        sa.Column("volume_cm3", sa.Double(), nullable=True),
        sa.Column("centroid_x_mm", sa.Double(), nullable=True),
        sa.Column("centroid_y_mm", sa.Double(), nullable=True),
        sa.Column("centroid_z_mm", sa.Double(), nullable=True),
        sa.Column("warning_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["orthanc_id"],
            ["extraction.orthanc_id"],
            name=op.f("fk_structure_orthanc_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("orthanc_id", "position", name=op.f("pk_structure")),
    )
    op.create_index("ix_structure_name", "structure", ["name"], unique=False)
