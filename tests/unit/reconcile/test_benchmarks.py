"""The benchmarks' own parts: intervals, markers, and that the document holds every table."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.reconciler.anchorage import hostile
from benchmarks.reconciler.common import DOC, exact_interval, put, rate, share, table


def test_shares_and_rates_carry_n_and_an_exact_interval() -> None:
    assert exact_interval(0, 10)[0] == 0.0 and exact_interval(10, 10)[1] == 1.0
    assert share(9, 10) == "9/10 = 90.0 % [55.5-99.7]"
    assert rate(0, 4) == "0.0 [0.0-0.9]"


def test_a_table_goes_between_its_markers_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- bench:x -->\nold\n<!-- /bench:x -->\nafter\n")
    put("x", table(("a",), [(1,)]), page)
    assert page.read_text() == "before\n<!-- bench:x -->\n| a |\n| --- |\n| 1 |\n<!-- /bench:x -->\nafter\n"
    with pytest.raises(ValueError, match="no markers"):
        put("y", "", page)


def test_the_document_has_every_table_and_the_picture_is_small() -> None:
    text = DOC.read_text(encoding="utf-8")
    names = (
        "calibration",
        "dense",
        "hostile",
        "borrowed",
        "chips",
        "knockout",
        "leads",
        "victims",
        "evidence",
    )
    for name in (*names, "intervals", "unseen", "longline", "speed"):
        _, found, rest = text.partition(f"<!-- bench:{name} -->")
        assert found and len(rest.partition(f"<!-- /bench:{name} -->")[0]) > 40, name
    assert (DOC.parent / "images" / "reconciler-calibration.svg").stat().st_size < 300_000


def test_the_hostile_anchorage_has_two_hulls_on_one_number() -> None:
    world = hostile(0)
    assert world.ais.positions.groupby("mmsi")["segment"].max().max() >= 1
    named = [mmsi for mmsi in world.truth.values() if mmsi]
    assert set(named) <= set(world.ais.positions["mmsi"])
