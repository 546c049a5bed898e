"""Bow side and motion of detections.

Revision ID: 0002
Revises: 0001
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COLUMNS: tuple[tuple[str, sa.types.TypeEngine[Any]], ...] = (
    ("bow_deg", sa.Double()),
    ("p_bow", sa.Double()),
    ("moving", sa.Boolean()),
    ("p_moving", sa.Double()),
)


def upgrade() -> None:
    """Add the columns; nothing is known of detections made before."""
    for name, kind in COLUMNS:
        op.add_column("detections", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    """Take the columns away."""
    with op.batch_alter_table("detections") as table:
        for name, _ in COLUMNS:
            table.drop_column(name)
