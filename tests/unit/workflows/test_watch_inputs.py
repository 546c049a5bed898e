"""What an overpass is made from is gathered once, and asked for in one place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from roadstead.ais import AisData
from roadstead.core.errors import UnknownPortError
from roadstead.core.settings import settings
from roadstead.imagery import Overpass
from roadstead.reconcile import ais_window, run
from roadstead.store import Store
from roadstead.workflows import fingerprint, fixed_structures
from roadstead.workflows.watch import Steps, do_overpass, watch
from roadstead.workflows.watch_plan import WatchRequest, watch_request
from tests.worlds import World, make_world

START, END = datetime(2020, 11, 1, tzinfo=UTC), datetime(2020, 11, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ROADSTEAD_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def request_(world: World, tmp_path: Path) -> WatchRequest:
    return watch_request(
        "testport",
        START,
        END,
        aoi=world.aoi,
        catalog=str(world.catalog),
        ais=[str(world.ais)],
        store=f"sqlite:///{tmp_path / 'store.sqlite'}",
    )


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count, by name, the cuts of AIS, the hashes of inputs and the reads of structures, wherever they are called."""
    counted: Counter[str] = Counter()

    def counting(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            counted[function.__name__] += 1
            return function(*args, **named)

        return call

    for function in (ais_window.cut_ais_window, fingerprint.inputs_sha256, fixed_structures.known_structures):
        for module in (fingerprint, run, ais_window, fixed_structures):
            if hasattr(module, function.__name__):
                monkeypatch.setattr(module, function.__name__, counting(function))
    return counted


def test_the_inputs_of_an_overpass_are_cut_and_hashed_once_whether_it_is_made_or_reused(
    request_: WatchRequest, calls: Counter[str]
) -> None:
    once_each = {"cut_ais_window": 2, "inputs_sha256": 2, "known_structures": 2}
    first = watch(request_)
    assert len(first.done) == 2 and not first.unchanged and not first.failures
    assert calls == once_each, "two overpasses"
    calls.clear()
    assert watch(request_).unchanged == first.done
    assert calls == once_each


def test_what_the_store_keeps_of_an_overpass_is_the_hash_that_it_was_made_from(
    request_: WatchRequest,
) -> None:
    hashes: dict[str, str] = {}

    def noted(request: WatchRequest, inputs: fingerprint.OverpassInputs, progress: Any = None) -> None:
        hashes[inputs.overpass.overpass_id] = inputs.sha256
        do_overpass(request, inputs, progress)

    watch(request_, Steps(overpass=noted))
    with Store.open(request_.store_url) as store:
        held = store.acquisitions("testport").set_index("overpass_id")["inputs_sha256"]
    assert held.to_dict() == hashes and len(set(hashes.values())) == 2


def test_the_hash_tells_the_ais_around_an_overpass_from_none(request_: WatchRequest) -> None:
    given: list[tuple[Overpass, AisData | None]] = []

    def note_only(request: WatchRequest, inputs: fingerprint.OverpassInputs, progress: Any = None) -> None:
        given.append((inputs.overpass, inputs.ais.ais if inputs.ais else None))
        assert inputs.sha256 != fingerprint.gather_inputs(request, inputs.overpass, AisData()).sha256 or (
            inputs.ais is None
        )

    watched = watch(request_, Steps(overpass=note_only))
    assert [ais is not None for _, ais in given] == [True, False], "AIS lies around the first overpass alone"
    assert watched.without_ais == (given[1][0].overpass_id,)


def test_a_request_takes_from_the_settings_what_is_not_given(world: World) -> None:
    made = watch_request("testport", START, END, aoi=world.aoi)
    base = settings()
    assert (made.catalog, made.store_url, made.settings) == (base.catalog, base.store_url, base)
    assert made.model.model_id == base.model_id
    assert (made.ais, made.ais_mapping, made.stated) == ((), None, ())
    with pytest.raises(UnknownPortError, match="nowhere"):
        watch_request("nowhere", START, END)
