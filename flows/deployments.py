"""The deployments of ``prefect.yaml``, read for `roadstead serve`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml
from prefect import Flow
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.types.entrypoint import EntrypointType

import roadstead
from roadstead.core.errors import UsageError

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
        UsageError: it is no such file, or names a flow that does not exist.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        found = [Deployed(one["name"], _flow(one["entrypoint"]), one) for one in document["deployments"]]
        for one in found:
            one.for_runner()
            if one.crons:
                one.flow.validate_parameters(one.parameters)
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, ImportError, AttributeError) as error:
        raise UsageError(f"{path}: no file of deployments: {type(error).__name__}: {error}") from error
    return found


def _flow(entrypoint: str) -> Flow[..., Any]:
    """Return the flow that ``flows/watch_port.py:watch_port`` names."""
    path, name = entrypoint.split(":")
    found = getattr(import_module(path.removesuffix(".py").replace("/", ".")), name)
    if not isinstance(found, Flow):
        raise TypeError(f"{entrypoint} is no flow")
    return found
