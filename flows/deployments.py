"""The deployments of ``prefect.yaml``, read for `roadstead serve`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import Flow
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.types.entrypoint import EntrypointType

import roadstead
from flows.deployment_file import read_file

NAME = "prefect.yaml"
TAG = "roadstead"
"""Every deployment of ours carries it."""
GONE = "gone-from-file"
"""Tag of a deployment that was paused since the file names it no longer."""
WATCH = "watch-port"
"""Name of the flow whose deployments `roadstead serve --once` runs."""


@dataclass(frozen=True)
class Deployed:
    """One deployment of the file."""

    name: str
    flow: Flow[..., Any]
    document: Mapping[str, Any]
    """As in the file."""

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters of every run."""
        return dict(self.document.get("parameters") or {})

    @property
    def crons(self) -> list[CronSchedule]:
        """Schedules; empty where it runs by hand alone."""
        listed = self.document.get("schedules") or []
        return [CronSchedule(cron=one["cron"], timezone=one.get("timezone", "UTC")) for one in listed]

    def for_runner(self, paused: bool = False) -> RunnerDeployment:
        """Return it for Prefect's runner, by module: it works from a wheel too."""
        limit = self.document.get("concurrency_limit")
        return self.flow.to_deployment(  # type: ignore[return-value]
            name=self.name,
            description=self.document.get("description"),
            parameters=self.parameters,
            paused=paused,
            tags=sorted({TAG, *(self.document.get("tags") or [])}),
            schedules=[DeploymentScheduleCreate(schedule=cron, active=True) for cron in self.crons],
            concurrency_limit=ConcurrencyLimitConfig(**limit) if isinstance(limit, Mapping) else limit,
            version=roadstead.__version__,
            entrypoint_type=EntrypointType.MODULE_PATH,
        )


def deployments_file(home: Path) -> Path:
    """Return the user's own file in the home where there is one, else the one that ships with Roadstead."""
    package = Path(roadstead.__file__).parent
    for path in (home / NAME, package / "_data" / NAME):
        if path.is_file():
            return path
    return package.parents[1] / NAME


def read_deployments(path: Path) -> list[Deployed]:
    """Read the deployments of a file.

    Raises:
        UsageError: it is no such file; every mistake is named with its key.
    """
    return [Deployed(document["name"], flow, document) for document, flow in read_file(path)]
