"""The audit: draws, cells, answers and boxes, which can only be added.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from roadstead.store.column_types import Geometry, UtcTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = ("audit_draws", "audit_cells", "audit_answers", "audit_boxes")
REFUSED = "audits are only ever added"
KEYS = {
    "audit_draws": (("draw",),),
    "audit_cells": (("cell",), ("port", "zone", "overpass_id", "col", "row")),
    "audit_answers": (("answer",), ("cell", "reviewer", "turn"), ("corrects",)),
    "audit_boxes": (("answer", "row"),),
}
"""Table -> what may be there once."""


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "audit_draws",
        sa.Column("draw", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("drawn", UtcTime(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("frame", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("draw", name="pk_audit_draws"),
    )
    op.create_table(
        "audit_cells",
        sa.Column("cell", sa.Text(), nullable=False),
        sa.Column("draw", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("overpass_id", sa.Text(), nullable=False),
        sa.Column("acquired", UtcTime(), nullable=False),
        sa.Column("scene_id", sa.Text(), nullable=False),
        sa.Column("col", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("found", sa.Boolean(), nullable=False),
        sa.Column("inclusion", sa.Double(), nullable=False),
        sa.Column("second", sa.Boolean(), nullable=False),
        sa.Column("area", Geometry(), nullable=False),
        sa.Column("crs", sa.Text(), nullable=False),
        sa.Column("left", sa.Double(), nullable=False),
        sa.Column("top", sa.Double(), nullable=False),
        sa.Column("pixel_m", sa.Double(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.Column("output", sa.JSON(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["draw"], ["audit_draws.draw"], name="fk_audit_cells_audit_draws"),
        sa.UniqueConstraint("port", "zone", "overpass_id", "col", "row", name="uq_audit_cells_place"),
        sa.PrimaryKeyConstraint("cell", name="pk_audit_cells"),
    )
    op.create_table(
        "audit_answers",
        sa.Column("answer", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cell", sa.Text(), nullable=False),
        sa.Column("reviewer", sa.Integer(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("submitted", UtcTime(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("corrects", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind IN ('boxes', 'none', 'unjudged')", name="ck_audit_answers_kind"),
        sa.ForeignKeyConstraint(["cell"], ["audit_cells.cell"], name="fk_audit_answers_audit_cells"),
        sa.UniqueConstraint("cell", "reviewer", "turn", name="uq_audit_answers_turn"),
        sa.UniqueConstraint("corrects", name="uq_audit_answers_corrects"),
        sa.PrimaryKeyConstraint("answer", name="pk_audit_answers"),
    )
    op.create_table(
        "audit_boxes",
        sa.Column("answer", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("class", sa.Text(), nullable=True),
        sa.Column("length_m", sa.Double(), nullable=False),
        sa.Column("width_m", sa.Double(), nullable=False),
        sa.Column("axis_deg", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("geometry", Geometry(), nullable=False),
        sa.Column("pixels", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["answer"], ["audit_answers.answer"], name="fk_audit_boxes_audit_answers"),
        sa.PrimaryKeyConstraint("answer", "row", name="pk_audit_boxes"),
    )
    for statement in _guards():
        op.execute(statement)


def _guards() -> list[str]:
    """Return the triggers that refuse to change or delete a row."""
    made: list[str] = []
    if op.get_context().dialect.name == "postgresql":
        made.append(
            "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{REFUSED}'; END $$"
        )
        for table in TABLES:
            made += [
                f"CREATE TRIGGER {table}_only_added BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()",
                f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()",
            ]
        return made
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
    for table in TABLES:
        # INSERT OR REPLACE deletes without the trigger of DELETE (https://www.sqlite.org/lang_conflict.html).
        made += [
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}",
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}",
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {_exists(table)} {refuse}",
        ]
    return made


def _exists(table: str) -> str:
    same = (" AND ".join(f'"{name}" = NEW."{name}"' for name in key) for key in KEYS[table])
    return f"EXISTS (SELECT 1 FROM {table} WHERE {' OR '.join(f'({key})' for key in same)})"  # noqa: S608


def downgrade() -> None:
    """Take them away."""
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_audit_change()")
