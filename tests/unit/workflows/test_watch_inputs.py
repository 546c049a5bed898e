"""What an overpass is made from is gathered once, and asked for in one place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from roadstead.core.errors import UnknownPortError
from roadstead.core.settings import settings
from roadstead.reconcile import ais_window, run
from roadstead.store import Store
from roadstead.workflows import fingerprint, fixed_structures
from roadstead.workflows.fingerprint import OverpassInputs, gather_inputs
from roadstead.workflows.watch import Progress, Steps, do_overpass, watch
from roadstead.workflows.watch_search import WatchRequest, watch_request
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
    hashes: dict[str, str] = {}

    def noting(request: WatchRequest, inputs: OverpassInputs, progress: Progress | None) -> None:
        hashes[inputs.overpass.overpass_id] = inputs.sha256
        do_overpass(request, inputs, progress)

    first = watch(request_, Steps(overpass=noting))
    assert len(first.done) == 2 and not first.unchanged and not first.failures
    assert calls == once_each, "two overpasses"
    with Store.open(request_.store_url) as store:
        stored = store.acquisitions("testport").set_index("overpass_id")["inputs_sha256"]
    assert stored.to_dict() == hashes
    calls.clear()
    assert watch(request_).unchanged == first.done
    assert calls == once_each


def test_ais_speaks_for_the_overpass_it_lies_around_and_is_part_of_its_hash(request_: WatchRequest) -> None:
    gathered: list[OverpassInputs] = []
    watched = watch(request_, Steps(overpass=lambda request, inputs, progress: gathered.append(inputs)))
    around_first, around_second = gathered
    assert around_first.ais is not None and around_second.ais is None
    assert watched.without_ais == (around_second.overpass.overpass_id,)
    unheard = [gather_inputs(request_, inputs.overpass, None).sha256 for inputs in gathered]
    assert unheard[0] != around_first.sha256 and unheard[1] == around_second.sha256


def test_a_request_takes_from_the_settings_what_is_not_given(world: World) -> None:
    made = watch_request("testport", START, END, aoi=world.aoi)
    base = settings()
    assert (made.catalog, made.store_url, made.settings) == (base.catalog, base.store_url, base)
    assert made.model.model_id == base.model_id
    assert (made.ais, made.ais_mapping, made.stated) == ((), None, ())
    with pytest.raises(UnknownPortError, match="nowhere"):
        watch_request("nowhere", START, END)
