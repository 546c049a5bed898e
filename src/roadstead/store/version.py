"""What changes whenever anything in a store does but decisions and audits: memory is held against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Float, cast, func, select

from roadstead.store.conditions import ACQUISITION
from roadstead.store.ledger import MISSING

if TYPE_CHECKING:
    from roadstead.store.store import Store

Version = tuple[Any, ...]


def version_of(store: Store) -> Version:
    """Return what changes whenever an overpass is stored, replaced or taken out, fails, or a pass is missing.

    Times of storing are added up: of two processes that replace overpasses at once, the one that began first may be
    done last, so that the latest time alone would not tell.
    """
    with store.transaction(writes=False) as connection:
        a, m = ACQUISITION.c, MISSING.c
        sqlite = connection.dialect.name == "sqlite"
        tried = select(
            func.count(), func.count(a.stored), func.max(a.stored), _sum(a.stored, sqlite), _letters(a.reason),
            _letters(a.later_failure),
        ).select_from(ACQUISITION)  # fmt: skip
        missing = select(func.count(), _sum(m.expected, sqlite), _letters(m.reason)).select_from(MISSING)
        return (*connection.execute(tried).one(), *connection.execute(missing).one())


def _sum(time: ColumnElement[Any], sqlite: bool) -> ColumnElement[Any]:
    """Return the sum of times; of their seconds and microseconds alone in SQLite, which keeps them as text."""
    return func.sum(cast(func.substr(time, 18), Float) if sqlite else func.extract("epoch", time))


def _letters(text: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.sum(func.length(text))
