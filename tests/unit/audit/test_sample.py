"""What is drawn: strata, order and second reviewers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadstead.audit import allocation, candidates, order, seconds, window_of
from roadstead.audit.frame import CELL_PX, LEAST_AREA_M2
from roadstead.core.geo import WGS84, project
from roadstead.store import Store
from tests import builders
from tests.unit.audit import builders as a

KINDS = st.sampled_from(["berth", "anchorage", "fairway", "lock"])
SIZES = st.dictionaries(st.tuples(KINDS, st.booleans()), st.integers(0, 400), max_size=8)


@given(SIZES, st.integers(1, 500))
def test_what_is_wanted_is_spread_over_the_strata_and_none_gives_more_than_it_has(
    sizes: dict[tuple[str, bool], int], wanted: int
) -> None:
    given_out = allocation(sizes, wanted)
    assert sum(given_out.values()) == min(wanted, sum(sizes.values()))
    assert all(given_out[key] <= sizes[key] for key in given_out)
    there = [key for key, n in sizes.items() if n]
    if wanted >= 2 * len(there):
        assert all(given_out[key] >= min(2, sizes[key]) for key in there), "its variance can be told"


def test_half_of_the_cells_are_of_those_where_nothing_was_found() -> None:
    found = allocation({("anchorage", True): 100, ("anchorage", False): 900, ("berth", False): 100}, 40)
    assert found["anchorage", True] == 20
    assert found["anchorage", False] == 18
    assert found["berth", False] == 2


@pytest.mark.parametrize(("cells", "expected"), [(1, 1), (4, 1), (10, 2), (40, 8), (0, 0)])
def test_a_fifth_goes_to_a_second_reviewer_and_one_at_least(cells: int, expected: int) -> None:
    assert len(seconds(cells, 3, "nampo")) == expected


def test_every_searched_square_metre_of_an_observed_zone_is_in_one_cell(store: Store) -> None:
    cells = [cell for cell in candidates(store, a.port()) if cell.overpass_id == "o0"]
    roads = project(a.port().zones[0].polygon, WGS84, a.FRAME.crs)
    areas = [project(cell.area, WGS84, a.FRAME.crs).area for cell in cells]
    assert sum(areas) == pytest.approx(roads.area, rel=1e-4), "the quay lies in the roads, and counts once"
    assert min(areas) >= LEAST_AREA_M2
    assert len({cell.place for cell in cells}) == len(cells)
    quay = [cell for cell in cells if cell.zone == a.QUAY]
    assert {cell.kind for cell in quay} == {"berth"}


def test_a_cell_knows_whether_anything_was_found_in_it(store: Store) -> None:
    cells = [cell for cell in candidates(store, a.port()) if cell.overpass_id == "o0"]
    grid = a.port().grid()
    filled = {(c.zone, c.col, c.row) for c in cells if c.found}
    expected = set()
    for ship in a.SHIPS:
        col, row = grid.xy_to_colrow(a.FRAME.colrow_to_xy(ship.corners)).mean(0)
        zone = a.QUAY if (ship.col, ship.row) == (600, 420) else a.ROADS
        expected.add((zone, int(col // CELL_PX), int(row // CELL_PX)))
    assert filled == expected
    assert any(not cell.found for cell in cells), "empty ones too"


def test_what_was_not_observed_or_not_searched_is_not_drawn_from(tmp_path: Path, item: Path) -> None:
    west = builders.area(a.FRAME, 0, 0, 300, 520)
    with Store.open(f"sqlite:///{tmp_path / 's.sqlite'}") as store:
        a.put(store, item, 0, blind=[a.QUAY], searched=west)
        store.record_failure("nampo", "o9", None, "HTTP 403")
        cells = candidates(store, a.port())
    assert {cell.zone for cell in cells} == {a.ROADS}
    assert all(west.buffer(1e-6).covers(cell.area) for cell in cells)


def test_a_picture_reaches_beyond_its_square_and_is_no_larger_than_256_pixels(store: Store) -> None:
    grid = a.port().grid()
    for cell in candidates(store, a.port()):
        window = window_of(cell, grid)
        assert max(window.width, window.height) <= 256
        assert window.col + window.width <= grid.width
        assert window.row + window.height <= grid.height


def test_the_order_is_random_and_the_same_for_a_seed(store: Store) -> None:
    cells = candidates(store, a.port())
    stratum = Counter(cell.stratum for cell in cells).most_common(1)[0][0]
    own = [cell for cell in cells if cell.stratum == stratum]
    first, again, other = (
        [cell.place for cell in order(given_in, seed, "nampo", stratum)]
        for given_in, seed in ((own, 1), (own[::-1], 1), (own, 2))
    )
    assert first == again
    assert first != other
    assert sorted(first) == sorted(other)
