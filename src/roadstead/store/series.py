"""Count series of a port, added up over its zones in the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, and_, cast, func, or_, select

from roadstead.counting.series import CHARTED, CountPoint
from roadstead.store import schema
from roadstead.store.rows import ACQUISITION, table_of

if TYPE_CHECKING:
    from roadstead.store.store import Store

COUNT = table_of(schema.Count)


def observed_points(store: Store, port: str, start: datetime | None) -> list[CountPoint]:
    """Return what was observed of barges, bulk carriers and dry cargo, and of dry cargo by length, from a moment on.

    Values and the ends of the 90 % intervals add up over the zones seen; summed ends are never too narrow.
    """
    c = COUNT.c
    wanted = or_(
        and_(c["class"].in_(CHARTED), c.length_bin == "all"), c["class"] == "dry_cargo"
    )  # lengths are told of dry cargo alone
    keys = (c.acquired, c.overpass_id, c["class"], c.length_bin)
    seen = func.sum(cast(c.observed_at_all, Integer))
    chosen = (
        select(*keys, func.sum(c.value), func.sum(c.low), func.sum(c.high), seen, func.count())
        .where(c.port == port, c.quantity == "observed", wanted)
        .group_by(*keys)
        .order_by(*keys)
    )
    if start is not None:
        chosen = chosen.where(c.acquired >= start)
    with store.transaction(writes=False) as connection:
        return [CountPoint(*row) for row in connection.execute(chosen)]


def total_parts(
    store: Store, port: str, overpasses: Collection[str]
) -> Mapping[str, Mapping[tuple[str, str], Mapping[str, Any]]]:
    """Return overpass -> (class ``all``, quantity) -> value, low and high, added up over the zones seen."""
    c = COUNT.c
    keys = (c.overpass_id, c.quantity)
    chosen = (
        select(*keys, func.sum(c.value).label("value"), func.sum(c.low).label("low"), func.sum(c.high).label("high"))
        .where(c.port == port, c["class"] == "all", c.length_bin == "all", c.overpass_id.in_(overpasses))
        .group_by(*keys)
    )  # fmt: skip
    found: dict[str, dict[tuple[str, str], Mapping[str, Any]]] = {}
    with store.transaction(writes=False) as connection:
        for row in connection.execute(chosen).mappings():
            found.setdefault(row["overpass_id"], {})["all", row["quantity"]] = dict(row)
    return found


def stored_since(store: Store, port: str, since: datetime) -> list[dict[str, Any]]:
    """Return the overpasses stored from a moment on, newest first: overpass_id, acquired, state, reason."""
    a = ACQUISITION.c
    chosen = select(a.overpass_id, a.acquired, a.state, a.reason).where(a.port == port, a.stored >= since)
    with store.transaction(writes=False) as connection:
        return [dict(row) for row in connection.execute(chosen.order_by(a.acquired.desc())).mappings()]
