"""The flow `watch-port`: search, then one task per overpass, then a table artifact.

It calls the very functions of `roadstead watch`. Retries sit on tasks; a failed overpass is recorded as
failed and named, and the others go on.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from roadstead.ais import AisData
from roadstead.aoi import load_port
from roadstead.catalog import Store
from roadstead.detection import load_model
from roadstead.errors import RoadsteadError, UpstreamError
from roadstead.imagery import Overpass
from roadstead.jobs import watch as job
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
    except Exception:  # noqa: BLE001 - any other error is not retried
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


@task(name="search", **_RETRIES)
def search_task(request: job.WatchRequest) -> job.Plan:
    """Search the catalogue."""
    return job.find(request)


@task(name="load-ais", **_RETRIES)
def ais_task(request: job.WatchRequest, plan: job.Plan) -> AisData | None:
    """Load the AIS around the overpasses."""
    return job.load_declarations(request, plan)


@task(name="overpass", task_run_name="{overpass.overpass_id}", **_RETRIES)
def overpass_task(
    request: job.WatchRequest, overpass: Overpass, ais: AisData | None, store_url: str
) -> str:
    """Do one overpass from pixels to the store."""
    result = job.process(request, overpass, ais)
    with Store.open(store_url) as store:
        job.keep(store, request, result)
    return overpass.overpass_id


@flow(name="watch-port", log_prints=True)
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
        load_port(aoi or port), start or last - LOOK_BACK, last, catalog or base.catalog,
        load_model(base.model_id), base, tuple(ais or ()),
    )
    store_url = store or base.store_url
    watched = _run(request, store_url)
    with Store.open(store_url) as opened:
        document = job.summary(opened, request, watched)
        _artifact(request, opened.counts(request.port.slug, request.start, request.end))
    job.finish(watched)
    return document


def _run(request: job.WatchRequest, store_url: str) -> job.Watched:
    log = get_run_logger()
    plan = search_task(request)
    declared = ais_task(request, plan)
    failures, done = dict(plan.rejected), []
    with Store.open(store_url) as store:
        job.record_rejected(store, request, plan)
    for overpass in plan.overpasses:
        try:
            done.append(overpass_task(request, overpass, declared, store_url))
        except RoadsteadError as error:
            log.error("%s failed: %s", overpass.overpass_id, error)
            failures[overpass.overpass_id] = str(error)
            with Store.open(store_url) as store:
                job.record_failure(store, request, overpass, error)
    return job.Watched(tuple(done), failures, 0 if declared is None else len(declared.quarantine))


def _artifact(request: job.WatchRequest, counts: Any) -> None:  # noqa: ANN401 - a DataFrame
    columns, rows = count_rows(counts)
    create_table_artifact(
        key=f"counts-{request.port.slug}",
        table=[dict(zip(columns, row, strict=True)) for row in rows],
        description=f"Counts at {request.port.slug}; intervals are 90 %. Leads, never verdicts.",
    )
