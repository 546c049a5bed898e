"""What migrations make tables of: columns, constraints, and triggers on rows that are only ever added."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

REFUSE = (
    "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_ARGV[0] || ' are only ever added'; END $$"
)
"""What the triggers of PostgreSQL call; SQLite's hold the message themselves."""


def required(kind: type[sa.types.TypeEngine[Any]], names: str) -> list[sa.Column[Any]]:
    """Return columns of one type that are never null; the numbers among keys are ours to give."""
    return [sa.Column(name, kind(), nullable=False, autoincrement=False) for name in names.split()]


def optional(kind: type[sa.types.TypeEngine[Any]], names: str) -> list[sa.Column[Any]]:
    """Return columns of one type that may be null."""
    return [sa.Column(name, kind(), nullable=True) for name in names.split()]


def of_acquisition(table: str) -> sa.ForeignKeyConstraint:
    """Tie rows to their acquisition, which takes them along when it is deleted."""
    here, there = ["port", "overpass_id"], ["acquisitions.port", "acquisitions.overpass_id"]
    return sa.ForeignKeyConstraint(here, there, name=f"fk_{table}_acquisitions", ondelete="CASCADE")


def one_of(table: str, column: str, values: str) -> sa.CheckConstraint:
    """Return the check that a column holds one of these values."""
    listed = ", ".join(f"'{value}'" for value in values.split())
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{column}"))


def triggers(dialect: str, table: str, rows: str, keys: tuple[tuple[str, ...], ...]) -> list[str]:
    """Return the statements that make a table's triggers: the database itself refuses to change or delete a row.

    Args:
        dialect: ``postgresql`` or ``sqlite``.
        table: whose rows are guarded.
        rows: what the message calls them.
        keys: columns that no two rows share; SQLite replaces a row by these.
    """
    if dialect == "postgresql":
        return [
            f"CREATE TRIGGER {table}_only_added BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION refuse_change('{rows}')",
            f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('{rows}')",
        ]
    refuse = f"BEGIN SELECT RAISE(ABORT, '{rows} are only ever added'); END"
    # INSERT OR REPLACE deletes without the trigger of DELETE (https://www.sqlite.org/lang_conflict.html).
    return [
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}",
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}",
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {_exists(table, keys)} {refuse}",
    ]


def _exists(table: str, keys: tuple[tuple[str, ...], ...]) -> str:
    same = (" AND ".join(f'"{name}" = NEW."{name}"' for name in key) for key in keys)
    return f"EXISTS (SELECT 1 FROM {table} WHERE {' OR '.join(f'({key})' for key in same)})"  # noqa: S608
