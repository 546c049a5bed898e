"""What an earlier `roadstead serve` left behind when it ended: runs that nobody runs, slots that nobody holds.

Only one serve runs per home, so at its start every unfinished run of its deployments is a remain. Prefect holds the
leases of concurrency slots in memory by default: a server killed with a run under way would count its slot as taken for
ever, and cancel or hold back every later run.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentUpdate, GlobalConcurrencyLimitUpdate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags, FlowRunFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Cancelled, Crashed, Scheduled

from flows.deployments import GONE, TAG

UNFINISHED = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
STOPPED = "Runner is shutting down."
"""Message of Prefect's runner on the runs that it cancels when it is stopped."""
PAGE = 200


def recover(
    client: SyncPrefectClient, deployments: Collection[UUID], resumed: Collection[UUID]
) -> dict[str, int]:
    """Bring the runs of the deployments into a state from which the schedule goes on.

    Runs that were under way are marked as crashed; those of ``resumed`` deployments (backfills) are scheduled again
    instead, also where a stop of the serve cancelled them. Of the runs that were due while nothing ran, the newest of
    each deployment is left and the others are cancelled. Slots are freed.

    Returns:
        How many runs were marked, resumed and passed over.
    """
    told = {"crashed": 0, "resumed": 0, "passed over": 0}
    for run in _runs(client, deployments, {"type": {"any_": UNFINISHED}}):
        if run.deployment_id in resumed and run.state_type != StateType.CANCELLING:
            told["resumed"] += _resume(client, run)
        else:
            words = f"The serve that ran it ended at or after {_last_sign(run)}; the next run does what is missing."
            client.set_flow_run_state(run.id, Crashed(message=words), force=True)
            told["crashed"] += 1
    for run in _runs(client, resumed, {"type": {"any_": [StateType.CANCELLED]}}):
        if run.state is not None and run.state.message == STOPPED:
            told["resumed"] += _resume(client, run)
    told["passed over"] = _pass_over(client, deployments)
    for deployment in deployments:
        limit = client.read_deployment(deployment).global_concurrency_limit
        if limit is not None:
            client.update_global_concurrency_limit(limit.name, GlobalConcurrencyLimitUpdate(active_slots=0))
    return told


def paused_by_hand(client: SyncPrefectClient) -> set[tuple[str, str]]:
    """Return (flow, deployment) names of those that a person paused: registering them anew would start them again."""
    ours = client.read_deployments(
        deployment_filter=DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG])), limit=PAGE
    )
    return {
        (client.read_flow(one.flow_id).name, one.name) for one in ours if one.paused and GONE not in one.tags
    }


def pause_gone(client: SyncPrefectClient, deployments: Collection[UUID]) -> list[str]:
    """Pause the deployments of ours that the file names no longer, and return their names."""
    ours = client.read_deployments(
        deployment_filter=DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG])), limit=PAGE
    )
    gone = [one for one in ours if one.id not in deployments and not one.paused]
    for one in gone:
        client.update_deployment(one.id, DeploymentUpdate(paused=True, tags=sorted({*one.tags, GONE})))
    return [one.name for one in gone]


def _runs(
    client: SyncPrefectClient,
    deployments: Collection[UUID],
    state: dict[str, Any],
    **more: Any,  # noqa: ANN401 - filter
) -> list[FlowRun]:
    if not deployments:
        return []
    chosen = FlowRunFilter.model_validate(
        {"deployment_id": {"any_": list(deployments)}, "state": state, **more}
    )
    found: list[FlowRun] = []
    while page := client.read_flow_runs(flow_run_filter=chosen, limit=PAGE, offset=len(found)):
        found += page
    return found


def _resume(client: SyncPrefectClient, run: FlowRun) -> int:
    words = "The serve that ran it ended; it goes on where it was."
    client.set_flow_run_state(run.id, Scheduled(name="Resumed", message=words), force=True)
    return 1


def _pass_over(client: SyncPrefectClient, deployments: Collection[UUID]) -> int:
    """Cancel the runs that were due while no serve ran, but for the newest of each deployment."""
    due = _runs(
        client,
        deployments,
        {"type": {"any_": [StateType.SCHEDULED]}},
        expected_start_time={"before_": datetime.now(UTC)},
    )
    late = sorted((run for run in due if run.auto_scheduled), key=lambda run: str(run.deployment_id))
    number = 0
    for _, group in groupby(late, key=lambda run: run.deployment_id):
        for run in sorted(group, key=lambda run: run.expected_start_time or datetime.min.replace(tzinfo=UTC))[
            :-1
        ]:
            words = "No serve ran when it was due; a later run looks at the same days."
            client.set_flow_run_state(run.id, Cancelled(name="PassedOver", message=words), force=True)
            number += 1
    return number


def _last_sign(run: FlowRun) -> str:
    return f"{run.state.timestamp:%Y-%m-%d %H:%M} UTC" if run.state else "an unknown time"
