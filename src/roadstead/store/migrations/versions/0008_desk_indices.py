"""Indices for the pages of the desk: a finding by its id, what names a vessel, and tracks in their order.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INDICES = {
    "ix_matches_port_detection_id": ("matches", ["port", "detection_id"]),
    "ix_matches_mmsi": ("matches", ["mmsi"]),
    "ix_positions_port_overpass_id_mmsi_time_lon_lat": (
        "positions",
        ["port", "overpass_id", "mmsi", "time", "lon", "lat"],
    ),
}


def upgrade() -> None:
    """Add them."""
    for name, (table, columns) in INDICES.items():
        op.create_index(name, table, columns)


def downgrade() -> None:
    """Take them away."""
    for name, (table, _) in INDICES.items():
        op.drop_index(name, table)
