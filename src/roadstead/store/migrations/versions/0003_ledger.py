"""The acquisition ledger: when and from where a result came, and passes that no catalogue lists.

Revision ID: 0003
Revises: 0002
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from roadstead.store.column_types import UtcTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS: tuple[tuple[str, sa.types.TypeEngine[Any]], ...] = (
    ("stored", UtcTime()),
    ("inputs_sha256", sa.Text()),
    ("provider", sa.Text()),
    ("tried", sa.Text()),
)


def upgrade() -> None:
    """Add them; of results stored before, none of it is known."""
    for name, kind in COLUMNS:
        op.add_column("acquisitions", sa.Column(name, kind, nullable=True))
    op.create_table(
        "missing",
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("expected", UtcTime(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('missing', 'not_acquired')", name="ck_missing_state"),
        sa.PrimaryKeyConstraint("port", "platform", "day", name="pk_missing"),
    )
    op.create_index("ix_missing_port_expected", "missing", ["port", "expected"])


def downgrade() -> None:
    """Take them away."""
    op.drop_table("missing")
    with op.batch_alter_table("acquisitions") as table:
        for name, _ in COLUMNS:
            table.drop_column(name)
