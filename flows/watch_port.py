"""The flow `watch-port`: search, then one task per overpass, then artifacts, events and notifications.

It calls the very functions of `roadstead watch`. Retries sit on tasks; a failed overpass is recorded as
failed and named, and the others go on.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prefect import flow

from flows import alerts, artifacts
from flows.parent import follow_serve
from flows.steps import STEPS, failed
from roadstead.core.errors import RoadsteadError
from roadstead.store import Store
from roadstead.workflows import watch as job
from roadstead.workflows.status import port_status
from roadstead.workflows.watch_search import WatchRequest, watch_request
from roadstead.workflows.watch_summary import summary

LOOK_BACK = timedelta(days=10)
"""A scheduled run without dates looks this far back: products are listed late, and storing twice is harmless."""


def utc(time: datetime) -> datetime:
    """Return a time in UTC; one without a zone, as people type it into a page or a file, means UTC."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


@flow(name="watch-port", flow_run_name="watch {port}")
def watch_port(
    port: str,
    start: datetime | None = None,
    end: datetime | None = None,
    catalog: str | None = None,
    ais: list[str] | None = None,
    aoi: Path | None = None,
    store: str | None = None,
) -> dict[str, Any]:
    """Watch one port over a time range (the last ten days if none is given).

    An overpass is done again only where something that its result was made from has changed.

    Returns:
        The document that `roadstead watch --json` prints.
    """
    follow_serve()
    last = end or datetime.now(UTC)
    try:
        request = watch_request(
            port,
            utc(start or last - LOOK_BACK),
            utc(last),
            aoi=aoi,
            catalog=catalog,
            ais=ais or (),
            store=store,
        )
        known = set(alerts.keys(alerts.leads(request)))
        try:
            watched = job.watch(request, STEPS)
        except RoadsteadError as error:
            artifacts.tell_failures(port, {"the whole run": str(error)})
            _tell(request, known)
            raise
        artifacts.tell_failures(port, watched.failures)
        _tell(request, known)
        document = summary(request, watched)
        job.finish(bool(watched.done), watched.failures)
    except RoadsteadError as error:
        return failed(error)  # type: ignore[return-value]  # Prefect raises it for the caller
    return document


def _tell(request: WatchRequest, known: set[alerts.LeadKey]) -> None:
    """Leave what the store holds now in Prefect's pages, and tell of new leads and of a port unobserved."""
    artifacts.describe(request)
    alerts.tell_new_leads(request, known)
    with Store.open(request.store_url) as store:
        status = port_status(store, request.port.slug)
    alerts.tell_if_unobserved(status, request.settings.alert_after_days, request.settings.notify_block)
