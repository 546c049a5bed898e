"""Backfill in windows and the daily export, against a real Prefect server."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from roadstead.core.errors import BadInputError, EmptySearchError, PartialError, UsageError
from roadstead.store import Store
from tests.worlds import World, make_world

pytestmark = [
    pytest.mark.usefixtures("prefect_server", "home"),
    pytest.mark.filterwarnings("ignore"),  # Prefect's own dependencies warn
]
START, END = datetime(2020, 9, 1, tzinfo=UTC), datetime(2020, 12, 15, tzinfo=UTC)


def run_backfill(world: World, store: Path, **changes: Any) -> dict[str, Any]:
    from flows.backfill import backfill

    given = {"start": START, "end": END, "catalog": str(world.catalog), "aoi": world.aoi} | changes
    result: dict[str, Any] = backfill("testport", store=f"sqlite:///{store}", **given)
    return result


def stored(store: Path) -> dict[str, Any]:
    """Return overpass id -> when its result was stored."""
    with Store.open(f"sqlite:///{store}") as opened:
        table = opened.acquisitions("testport")
    return dict(zip(table["overpass_id"], table["stored"], strict=True))


def latest(key: str) -> dict[str, Any]:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        found = client.request(
            "POST", "/artifacts/latest/filter", json={"artifacts": {"key": {"any_": [key]}}}
        )
    result: dict[str, Any] = found.json()[0]
    return result


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_windows_cover_the_range_once_in_the_order_asked_for(order: Any) -> None:
    from flows.backfill import windows

    pieces = list(windows(START, END, 30, order))
    forward = pieces if order == "oldest" else pieces[::-1]
    assert forward[0][0] == START and forward[-1][1] == END
    assert all(first[1] == second[0] for first, second in pairwise(forward))
    assert max(last - first for first, last in pieces) == timedelta(days=30)


def test_an_empty_range_is_refused(tmp_path: Path) -> None:
    world = make_world(tmp_path / "world")
    with pytest.raises(UsageError, match="nothing to do"):
        run_backfill(world, tmp_path / "s.sqlite", end=START)


def test_backfill_does_every_window_and_a_second_one_does_nothing_again(tmp_path: Path) -> None:
    world = make_world(tmp_path / "world")
    done = run_backfill(world, tmp_path / "s.sqlite", window_days=5)
    assert (done["overpasses"], done["windows"], done["windows_with_nothing"]) == (2, 21, 19)
    before = stored(tmp_path / "s.sqlite")
    assert len(before) == 2
    progress = latest("backfill-testport")
    assert (progress["type"], progress["data"]) == ("progress", 100.0)
    run_backfill(world, tmp_path / "s.sqlite", order="oldest")
    assert stored(tmp_path / "s.sqlite") == before


def test_backfill_goes_on_after_a_failed_overpass_and_the_next_does_that_one_alone(tmp_path: Path) -> None:
    world = make_world(tmp_path / "world")
    blue = world.items[1].parent / "blue.tif"
    whole = blue.read_bytes()
    blue.write_bytes(whole[:3000])
    with pytest.raises(PartialError, match="S2A_TEST_2"):
        run_backfill(world, tmp_path / "s.sqlite")
    first = stored(tmp_path / "s.sqlite")
    assert "S2A_TEST_2" in str(latest("failures-testport")["data"])
    blue.write_bytes(whole)
    run_backfill(world, tmp_path / "s.sqlite")
    second = stored(tmp_path / "s.sqlite")
    changed = [name for name in second if second[name] != first.get(name)]
    assert changed == ["testport_s2_20201108T022541"]


def test_ais_that_came_later_makes_a_finished_overpass_unfinished(tmp_path: Path) -> None:
    world = make_world(tmp_path / "world")
    run_backfill(world, tmp_path / "s.sqlite")
    first = stored(tmp_path / "s.sqlite")
    run_backfill(world, tmp_path / "s.sqlite", ais=[str(world.ais)])
    second = stored(tmp_path / "s.sqlite")
    assert [name for name in second if second[name] != first[name]] == ["testport_s2_20201103T022541"]


def test_a_range_without_images_is_not_observed(tmp_path: Path) -> None:
    world = make_world(tmp_path / "world")
    with pytest.raises(EmptySearchError, match="not zero ships"):
        run_backfill(world, tmp_path / "s.sqlite", end=datetime(2020, 10, 1, tzinfo=UTC))


def export(world: World, store: Path, root: Path, **changes: Any) -> list[str]:
    from flows.export_findings import export_findings

    days = (datetime.now(UTC) - START).days
    given = {"ports": ["testport"], "days": days, "aoi": world.aoi, "folder": root} | changes
    result: list[str] = export_findings(store=f"sqlite:///{store}", **given)
    return result


def test_export_writes_what_the_command_writes_into_a_dated_folder_and_nothing_else(tmp_path: Path) -> None:
    world, root = make_world(tmp_path / "world"), tmp_path / "exports"
    run_backfill(world, tmp_path / "s.sqlite")
    for day in ("2001-01-01", "2001-01-02"):
        (root / day).mkdir(parents=True)
    (root / ".unfinished-2001").mkdir()
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    for _ in range(2):
        files = export(world, tmp_path / "s.sqlite", root, keep=2)
        assert {Path(name).suffix for name in files} == {".geojson", ".gpkg", ".html"}
        assert all(Path(name).is_file() and Path(name).parent == root / today for name in files)
        assert {path.name for path in root.iterdir()} == {"2001-01-02", today}
    features = json.loads((root / today / "testport-detections.geojson").read_text())["features"]
    assert len(features) == 4
    assert "report.html" in latest("export-findings")["data"]


def test_an_export_that_fails_leaves_the_earlier_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import export_findings as module
    from roadstead.core.errors import StoreError

    world, root = make_world(tmp_path / "world"), tmp_path / "exports"
    run_backfill(world, tmp_path / "s.sqlite")
    files = export(world, tmp_path / "s.sqlite", root)
    before = {name: Path(name).read_bytes() for name in files}

    def half(_store: Any, _ports: Any, _start: Any, _end: Any, folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "half").touch()
        raise StoreError("the disk is full")

    monkeypatch.setattr(module, "export_ports", half)
    with pytest.raises(StoreError, match="full"):
        export(world, tmp_path / "s.sqlite", root)
    assert {name: Path(name).read_bytes() for name in files} == before


def test_an_export_of_nothing_says_so(tmp_path: Path) -> None:
    world = make_world(tmp_path / "world")
    with pytest.raises(BadInputError, match="nothing of testport"):
        export(world, tmp_path / "s.sqlite", tmp_path / "exports")
    assert not [path for path in (tmp_path / "exports").rglob("*")]
