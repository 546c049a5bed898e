"""The steps of `roadstead.jobs.watch` as Prefect tasks; what is done already is not done again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.states import Failed

from roadstead.ais import AisData
from roadstead.catalog import Store
from roadstead.errors import RoadsteadError, UpstreamError
from roadstead.imagery import Overpass
from roadstead.jobs import watch as job


def _upstream_only(task: Any, task_run: Any, state: Any) -> bool:  # noqa: ANN401 - Prefect's signature
    """Retry only what may pass: bad input stays bad."""
    try:
        state.result()
    except UpstreamError:
        return True
    except Exception:
        return False
    return False


RETRIES = {
    "retries": 2,
    "retry_delay_seconds": [2, 10],
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": _upstream_only,
    "cache_policy": NO_CACHE,
    "persist_result": False,
}

_overpass = task(job.do_overpass, name="overpass", task_run_name="{overpass.overpass_id}", **RETRIES)


def _unfinished_overpass(
    request: job.WatchRequest, overpass: Overpass, ais: AisData | None, progress: job.Progress | None = None
) -> None:
    if is_finished(request, overpass, ais):
        get_run_logger().info("%s is in the store already: nothing to do", overpass.overpass_id)
        return
    _overpass(request, overpass, ais, progress)


def steps(redo: bool) -> job.Steps:
    """Return the steps; with ``redo`` an overpass that is finished is done again."""
    do: Callable[..., None] = _overpass if redo else _unfinished_overpass
    return job.Steps(
        find=task(job.find, name="search", **RETRIES),
        load=task(job.load_declarations, name="load-ais", **RETRIES),
        overpass=do,
    )


def is_finished(request: job.WatchRequest, overpass: Overpass, ais: AisData | None) -> bool:
    """Return whether the store holds this overpass from the same scenes, weights and kind of AIS.

    A result without AIS is not finished where this run has AIS around it, nor one whose last attempt failed.
    """
    port, scenes = request.port.slug, {scene.scene_id for scene in overpass.scenes}
    moment = timedelta(seconds=1)
    with Store.open(request.store_url) as store:
        standing = store.standing(port, scenes)
        if standing is None or standing.scene_ids != scenes:
            return False
        tried = store.acquisitions(port, overpass.acquired - moment, overpass.acquired + moment)
    row = tried[(tried["overpass_id"] == standing.overpass_id) & (tried["state"] != "failed")]
    if row.empty or row["later_failure"].notna().any():
        return False
    same_weights = bool(row["model_sha256"].eq(request.model.sha256).all())
    return same_weights and (standing.with_ais or job.around(request, overpass, ais) is None)


class _WithoutTrace(logging.Filter):
    """Logs our own errors by their message alone, which names the overpass and the reason."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Take the trace of our own errors out of a record; every record passes."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, RoadsteadError):
            record.exc_info, record.exc_text = None, None
            record.msg, record.args = str(error), ()
        return True


for _name in ("prefect.flow_runs", "prefect.task_runs"):
    logging.getLogger(_name).addFilter(_WithoutTrace())


def failed(error: RoadsteadError) -> State[Any]:
    """Return the state a run ends in: our own words, which name the overpass and the reason.

    A caller of the flow still gets the error raised.
    """
    name = "PartlyFailed" if error.exit_code == 5 else "Failed"
    return Failed(name=name, message=str(error), data=error)
