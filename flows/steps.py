"""The steps of `roadstead.workflows.watch` as Prefect tasks, and how a run of ours fails."""

from __future__ import annotations

import logging
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Failed

from roadstead.core.errors import RoadsteadError, UpstreamError
from roadstead.workflows import watch as job
from roadstead.workflows.watch_search import find


def _upstream_only(task: Any, task_run: Any, state: Any) -> bool:  # noqa: ANN401 - Prefect's signature
    """Retry only what may pass: bad input stays bad."""
    return isinstance(state.result(raise_on_failure=False), UpstreamError)


RETRIES = {
    "retries": 2,
    "retry_delay_seconds": [2, 10],
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": _upstream_only,
    "cache_policy": NO_CACHE,
    "persist_result": False,
}

STEPS = job.Steps(
    find=task(find, name="search", **RETRIES),
    load=task(job.load_declarations, name="load-ais", **RETRIES),
    overpass=task(job.do_overpass, name="overpass", task_run_name="{inputs.overpass.overpass_id}", **RETRIES),
)


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
