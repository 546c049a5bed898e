"""The card shows the checks on rafts, lengths and open water that were made, and no others."""

from __future__ import annotations

from typing import Any

from roadstead_lab.training import interval_check, raft_check
from roadstead_lab.training.card import render_checks
from roadstead_lab.training.interval_check import MeasuredShip
from roadstead_lab.training.motion_check import Told, told_rates
from roadstead_lab.training.open_water import rates
from roadstead_lab.training.raft_check import CountedRaft


def checks() -> dict[str, Any]:
    rafts = [CountedRaft("at_quay", 4, 2, 3), CountedRaft("at_anchor", 2, 2, 2)]
    ship = MeasuredShip(100.0, "barge", 104.0, 90.0, 118.0, 2.0, "barge", Told(100.0, True, True, 5.0))
    real = {
        "n_scenes": 1,
        "clear_of_m": 300.0,
        **rates([50.0], 10.0),
        "by_place": {"gdynia": rates([50.0], 10.0)},
    }
    return {
        "simulated_rafts": raft_check.figures(rafts),
        "simulated_lengths": {"n_simulated_scenes": 2, **interval_check.figures([ship] * 3, 4)},
        "open_water": {
            "simulated": {**rates([], 400.0), "by_condition": {"calm": rates([], 400.0)}},
            "real": real,
        },
    }


def test_every_check_is_shown_with_its_n_and_interval() -> None:
    lines = render_checks(checks()).splitlines()
    assert "| **all** | 6 | 0.67 (0.30-0.90) | 2 | 0.50 (0.09-0.91) | -0.5 (-1.0 to 0.0) |" in lines
    assert "| the 80 % interval holds the true length | 1.00 (0.44-1.00) | 3 |" in lines
    assert "| class F1, barge | 1.00 (1.00-1.00) | 3 |" in lines
    assert "| **simulated** | 400 | 0 | 0.00 (0.00-0.92) | 0 | 0.00 (0.00-0.92) |" in lines
    assert "| real, gdynia | 10 | 1 | 10.00 (0.25-55.72) | 1 | 10.00 (0.25-55.72) |" in lines
    assert all(
        "simulated" in line.lower() for line in lines if line.startswith("## ") and "water" not in line
    )


def test_tables_and_headings_stand_apart() -> None:
    text = render_checks(checks())
    for part in text.split("\n## ")[1:]:
        assert part.endswith("|\n")
    assert "\n\n\n" not in text


def test_checks_that_were_not_made_are_left_out() -> None:
    assert render_checks({}) == ""
    only = render_checks({"open_water": {"simulated": checks()["open_water"]["simulated"]}})
    assert "## False alarms on open water" in only
    assert "Real water" not in only
    assert "## Simulated rafts" not in only


def test_bow_and_motion_against_ais_stand_below_the_simulated_ones() -> None:
    against_ais = {"told": told_rates([Told(100.0, True, False, None)])}
    rows = render_checks({**checks(), "s2_ais": against_ais}).splitlines()
    place = next(n for n, row in enumerate(rows) if row.startswith("| AIS chips | 1 | 1.00 |"))
    assert rows[place - 1].startswith("| simulated, ")
    assert not any(row.startswith("| AIS chips") for row in render_checks(checks()).splitlines())
