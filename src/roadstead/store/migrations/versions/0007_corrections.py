"""Boxes drawn anew, fixed structures, and files attached to findings.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BEFORE = (
    "kind IN ('accepted', 'rejected', 'corrected', 'undone', 'asked_release', 'released', 'sent_back', 'correction', "
    "'retraction', 'reply', 'exported')"
)
NOW = f"{BEFORE[:-1]}, 'attached')"
CHECK = "ck_decisions_ck_decisions_kind"
"""As the naming convention made it of the name in 0004."""
SAME_ROW = {
    "decisions": "(SELECT 1 FROM decisions WHERE seq = NEW.seq OR sha256 = NEW.sha256 "
    "OR previous_sha256 = NEW.previous_sha256)",
    "attached_files": "(SELECT 1 FROM attached_files WHERE sha256 = NEW.sha256)",
}


def upgrade() -> None:
    """Add them. The rows of the chain stay as they are: empty new columns are no part of their hashes."""
    new = [sa.Column(name, sa.Text(), nullable=True) for name in ("geometry", "attachment")]
    _of_kinds(NOW, new)
    op.create_table(
        "attached_files",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("shown", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("sha256", name="pk_attached_files"),
    )
    for statement in _guards("attached_files"):
        op.execute(statement)


def downgrade() -> None:
    """Take them away; a chain that uses them cannot go back."""
    op.drop_table("attached_files")
    _of_kinds(BEFORE, [])


def _of_kinds(condition: str, new: list[sa.Column[str]]) -> None:
    """Let the chain hold these kinds, and add or take away the new columns."""
    postgres = op.get_context().dialect.name == "postgresql"
    if not postgres:
        # The table is made anew under the same name, so what refers to its rows still finds them at the end.
        op.execute("PRAGMA defer_foreign_keys = ON")
    with op.batch_alter_table("decisions", recreate="never" if postgres else "always") as table:
        table.drop_constraint(op.f(CHECK), type_="check")
        table.create_check_constraint(op.f(CHECK), condition)
        for column in new:
            table.add_column(column)
        for name in () if new else ("geometry", "attachment"):
            table.drop_column(name)
    if not postgres:  # the triggers went with the old table
        for statement in _guards("decisions"):
            op.execute(statement)


def _guards(table: str) -> list[str]:
    """Return the triggers that refuse to change or delete a row; see 0004."""
    if op.get_context().dialect.name == "postgresql":
        return [
            f"CREATE TRIGGER {table}_only_added BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        ]
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} are only ever added'); END"
    return [
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}",
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}",
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN EXISTS {SAME_ROW[table]} {refuse}",
    ]
