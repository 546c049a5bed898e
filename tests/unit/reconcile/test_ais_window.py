from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from roadstead.ais import AisData
from roadstead.core.schemas import UTC
from roadstead.reconcile import cut_ais_window
from tests.unit.builders import ACQUIRED
from tests.unit.store import builders as b

HOURS = 6.0


def ais(*hours: float) -> AisData:
    times = pd.Series([pd.Timestamp(ACQUIRED + timedelta(hours=hour)) for hour in hours]).astype(UTC)
    one = b.positions().drop(columns="simulated", errors="ignore").iloc[[0]]
    rows = pd.concat([one] * len(hours), ignore_index=True).assign(time=times, segment=0)
    return replace(AisData(), positions=rows)


def hours_after(positions: pd.DataFrame) -> list[float]:
    return sorted((positions["time"] - pd.Timestamp(ACQUIRED)) / pd.Timedelta(hours=1))


def test_reports_of_the_days_around_are_kept_beside_those_that_speak_for_it() -> None:
    window = cut_ais_window(ais(-80.0, -40.0, 1.0, 70.0, 90.0), ACQUIRED, HOURS)
    assert window is not None
    assert hours_after(window.ais.positions) == pytest.approx([-40.0, 1.0, 70.0])
    assert hours_after(window.positions) == pytest.approx([1.0])


def test_a_window_longer_than_the_days_around_is_kept_whole() -> None:
    window = cut_ais_window(ais(-90.0, 0.0, 101.0), ACQUIRED, 100.0)
    assert window is not None
    assert hours_after(window.ais.positions) == hours_after(window.positions) == pytest.approx([-90.0, 0.0])


def test_reports_of_other_days_alone_do_not_speak_for_it() -> None:
    assert cut_ais_window(ais(-40.0, 7.0), ACQUIRED, HOURS) is None
    assert cut_ais_window(None, ACQUIRED, HOURS) is None
