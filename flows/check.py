"""Check that Prefect's server imports and makes scheduled runs, in a database of its own: ``python -m flows.check``.

`roadstead doctor` runs it. On SQLAlchemy 2.1 the server of Prefect 3.8.8 starts and schedules nothing.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from datetime import UTC, datetime

WANTED = 3


async def scheduled() -> int:
    """Return how many runs the scheduler makes of a deployment on an hourly schedule."""
    import prefect.server.api.server  # noqa: F401 - a newer fastapi breaks this import
    from prefect.server import models
    from prefect.server.database import provide_database_interface
    from prefect.server.schemas.actions import DeploymentScheduleCreate
    from prefect.server.schemas.core import Deployment, Flow
    from prefect.server.schemas.schedules import CronSchedule

    database = provide_database_interface()
    await database.create_db()
    hourly = DeploymentScheduleCreate(active=True, schedule=CronSchedule(cron="15 * * * *"))
    async with database.session_context(begin_transaction=True) as session:
        flow = await models.flows.create_flow(session, Flow(name="check"))
        wanted = Deployment(name="check", flow_id=flow.id, schedules=[])
        deployment = await models.deployments.create_deployment(session, wanted)
        if deployment is None:
            return 0
        await models.deployments.create_deployment_schedules(session, deployment.id, [hourly])
    async with database.session_context(begin_transaction=True) as session:
        made = await models.deployments.schedule_runs(
            session, deployment.id, start_time=datetime.now(UTC), min_runs=WANTED, max_runs=WANTED
        )
    return len(made)


def main() -> None:
    """Run the check; end with a message and code 1 where it fails."""
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"PREFECT_HOME": home, "DO_NOT_TRACK": "1", "PREFECT_LOGGING_LEVEL": "ERROR"}
        os.environ["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = f"sqlite+aiosqlite:///{home}/check.db"
        import prefect

        made = asyncio.run(scheduled())
    if made < WANTED:
        sys.exit(f"prefect {prefect.__version__}: its scheduler made {made} of {WANTED} runs")
    sys.stdout.write(f"{prefect.__version__} imports and makes scheduled runs\n")


if __name__ == "__main__":
    main()
