"""First tables.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

from roadstead.store.column_types import Geometry, UtcTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "acquisitions",
    "chips",
    "counts",
    "detections",
    "matches",
    "positions",
    "quicklooks",
    "scenes",
    "vessels",
)


def upgrade() -> None:
    """Make all tables."""
    _acquisitions()
    _chips()
    _counts()
    _detections()
    _matches()
    _positions()
    _quicklooks()
    _scenes()
    _vessels()


def downgrade() -> None:
    """Drop all tables."""
    for name in reversed(TABLES):
        op.drop_table(name)


def _acquisitions() -> None:
    op.create_table(
        "acquisitions",
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("overpass_id", sa.Text(), nullable=False),
        sa.Column("acquired", UtcTime(), nullable=True),
        sa.Column("acquired_sigma_s", sa.Double(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("later_failure", sa.Text(), nullable=True),
        sa.Column("model_id", sa.Text(), nullable=True),
        sa.Column("model_sha256", sa.Text(), nullable=True),
        sa.Column("threshold", sa.Double(), nullable=True),
        sa.Column("roadstead_version", sa.Text(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=True),
        sa.Column("with_ais", sa.Boolean(), nullable=True),
        sa.CheckConstraint("state IN ('processed', 'not_observed', 'failed')", name="ck_acquisitions_state"),
        sa.PrimaryKeyConstraint("port", "overpass_id", name="pk_acquisitions"),
    )
    op.create_index("ix_acquisitions_port_acquired", "acquisitions", ["port", "acquired"])


def _counts() -> None:
    op.create_table(
        "counts",
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("overpass_id", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("length_bin", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("acquired", UtcTime(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("visible_fraction", sa.Double(), nullable=False),
        sa.Column("observed_at_all", sa.Boolean(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["port", "overpass_id"],
            ["acquisitions.port", "acquisitions.overpass_id"],
            name="fk_counts_acquisitions",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "port", "overpass_id", "zone", "class", "length_bin", "quantity", name="pk_counts"
        ),
    )
    op.create_index("ix_counts_port_acquired", "counts", ["port", "acquired"])


def _detections() -> None:
    op.create_table(
        "detections",
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("detection_id", sa.Text(), nullable=False),
        sa.Column("scene_id", sa.Text(), nullable=False),
        sa.Column("overpass_id", sa.Text(), nullable=False),
        sa.Column("acquired", UtcTime(), nullable=False),
        sa.Column("acquired_sigma_s", sa.Double(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("p_vessel", sa.Double(), nullable=False),
        sa.Column("p_barge", sa.Double(), nullable=False),
        sa.Column("p_bulk_carrier", sa.Double(), nullable=False),
        sa.Column("p_other_vessel", sa.Double(), nullable=False),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("length_m", sa.Double(), nullable=False),
        sa.Column("length_low_m", sa.Double(), nullable=False),
        sa.Column("length_high_m", sa.Double(), nullable=False),
        sa.Column("beam_m", sa.Double(), nullable=False),
        sa.Column("axis_deg", sa.Double(), nullable=False),
        sa.Column("flags", sa.Text(), nullable=False),
        sa.Column("dropped_because", sa.Text(), nullable=True),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("model_id", sa.Text(), nullable=False),
        sa.Column("geometry", Geometry(), nullable=False),
        sa.Column("west", sa.Double(), nullable=False),
        sa.Column("south", sa.Double(), nullable=False),
        sa.Column("east", sa.Double(), nullable=False),
        sa.Column("north", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["port", "overpass_id"],
            ["acquisitions.port", "acquisitions.overpass_id"],
            name="fk_detections_acquisitions",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("port", "detection_id", name="pk_detections"),
    )
    op.create_index("ix_detections_port_acquired", "detections", ["port", "acquired"])
    op.create_index("ix_detections_port_overpass_id", "detections", ["port", "overpass_id"])
    op.create_index("ix_detections_west_east_south_north", "detections", ["west", "east", "south", "north"])


def _matches() -> None:
    op.create_table(
        "matches",
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("overpass_id", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("detection_id", sa.Text(), nullable=True),
        sa.Column("mmsi", sa.Text(), nullable=True),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("candidates", sa.Text(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("p_kinematic", sa.Double(), nullable=True),
        sa.Column("conflicts", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("p_heard_class_a", sa.Double(), nullable=True),
        sa.Column("p_heard_class_b", sa.Double(), nullable=True),
        sa.Column("carriage_expected", sa.Text(), nullable=False),
        sa.Column("distance_m", sa.Double(), nullable=True),
        sa.Column("dt_s", sa.Double(), nullable=True),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("geometry", Geometry(), nullable=False),
        sa.Column("west", sa.Double(), nullable=False),
        sa.Column("south", sa.Double(), nullable=False),
        sa.Column("east", sa.Double(), nullable=False),
        sa.Column("north", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["port", "overpass_id"],
            ["acquisitions.port", "acquisitions.overpass_id"],
            name="fk_matches_acquisitions",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("port", "overpass_id", "row", name="pk_matches"),
    )
    op.create_index("ix_matches_west_east_south_north", "matches", ["west", "east", "south", "north"])


def _positions() -> None:
    op.create_table(
        "positions",
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("overpass_id", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("mmsi", sa.Text(), nullable=False),
        sa.Column("time", UtcTime(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("sog_kn", sa.Double(), nullable=True),
        sa.Column("cog_deg", sa.Double(), nullable=True),
        sa.Column("heading_deg", sa.Double(), nullable=True),
        sa.Column("nav_status", sa.Text(), nullable=True),
        sa.Column("ais_class", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["port", "overpass_id"],
            ["acquisitions.port", "acquisitions.overpass_id"],
            name="fk_positions_acquisitions",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("port", "overpass_id", "row", name="pk_positions"),
    )
    op.create_index("ix_positions_mmsi_time", "positions", ["mmsi", "time"])


def _chips() -> None:
    op.create_table(
        "chips",
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("overpass_id", sa.Text(), nullable=False),
        sa.Column("detection_id", sa.Text(), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["port", "overpass_id"],
            ["acquisitions.port", "acquisitions.overpass_id"],
            name="fk_chips_acquisitions",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("port", "overpass_id", "detection_id", name="pk_chips"),
    )


def _quicklooks() -> None:
    op.create_table(
        "quicklooks",
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("overpass_id", sa.Text(), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.Column("west", sa.Double(), nullable=False),
        sa.Column("south", sa.Double(), nullable=False),
        sa.Column("east", sa.Double(), nullable=False),
        sa.Column("north", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["port", "overpass_id"],
            ["acquisitions.port", "acquisitions.overpass_id"],
            name="fk_quicklooks_acquisitions",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("port", "overpass_id", name="pk_quicklooks"),
    )


def _scenes() -> None:
    op.create_table(
        "scenes",
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("scene_id", sa.Text(), nullable=False),
        sa.Column("overpass_id", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("sensor", sa.Text(), nullable=False),
        sa.Column("acquired", UtcTime(), nullable=False),
        sa.Column("acquired_source", sa.Text(), nullable=False),
        sa.Column("acquired_sigma_s", sa.Double(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("item_href", sa.Text(), nullable=True),
        sa.Column("processing_baseline", sa.Text(), nullable=True),
        sa.Column("sun_azimuth_deg", sa.Double(), nullable=True),
        sa.Column("sun_elevation_deg", sa.Double(), nullable=True),
        sa.Column("cloud", sa.Text(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("item_sha256", sa.Text(), nullable=True),
        sa.Column("valid_area", Geometry(), nullable=False),
        sa.Column("visible_fraction", sa.JSON(), nullable=False),
        sa.Column("geometry", Geometry(), nullable=False),
        sa.Column("west", sa.Double(), nullable=False),
        sa.Column("south", sa.Double(), nullable=False),
        sa.Column("east", sa.Double(), nullable=False),
        sa.Column("north", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["port", "overpass_id"],
            ["acquisitions.port", "acquisitions.overpass_id"],
            name="fk_scenes_acquisitions",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("port", "scene_id", name="pk_scenes"),
    )
    op.create_index("ix_scenes_port_overpass_id", "scenes", ["port", "overpass_id"])
    op.create_index("ix_scenes_west_east_south_north", "scenes", ["west", "east", "south", "north"])


def _vessels() -> None:
    op.create_table(
        "vessels",
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("overpass_id", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("mmsi", sa.Text(), nullable=False),
        sa.Column("time", UtcTime(), nullable=False),
        sa.Column("imo", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("callsign", sa.Text(), nullable=True),
        sa.Column("flag", sa.Text(), nullable=True),
        sa.Column("ship_type", sa.Integer(), nullable=True),
        sa.Column("to_bow_m", sa.Double(), nullable=True),
        sa.Column("to_stern_m", sa.Double(), nullable=True),
        sa.Column("to_port_m", sa.Double(), nullable=True),
        sa.Column("to_starboard_m", sa.Double(), nullable=True),
        sa.Column("length_m", sa.Double(), nullable=True),
        sa.Column("beam_m", sa.Double(), nullable=True),
        sa.Column("draught_m", sa.Double(), nullable=True),
        sa.Column("destination", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["port", "overpass_id"],
            ["acquisitions.port", "acquisitions.overpass_id"],
            name="fk_vessels_acquisitions",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("port", "overpass_id", "row", name="pk_vessels"),
    )
    op.create_index("ix_vessels_mmsi_time", "vessels", ["mmsi", "time"])
