"""First tables: what was seen, declared and counted of each overpass; the analyst's desk; the audit.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

from roadstead.store.column_types import Geometry, UtcTime
from roadstead.store.migrations.ddl import REFUSE, of_acquisition, one_of, optional, required, triggers

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ONLY_ADDED = {
    "decisions": ("decisions", (("seq",), ("sha256",), ("previous_sha256",))),
    "attached_files": ("attached_files", (("sha256",),)),
    "audit_draws": ("audits", (("draw",),)),
    "audit_cells": ("audits", (("cell",), ("port", "zone", "overpass_id", "col", "row"))),
    "audit_answers": ("audits", (("answer",), ("cell", "reviewer", "turn"), ("corrects",))),
    "audit_boxes": ("audits", (("answer", "row"),)),
}
"""Table -> what its rows are called, and what may be there once."""


def upgrade() -> None:
    """Make all tables, and the triggers of those whose rows are only ever added."""
    for make in TABLES.values():
        make()
    dialect = op.get_context().dialect.name
    if dialect == "postgresql":
        op.execute(REFUSE)
    for table, (rows, keys) in ONLY_ADDED.items():
        for statement in triggers(dialect, table, rows, keys):
            op.execute(statement)


def downgrade() -> None:
    """Drop them."""
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")


def _acquisitions() -> None:
    op.create_table(
        "acquisitions",
        *required(sa.Text, "port overpass_id state roadstead_version"),
        *optional(UtcTime, "acquired stored"),
        *optional(sa.Double, "acquired_sigma_s threshold"),
        *optional(sa.Text, "reason later_failure model_id model_sha256 inputs_sha256 provider tried"),
        *optional(sa.Boolean, "simulated with_ais"),
        sa.PrimaryKeyConstraint("port", "overpass_id", name="pk_acquisitions"),
        one_of("acquisitions", "state", "processed not_observed failed"),
    )
    op.create_index("ix_acquisitions_port_acquired", "acquisitions", ["port", "acquired"])


def _missing() -> None:
    op.create_table(
        "missing",
        *required(sa.Text, "port platform day state reason"),
        *required(UtcTime, "expected"),
        one_of("missing", "state", "missing not_acquired"),
        sa.PrimaryKeyConstraint("port", "platform", "day", name="pk_missing"),
    )
    op.create_index("ix_missing_port_expected", "missing", ["port", "expected"])


def _scenes() -> None:
    op.create_table(
        "scenes",
        *required(sa.Text, "port scene_id overpass_id sensor acquired_source provider cloud"),
        *optional(sa.Text, "platform item_href processing_baseline item_sha256"),
        *required(UtcTime, "acquired"),
        *required(sa.Double, "acquired_sigma_s west south east north"),
        *optional(sa.Double, "sun_azimuth_deg sun_elevation_deg"),
        *required(sa.Boolean, "simulated"),
        *required(Geometry, "valid_area geometry"),
        *required(sa.JSON, "visible_fraction"),
        sa.PrimaryKeyConstraint("port", "scene_id", name="pk_scenes"),
        of_acquisition("scenes"),
    )
    op.create_index("ix_scenes_port_overpass_id", "scenes", ["port", "overpass_id"])
    op.create_index("ix_scenes_west_east_south_north", "scenes", ["west", "east", "south", "north"])


def _detections() -> None:
    op.create_table(
        "detections",
        *required(sa.Text, "port detection_id scene_id overpass_id class flags model_id"),
        *required(UtcTime, "acquired"),
        *required(
            sa.Double,
            "acquired_sigma_s lon lat p_vessel p_barge p_bulk_carrier p_other_vessel "
            "length_m length_low_m length_high_m beam_m axis_deg west south east "
            "north",
        ),
        *optional(sa.Text, "zone dropped_because"),
        *optional(sa.Double, "bow_deg p_bow p_moving"),
        *optional(sa.Boolean, "moving"),
        *required(sa.Boolean, "simulated"),
        *required(Geometry, "geometry"),
        of_acquisition("detections"),
        sa.PrimaryKeyConstraint("port", "detection_id", name="pk_detections"),
    )
    op.create_index("ix_detections_port_acquired", "detections", ["port", "acquired"])
    op.create_index("ix_detections_port_overpass_id", "detections", ["port", "overpass_id"])
    op.create_index("ix_detections_west_east_south_north", "detections", ["west", "east", "south", "north"])


def _matches() -> None:
    op.create_table(
        "matches",
        *required(sa.Text, "port overpass_id status candidates conflicts reasons carriage_expected"),
        *required(sa.Integer, "row"),
        *optional(sa.Text, "detection_id mmsi zone"),
        *required(sa.Double, "probability west south east north"),
        *optional(sa.Double, "p_kinematic p_heard_class_a p_heard_class_b distance_m dt_s"),
        *required(sa.Boolean, "simulated"),
        *required(Geometry, "geometry"),
        of_acquisition("matches"),
        sa.PrimaryKeyConstraint("port", "overpass_id", "row", name="pk_matches"),
    )
    op.create_index("ix_matches_mmsi", "matches", ["mmsi"])
    op.create_index("ix_matches_port_detection_id", "matches", ["port", "detection_id"])
    op.create_index("ix_matches_west_east_south_north", "matches", ["west", "east", "south", "north"])


def _counts() -> None:
    op.create_table(
        "counts",
        *required(sa.Text, "port overpass_id zone class length_bin quantity"),
        *required(UtcTime, "acquired"),
        *optional(sa.Double, "value low high"),
        *required(sa.Double, "visible_fraction"),
        *required(sa.Boolean, "observed_at_all simulated"),
        sa.PrimaryKeyConstraint(
            "port", "overpass_id", "zone", "class", "length_bin", "quantity", name="pk_counts"
        ),
        of_acquisition("counts"),
    )
    op.create_index("ix_counts_port_acquired", "counts", ["port", "acquired"])


def _positions() -> None:
    op.create_table(
        "positions",
        *required(sa.Text, "port overpass_id mmsi source"),
        *required(sa.Integer, "row"),
        *required(UtcTime, "time"),
        *required(sa.Double, "lon lat"),
        *optional(sa.Double, "sog_kn cog_deg heading_deg"),
        *optional(sa.Text, "nav_status ais_class"),
        *required(sa.Boolean, "simulated"),
        sa.PrimaryKeyConstraint("port", "overpass_id", "row", name="pk_positions"),
        of_acquisition("positions"),
    )
    op.create_index("ix_positions_mmsi_time", "positions", ["mmsi", "time"])
    op.create_index(
        "ix_positions_port_overpass_id_mmsi_time_lon_lat",
        "positions",
        ["port", "overpass_id", "mmsi", "time", "lon", "lat"],
    )


def _vessels() -> None:
    op.create_table(
        "vessels",
        *required(sa.Text, "port overpass_id mmsi source"),
        *required(sa.Integer, "row"),
        *required(UtcTime, "time"),
        *optional(sa.Text, "imo name callsign flag destination"),
        *optional(sa.Integer, "ship_type"),
        *optional(sa.Double, "to_bow_m to_stern_m to_port_m to_starboard_m length_m beam_m draught_m"),
        *required(sa.Boolean, "simulated"),
        of_acquisition("vessels"),
        sa.PrimaryKeyConstraint("port", "overpass_id", "row", name="pk_vessels"),
    )
    op.create_index("ix_vessels_mmsi_time", "vessels", ["mmsi", "time"])


def _chips() -> None:
    op.create_table(
        "chips",
        *required(sa.Text, "port overpass_id detection_id"),
        *required(sa.LargeBinary, "image"),
        of_acquisition("chips"),
        sa.PrimaryKeyConstraint("port", "overpass_id", "detection_id", name="pk_chips"),
    )


def _quicklooks() -> None:
    op.create_table(
        "quicklooks",
        *required(sa.Text, "port overpass_id"),
        *required(sa.LargeBinary, "image"),
        *required(sa.Double, "west south east north"),
        of_acquisition("quicklooks"),
        sa.PrimaryKeyConstraint("port", "overpass_id", name="pk_quicklooks"),
    )


def _users() -> None:
    op.create_table(
        "users",
        *required(sa.Text, "name role password_hash"),
        *required(UtcTime, "created"),
        *required(sa.Boolean, "disabled"),
        *optional(sa.Text, "oidc_issuer oidc_subject"),
        one_of("users", "role", "viewer analyst admin"),
        sa.PrimaryKeyConstraint("name", name="pk_users"),
        sa.UniqueConstraint("oidc_issuer", "oidc_subject", name="uq_users_account"),
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        *required(sa.Text, "token_sha256 user_name"),
        *required(UtcTime, "created expires"),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_sessions"),
        sa.ForeignKeyConstraint(["user_name"], ["users.name"], name="fk_sessions_users", ondelete="CASCADE"),
    )


def _visits() -> None:
    op.create_table(
        "visits",
        *required(sa.Text, "user_name"),
        *required(UtcTime, "started"),
        sa.ForeignKeyConstraint(["user_name"], ["users.name"], name="fk_visits_users", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_name", "started", name="pk_visits"),
    )


def _decisions() -> None:
    op.create_table(
        "decisions",
        *required(sa.Integer, "seq"),
        *required(sa.Text, "previous_sha256 sha256 user_name kind port overpass_id finding note evidence"),
        *required(UtcTime, "decided"),
        *optional(sa.Text, "hull_class linked_mmsi because geometry attachment details"),
        *optional(sa.Integer, "undoes"),
        *required(sa.Boolean, "simulated"),
        sa.PrimaryKeyConstraint("seq", name="pk_decisions"),
        sa.UniqueConstraint("previous_sha256", name="uq_decisions_previous_sha256"),
        sa.UniqueConstraint("sha256", name="uq_decisions_sha256"),
        one_of(
            "decisions",
            "kind",
            "accepted rejected corrected undone attached asked_release released "
            "sent_back correction retraction reply exported",
        ),
    )
    op.create_index("ix_decisions_port_finding", "decisions", ["port", "finding"])


def _attached_files() -> None:
    op.create_table(
        "attached_files",
        *required(sa.Text, "sha256"),
        *required(sa.LargeBinary, "content"),
        *optional(sa.LargeBinary, "shown"),
        sa.PrimaryKeyConstraint("sha256", name="pk_attached_files"),
    )


def _audit_draws() -> None:
    op.create_table(
        "audit_draws",
        *required(sa.Integer, "draw seed wanted"),
        *required(UtcTime, "drawn"),
        *required(sa.JSON, "frame"),
        sa.PrimaryKeyConstraint("draw", name="pk_audit_draws"),
    )


def _audit_cells() -> None:
    op.create_table(
        "audit_cells",
        *required(sa.Text, "cell port zone kind overpass_id scene_id crs"),
        *required(sa.Integer, "draw place col row width height"),
        *required(UtcTime, "acquired"),
        *required(sa.Boolean, "found second simulated"),
        *required(sa.Double, "inclusion left top pixel_m"),
        *required(Geometry, "area"),
        *required(sa.LargeBinary, "image"),
        *required(sa.JSON, "output"),
        sa.ForeignKeyConstraint(["draw"], ["audit_draws.draw"], name="fk_audit_cells_audit_draws"),
        sa.PrimaryKeyConstraint("cell", name="pk_audit_cells"),
        sa.UniqueConstraint("port", "zone", "overpass_id", "col", "row", name="uq_audit_cells_place"),
    )


def _audit_answers() -> None:
    op.create_table(
        "audit_answers",
        *required(sa.Integer, "answer reviewer turn"),
        *required(sa.Text, "cell user_name kind note"),
        *required(UtcTime, "submitted"),
        *optional(sa.Integer, "corrects"),
        sa.ForeignKeyConstraint(["cell"], ["audit_cells.cell"], name="fk_audit_answers_audit_cells"),
        one_of("audit_answers", "kind", "boxes none unjudged"),
        sa.UniqueConstraint("cell", "reviewer", "turn", name="uq_audit_answers_turn"),
        sa.PrimaryKeyConstraint("answer", name="pk_audit_answers"),
        sa.UniqueConstraint("corrects", name="uq_audit_answers_corrects"),
    )


def _audit_boxes() -> None:
    op.create_table(
        "audit_boxes",
        *required(sa.Integer, "answer row"),
        *optional(sa.Text, "class"),
        *required(sa.Double, "length_m width_m axis_deg lon lat"),
        *required(Geometry, "geometry"),
        *required(sa.Text, "pixels"),
        sa.PrimaryKeyConstraint("answer", "row", name="pk_audit_boxes"),
        sa.ForeignKeyConstraint(["answer"], ["audit_answers.answer"], name="fk_audit_boxes_audit_answers"),
    )


TABLES = {
    "acquisitions": _acquisitions,
    "missing": _missing,
    "scenes": _scenes,
    "detections": _detections,
    "matches": _matches,
    "counts": _counts,
    "positions": _positions,
    "vessels": _vessels,
    "chips": _chips,
    "quicklooks": _quicklooks,
    "users": _users,
    "sessions": _sessions,
    "visits": _visits,
    "decisions": _decisions,
    "attached_files": _attached_files,
    "audit_draws": _audit_draws,
    "audit_cells": _audit_cells,
    "audit_answers": _audit_answers,
    "audit_boxes": _audit_boxes,
}
"""Table -> what makes it, each after those that it refers to."""
