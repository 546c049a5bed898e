"""The flow against a real Prefect server, next to the command that it must equal."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from roadstead.core.ports import known_ports
from tests.worlds import World, make_world

pytestmark = [
    pytest.mark.usefixtures("prefect_server", "home"),
    pytest.mark.filterwarnings("ignore"),  # Prefect's own dependencies warn
]
START, END = datetime(2020, 11, 1, tzinfo=UTC), datetime(2020, 11, 15, tzinfo=UTC)


def run_flow(world: World, store: Path) -> dict[str, Any]:
    from flows.watch_port import watch_port

    result: dict[str, Any] = watch_port(
        "testport", START, END, str(world.catalog), [str(world.ais)], world.aoi, f"sqlite:///{store}"
    )
    return result


def test_the_flow_gives_the_document_that_the_command_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from roadstead.apps.cli.main import app

    world = make_world(tmp_path / "world")
    by_flow = run_flow(world, tmp_path / "flow.sqlite")
    words = ["watch", "testport", "--aoi", world.aoi, "--catalog", world.catalog, "--ais", world.ais]
    words += [
        "--from",
        "2020-11-01",
        "--to",
        "2020-11-14",
        "--store",
        f"sqlite:///{tmp_path / 'cli.sqlite'}",
        "--json",
    ]
    app([str(word) for word in words], standalone_mode=False)
    by_command = json.loads(capsys.readouterr().out)
    for overpass in (*by_flow["overpasses"], *by_command["overpasses"]):
        assert overpass.pop("stored"), "the one thing in which the two differ"
    assert json.loads(json.dumps(by_flow, default=str)) == by_command
    assert by_flow["detections"] == 4


def test_a_failed_overpass_fails_the_flow_names_itself_and_keeps_the_other(tmp_path: Path) -> None:
    from roadstead.core.errors import PartialError
    from roadstead.store import Store

    world = make_world(tmp_path / "world")
    nir = world.items[0].parent / "blue.tif"
    nir.write_bytes(nir.read_bytes()[:3000])
    with pytest.raises(PartialError, match="S2B_TEST_1"):
        run_flow(world, tmp_path / "s.sqlite")
    with Store.open(f"sqlite:///{tmp_path / 's.sqlite'}") as store:
        states = store.acquisitions("testport")
        counts = store.counts("testport")
    assert sorted(states["state"]) == ["failed", "processed"]
    assert counts["overpass_id"].nunique() == 1


def test_prefects_server_imports() -> None:
    """A newer fastapi breaks it although pip finds no fault."""
    import prefect.server.api.server as server

    assert callable(server.create_app)


def test_a_deployment_on_a_schedule_gets_its_runs() -> None:
    """On SQLAlchemy 2.1 the server starts and makes none."""
    from prefect.client.orchestration import get_client

    from flows.watch_port import watch_port

    wanted = watch_port.to_deployment("scheduled", parameters={"port": "nampo"}, cron="15 */6 * * *")
    deployment = wanted.apply()
    with get_client(sync_client=True) as client:
        client.request(
            "POST", "/deployments/{id}/schedule", path_params={"id": deployment}, json={"min_runs": 3}
        )
        runs = client.read_flow_runs()
    assert sum(run.deployment_id == deployment for run in runs) >= 3


def test_every_port_has_a_deployment_that_runs_the_flow() -> None:
    from flows.deployments import read_deployments

    listed = read_deployments(Path("prefect.yaml"))
    watches = {one.parameters["port"]: one for one in listed if one.flow.name == "watch-port"}
    assert set(watches) == set(known_ports())
    for port, one in watches.items():
        assert port in one.document["tags"]
        assert one.crons
        one.flow.validate_parameters(one.parameters)
    others = {one.name: (one.flow.name, bool(one.crons)) for one in listed if one not in watches.values()}
    assert others == {"backfill": ("backfill", False), "export-findings": ("export-findings", True)}


def test_no_two_runs_of_a_deployment_go_at_once_and_a_waiting_backfill_leaves_room_for_a_watch() -> None:
    from flows.deployments import read_deployments
    from flows.serve import RUNS_AT_ONCE

    limits = {one.name: one.for_runner() for one in read_deployments(Path("prefect.yaml"))}
    assert {made.concurrency_limit for made in limits.values()} == {1}
    assert RUNS_AT_ONCE >= 2
