"""Only earlier overpasses of the same kind teach what stays put."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from roadstead.catalog import Store
from roadstead.imagery import SAME_PASS, Overpass
from roadstead.jobs.structures import known_structures
from tests.unit.builders import ACQUIRED, detection, detections
from tests.unit.catalog import builders as b

DAYS = range(0, 290, 10)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        yield opened


def look(number: int, days: float, simulated: bool) -> Overpass:
    """Return an overpass so many days after the first."""
    one = b.scene(f"S{number}", ACQUIRED + timedelta(days=days))
    return b.overpass(f"o{number}", replace(one, simulated=simulated))


def put(store: Store, overpass: Overpass) -> None:
    """Store an overpass that shows one hull, always at the same place."""
    (only,) = overpass.scenes
    row = detection(
        0, detection_id=overpass.overpass_id, scene_id=only.scene_id, overpass_id=overpass.overpass_id,
        acquired=overpass.acquired, simulated=only.simulated,
    )  # fmt: skip
    b.put(store, overpass, detections=detections([row]), matches=b.matches([]), chips={})


@pytest.mark.parametrize("simulated", [True, False])
def test_a_hull_found_all_year_is_a_structure_to_overpasses_of_its_own_kind(
    store: Store, simulated: bool
) -> None:
    for number, day in enumerate(DAYS):
        put(store, look(number, day, simulated))
    assert len(known_structures(store, "nampo", look(99, 300, simulated))) == 1
    assert len(known_structures(store, "nampo", look(99, 300, not simulated))) == 0


def test_what_was_stored_of_this_very_pass_teaches_nothing(store: Store) -> None:
    """A late scene regroups an overpass under another id, a little earlier or later."""
    for number, day in enumerate(DAYS):
        put(store, look(number, day, simulated=True))
    alone = known_structures(store, "nampo", look(99, 300, simulated=True))
    put(store, look(98, 300 - 0.5 * SAME_PASS / timedelta(days=1), simulated=True))
    again = known_structures(store, "nampo", look(99, 300, simulated=True))
    assert alone["looks"].tolist() == again["looks"].tolist() == [len(DAYS)]
    put(store, look(97, 299, simulated=True))
    assert known_structures(store, "nampo", look(99, 300, simulated=True))["looks"].tolist() == [
        len(DAYS) + 1
    ]
