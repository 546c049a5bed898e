"""Events and notifications: a new lead, a port that nobody has seen for too long.

Every text is of a lead with a probability, never a verdict, and says SIMULATED where it is.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import geopandas as gpd
import pandas as pd
from prefect.blocks.abstract import NotificationBlock
from prefect.blocks.core import Block
from prefect.events import emit_event
from prefect.logging import get_run_logger
from prefect.variables import Variable

from roadstead.core.leads import LEAD_KINDS, LEAD_WORDS, leads_of
from roadstead.core.wording import OUTSIDE, QUANTITY_WORDS, chance, finding_chance, place_words, worded
from roadstead.reconcile import CONFLICTS, REASONS
from roadstead.store import Store
from roadstead.workflows.status import PortStatus
from roadstead.workflows.watch_search import WatchRequest
from roadstead.workflows.watch_summary import records

LEAD_NEW = "roadstead.lead.new"
PORT_UNOBSERVED = "roadstead.port.unobserved"
LISTED = 10
"""So many leads are written out in one notification."""
REMIND_AFTER = timedelta(days=1)
"""A port that stays unobserved is notified again after this long; the event is emitted at every run."""

LeadKey = tuple[str, str, str, str, str]


def leads(request: WatchRequest) -> gpd.GeoDataFrame:
    """Return the leads that the store holds for a request (`findings.RULES`), each with its kind in ``lead``.

    ``p_vessel`` is that of the hull, null where none was seen. Hulls where there was no AIS come last.
    """
    with Store.open(request.store_url) as store:
        found = leads_of(store.matches(request.port.slug, request.start, request.end))
        hulls = store.detections(request.port.slug, request.start, request.end)
    found = found.assign(p_vessel=found["detection_id"].map(hulls.set_index("detection_id")["p_vessel"]))
    return found.sort_values("lead", key=lambda kinds: kinds == "hull", kind="stable", ignore_index=True)


def keys(table: gpd.GeoDataFrame) -> list[LeadKey]:
    """Return of each row what tells leads apart; the same hull found again in a rerun is the same lead."""
    columns = ("overpass_id", "detection_id", "mmsi", "status", "conflicts")
    rows = zip(*(table[name].fillna("").astype(str) for name in columns), strict=True)
    return list(rows)


def tell_new_leads(request: WatchRequest, known: set[LeadKey]) -> int:
    """Emit one event per lead that was not in the store before, notify once, and return how many there are."""
    table = leads(request)
    fresh = [row for row, key in zip(records(table), keys(table), strict=True) if key not in known]
    for row in fresh:
        payload = {name: value for name, value in row.items() if name != "geometry"}
        payload |= {"lon": row["geometry"].x, "lat": row["geometry"].y, "text": lead_words(row)}
        emit_event(LEAD_NEW, resource=_resource(request.port.slug), payload=payload)
    if fresh:
        lines = [f"- {lead_words(row)}" for row in fresh[:LISTED]]
        lines += [f"- and {len(fresh) - LISTED} more"] if len(fresh) > LISTED else []
        lines.append("Leads with a probability, never verdicts. Look at each hull before you build on it.")
        label = "SIMULATED: " if any(row["simulated"] for row in fresh) else ""
        notify(
            request.settings.notify_block,
            f"{label}{len(fresh)} new lead(s) at {request.port.slug}: {_by_kind(fresh)}",
            "\n".join(lines),
        )
    return len(fresh)


def _by_kind(rows: list[dict[str, Any]]) -> str:
    counted = Counter(row["lead"] for row in rows)
    return ", ".join(f"{counted[kind]} {LEAD_WORDS[kind]}" for kind in LEAD_KINDS if counted[kind])


def lead_words(row: dict[str, Any]) -> str:
    """Return one lead in words: what, where, how probable, and what else could explain it."""
    what = LEAD_WORDS[row["lead"]]
    if row["lead"] == "conflict":
        what = f"{QUANTITY_WORDS[row['status']]}, {what}"
    explained = [*worded(row["conflicts"], CONFLICTS), *worded(row["reasons"], REASONS)]
    place = place_words(row["geometry"].x, row["geometry"].y)
    p_vessel = None if pd.isna(row["p_vessel"]) else row["p_vessel"]
    told, meaning = finding_chance(row["status"], row["reasons"], row["probability"], p_vessel)
    head = f"{row['overpass_id']}, {row['zone'] or OUTSIDE}, {place}: {what}. {meaning}: {chance(told)}."
    return ("SIMULATED. " if row["simulated"] else "") + " ".join([head, *explained])


def tell_if_unobserved(status: PortStatus, after_days: float, block: str) -> bool:
    """Emit an event, and notify once a day, where no overpass of the port was processed for too long."""
    days = status.unobserved_days
    if days is None or days <= after_days:
        return False
    since = status.last_processed or status.first_tried
    why = (
        "; ".join(f"{failure.overpass_id}: {failure.reason}" for failure in status.failures)
        or "no failure is listed"
    )
    text = (
        f"{'SIMULATED. ' if status.simulated else ''}Nothing of {status.port} was observed for {days:.1f} days (since "
        f"{since:%Y-%m-%d %H:%M} UTC). That is not zero ships: we could not look. Latest failures: {why}."
    )
    emit_event(PORT_UNOBSERVED, resource=_resource(status.port), payload={**status.document(), "text": text})
    if _due(status.port):
        notify(block, f"{status.port} was not observed for {days:.1f} days", text)
    return True


def _due(port: str) -> bool:
    """Return whether the last notification of this port is a day old, and note that one goes out now."""
    name = "roadstead_unobserved_" + "".join(c if c.isalnum() else "_" for c in port.lower())
    last, now = Variable.get(name, default=None), datetime.now(UTC)
    if last and now - datetime.fromisoformat(str(last)) < REMIND_AFTER:
        return False
    Variable.set(name, now.isoformat(), overwrite=True)
    return True


def notify(block: str, subject: str, body: str) -> None:
    """Send a notification through a Prefect block such as ``slack-webhook/ops``; a failure is logged, never raised."""
    if not block:
        return
    logger = get_run_logger()
    try:
        channel = Block.load(block)
        if not isinstance(channel, NotificationBlock):
            raise TypeError(f"a {type(channel).__name__} block sends no notifications")
        with channel.raise_on_failure():
            channel.notify(body, subject)
    except Exception as error:  # whatever a channel raises: the observation is worth more than the message
        logger.warning(
            "The notification could not be sent through %s: %s: %s", block, type(error).__name__, error
        )


def _resource(port: str) -> dict[str, str]:
    return {"prefect.resource.id": f"roadstead.port.{port}", "prefect.resource.name": port}
