"""The analyst's desk: users, sessions, visits, and decisions that can only be added.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from roadstead.store.column_types import UtcTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

REFUSED = "decisions are only ever added"


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "users",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created", UtcTime(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.CheckConstraint("role IN ('viewer', 'analyst', 'admin')", name="ck_users_role"),
        sa.PrimaryKeyConstraint("name", name="pk_users"),
    )
    op.create_table(
        "sessions",
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("created", UtcTime(), nullable=False),
        sa.Column("expires", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_name"], ["users.name"], name="fk_sessions_users", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_sessions"),
    )
    op.create_table(
        "visits",
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("started", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_name"], ["users.name"], name="fk_visits_users", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_name", "started", name="pk_visits"),
    )
    op.create_table(
        "decisions",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("previous_sha256", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("decided", UtcTime(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("overpass_id", sa.Text(), nullable=False),
        sa.Column("finding", sa.Text(), nullable=False),
        sa.Column("hull_class", sa.Text(), nullable=True),
        sa.Column("linked_mmsi", sa.Text(), nullable=True),
        sa.Column("because", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('accepted', 'rejected', 'corrected', 'undone')", name="ck_decisions_kind"
        ),
        sa.UniqueConstraint("sha256", name="uq_decisions_sha256"),
        sa.UniqueConstraint("previous_sha256", name="uq_decisions_previous_sha256"),
        sa.PrimaryKeyConstraint("seq", name="pk_decisions"),
    )
    op.create_index("ix_decisions_port_finding", "decisions", ["port", "finding"])
    for statement in _guards():
        op.execute(statement)


def _guards() -> list[str]:
    """Return the triggers that refuse to change or delete a decision."""
    if op.get_context().dialect.name == "postgresql":
        return [
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{REFUSED}'; END $$",
            "CREATE TRIGGER decisions_only_added BEFORE UPDATE OR DELETE ON decisions "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            "CREATE TRIGGER decisions_not_emptied BEFORE TRUNCATE ON decisions "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        ]
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
    # INSERT OR REPLACE deletes without the trigger of DELETE (https://www.sqlite.org/lang_conflict.html).
    return [
        f"CREATE TRIGGER decisions_no_update BEFORE UPDATE ON decisions {refuse}",
        f"CREATE TRIGGER decisions_no_delete BEFORE DELETE ON decisions {refuse}",
        "CREATE TRIGGER decisions_no_replace BEFORE INSERT ON decisions WHEN EXISTS (SELECT 1 FROM decisions WHERE "
        "seq = NEW.seq OR sha256 = NEW.sha256 OR previous_sha256 = NEW.previous_sha256) "
        "BEGIN SELECT RAISE(ABORT, 'decisions are only ever added'); END",
    ]


def downgrade() -> None:
    """Take them away."""
    op.drop_table("decisions")
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
    for name in ("visits", "sessions", "users"):
        op.drop_table(name)
