"""The flow `watch-port`: search, then one task per overpass, then a table artifact.

It calls the very functions of `roadstead watch`. Retries sit on tasks; a failed overpass is recorded as
failed and named, and the others go on.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from roadstead.aoi import named_port
from roadstead.catalog import Store
from roadstead.detection import load_model
from roadstead.errors import UpstreamError
from roadstead.jobs import watch as job
from roadstead.jobs.summary import summary
from roadstead.jobs.tables import count_rows
from roadstead.settings import settings

LOOK_BACK = timedelta(days=10)
"""A scheduled run without dates looks this far back: products are listed late, and storing twice is harmless."""


def _upstream_only(task: Any, task_run: Any, state: Any) -> bool:  # noqa: ANN401 - Prefect's signature
    """Retry only what may pass: bad input stays bad."""
    try:
        state.result()
    except UpstreamError:
        return True
    except Exception:
        return False
    return False


_RETRIES = {
    "retries": 2,
    "retry_delay_seconds": [2, 10],
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": _upstream_only,
    "cache_policy": NO_CACHE,
    "persist_result": False,
}


STEPS = job.Steps(
    find=task(job.find, name="search", **_RETRIES),
    load=task(job.load_declarations, name="load-ais", **_RETRIES),
    overpass=task(job.do_overpass, name="overpass", task_run_name="{overpass.overpass_id}", **_RETRIES),
)


@flow(name="watch-port")
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

    Returns:
        The document that `roadstead watch --json` prints.
    """
    base = settings()
    last = end or datetime.now(UTC)
    request = job.WatchRequest(
        named_port(port, aoi),
        start or last - LOOK_BACK,
        last,
        catalog or base.catalog,
        load_model(base.model_id),
        base,
        store or base.store_url,
        tuple(ais or ()),
    )
    watched = job.watch(request, STEPS)
    document = summary(request, watched)
    _artifact(request)
    job.finish(watched)
    return document


def _artifact(request: job.WatchRequest) -> None:
    with Store.open(request.store_url) as store:
        counts = store.counts(request.port.slug, request.start, request.end)
    columns, rows = count_rows(counts)
    create_table_artifact(
        key=f"counts-{request.port.slug}",
        table=[dict(zip(columns, row, strict=True)) for row in rows],
        description=f"Counts at {request.port.slug}; intervals are 90 %. Leads, never verdicts.",
    )
