"""Requests for release, releases, corrections, retractions, replies and exports: further rows of the chain.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BEFORE = ("accepted", "rejected", "corrected", "undone")
NEW = ("asked_release", "released", "sent_back", "correction", "retraction", "reply", "exported")
REFUSED = "decisions are only ever added"


def upgrade() -> None:
    """Add them. The rows there keep their hashes: the new column is empty in them, and so no part of a hash."""
    _of_kinds((*BEFORE, *NEW), add=True)


def downgrade() -> None:
    """Take them away; a chain that uses them cannot go back."""
    _of_kinds(BEFORE, add=False)


def _of_kinds(kinds: tuple[str, ...], *, add: bool) -> None:
    """Let the chain hold these kinds, and add or take away the column."""
    postgres = op.get_context().dialect.name == "postgresql"
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table("decisions", recreate="never" if postgres else "always") as table:
        if postgres:
            table.drop_constraint("ck_decisions_kind", type_="check")
        table.create_check_constraint("ck_decisions_kind", f"kind IN ({listed})")
        if add:
            table.add_column(sa.Column("details", sa.Text(), nullable=True))
        else:
            table.drop_column("details")
    if not postgres:  # the triggers went with the old table
        for statement in _guards():
            op.execute(statement)


def _guards() -> list[str]:
    """Return the triggers that refuse to change or delete a decision; see 0004."""
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
    return [
        f"CREATE TRIGGER decisions_no_update BEFORE UPDATE ON decisions {refuse}",
        f"CREATE TRIGGER decisions_no_delete BEFORE DELETE ON decisions {refuse}",
        "CREATE TRIGGER decisions_no_replace BEFORE INSERT ON decisions WHEN EXISTS (SELECT 1 FROM decisions WHERE "
        "seq = NEW.seq OR sha256 = NEW.sha256 OR previous_sha256 = NEW.previous_sha256) "
        "BEGIN SELECT RAISE(ABORT, 'decisions are only ever added'); END",
    ]
