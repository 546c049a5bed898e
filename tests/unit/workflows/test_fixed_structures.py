"""Only earlier overpasses of the same kind teach what stays put."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from roadstead.core.schemas import STRUCTURES, checked
from roadstead.detection.fixed_structures import beside, is_structure, mark
from roadstead.imagery import SAME_PASS, Overpass
from roadstead.store import Decisions, Leads, Store, Verdict, evidence_of
from roadstead.workflows.fixed_structures import known_structures
from tests.unit.builders import ACQUIRED, detection, detections
from tests.unit.store import builders as b

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


def marked(store: Store, overpass: Overpass, because: str = "fixed_structure") -> None:
    """Have an analyst mark the hull of a stored overpass."""
    row = Leads(store).one("nampo", overpass.overpass_id)
    assert row is not None
    verdict = Verdict(
        "rejected",
        "nampo",
        overpass.overpass_id,
        overpass.overpass_id,
        evidence_of(row),
        bool(row["simulated"]),
        because=because,
    )
    Decisions(store).add(verdict, "ana", ACQUIRED + timedelta(days=400), after=0)


def put_lead(store: Store, overpass: Overpass) -> None:
    put(store, overpass)
    (only,) = overpass.scenes
    table = store.detections("nampo", overpass.acquired, overpass.acquired + timedelta(seconds=1))
    match = {
        "detection_id": overpass.overpass_id,
        "overpass_id": overpass.overpass_id,
        "status": "no_ais_partner",
        "simulated": only.simulated,
    }
    b.put(store, overpass, detections=table, matches=b.matches([match]), chips={})


def test_what_an_analyst_marks_is_a_structure_to_later_overpasses_under_that_name(store: Store) -> None:
    first = look(0, 0, simulated=True)
    put_lead(store, first)
    later = look(1, 5, simulated=True)
    assert len(known_structures(store, "nampo", later)) == 0
    marked(store, first)
    known = known_structures(store, "nampo", later)
    assert known["marked_by"].tolist() == ["ana"]
    checked(known, STRUCTURES, "structures")
    found = detections([detection(0, overpass_id="o1"), detection(5, overpass_id="o1")])
    said = mark(found, known)
    assert said["dropped_because"].tolist() == ["fixed_structure, marked by ana", None]
    assert is_structure(said["dropped_because"]).tolist() == [True, False]
    header = b.headers(later).scenes
    assert beside(header, said)[0].valid_area.area < header[0].valid_area.area, (
        "nobody calls a ship there unseen"
    )


def test_a_mark_says_nothing_of_earlier_overpasses_other_ports_or_the_other_kind_of_data(
    store: Store,
) -> None:
    first = look(0, 0, simulated=True)
    put_lead(store, first)
    marked(store, first)
    assert len(known_structures(store, "nampo", first)) == 0, "what was looked at stays as it was"
    assert len(known_structures(store, "nampo", look(1, -5, simulated=True))) == 0
    assert len(known_structures(store, "nampo", look(1, 5, simulated=False))) == 0
    assert len(known_structures(store, "ningbo-zhoushan", look(1, 5, simulated=True))) == 0


def test_a_mark_that_is_taken_back_counts_no_longer_and_other_rejections_never_do(store: Store) -> None:
    first, second = look(0, 0, simulated=True), look(1, 5, simulated=True)
    put_lead(store, first)
    put_lead(store, second)
    marked(store, first)
    marked(store, second, because="no_vessel")
    later = look(2, 10, simulated=True)
    assert len(known_structures(store, "nampo", later)) == 1
    Decisions(store).undo(1, "ana", ACQUIRED + timedelta(days=401))
    assert len(known_structures(store, "nampo", later)) == 0


def test_a_thing_marked_twice_or_learnt_as_well_is_one_structure(store: Store) -> None:
    for number, day in enumerate(DAYS):
        put_lead(store, look(number, day, simulated=True))
    for number in (0, 1):
        marked(store, look(number, DAYS[number], simulated=True))
    assert known_structures(store, "nampo", look(50, 20, simulated=True))["marked_by"].tolist() == ["ana"]
    assert known_structures(store, "nampo", look(99, 300, simulated=True))["marked_by"].tolist() == [None]
