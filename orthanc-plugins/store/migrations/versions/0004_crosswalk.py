"""Who is behind a pseudonym, by study and destination; sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "crosswalk",
        sa.Column("destination", sa.String(length=100), nullable=False),
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("pseudonym", sa.String(length=64), nullable=False),
        sa.Column("patient_digest", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("destination", "study_instance_uid", name=op.f("pk_crosswalk")),
    )
    op.create_index("ix_crosswalk_pseudonym", "crosswalk", ["pseudonym"], unique=False)
    op.create_index("ix_crosswalk_patient_digest", "crosswalk", ["patient_digest"], unique=False)
    op.create_index("ix_crosswalk_recorded_at", "crosswalk", ["recorded_at"], unique=False)
