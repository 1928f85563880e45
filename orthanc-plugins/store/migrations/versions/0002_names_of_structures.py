"""Structures: the folded name and TG-263's name, filled at the next start, and what a cohort query sorts by."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("structure", sa.Column("folded_name", sa.Text(), nullable=True))
    op.add_column("structure", sa.Column("tg263", sa.Text(), nullable=True))
    op.add_column("structure", sa.Column("tg263_confidence", sa.Double(), nullable=True))
    op.create_index("ix_structure_folded_name", "structure", ["folded_name"], unique=False)
    op.create_index("ix_structure_tg263", "structure", ["tg263", "volume_cm3"], unique=False)
    op.create_index("ix_structure_volume_cm3", "structure", ["volume_cm3"], unique=False)
