"""`roadstead serve --once`: every scheduled watch once, for those who start it from cron."""

from __future__ import annotations

from flows.deployments import WATCH, deployments_file, read_deployments
from flows.served import Given
from roadstead.apps.cli.console import err
from roadstead.core.errors import BadInputError, RoadsteadError
from roadstead.core.settings import Settings

WORST_LAST = (0, 5, 4, 3, 2, 1)
"""Exit codes, worst last: what may pass by itself is less bad than what needs a person."""


def run_once(given: Given, base: Settings) -> int:
    """Run the flow of every scheduled watch deployment, one after the other, and return the worst exit code.

    Prefect's server lives for this run alone; its history stays in the home.
    """
    listed = read_deployments(given.deployments or deployments_file(base.home))
    watches = [one for one in listed if one.flow.name == WATCH and one.crons]
    if not watches:
        raise BadInputError(f"{given.deployments or deployments_file(base.home)}: no scheduled watch to run")
    codes = [0]
    for one in watches:
        try:
            one.flow(**one.parameters)
            err.print(f"{one.name}: done", markup=False)
        except RoadsteadError as error:
            codes.append(error.exit_code)
            err.print(f"{one.name}: {error}", markup=False, highlight=False, soft_wrap=True)
    return max(codes, key=WORST_LAST.index)
