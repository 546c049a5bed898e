from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from roadstead.ais import AisData
from roadstead.core.schemas import UTC
from roadstead.workflows.watch import around
from tests.unit.builders import ACQUIRED
from tests.unit.store import builders as b
from tests.unit.workflows.requests import request


def ais(*hours: float) -> AisData:
    times = pd.Series([pd.Timestamp(ACQUIRED + timedelta(hours=hour)) for hour in hours]).astype(UTC)
    one = b.positions().drop(columns="simulated", errors="ignore").iloc[[0]]
    rows = pd.concat([one] * len(hours), ignore_index=True).assign(time=times, segment=0)
    return replace(AisData(), positions=rows)


def test_reports_of_the_days_around_are_kept_beside_those_that_speak_for_it() -> None:
    near = around(request(), b.overpass(), ais(-80.0, -40.0, 1.0, 70.0, 90.0))
    assert near is not None
    assert sorted((near.positions["time"] - pd.Timestamp(ACQUIRED)) / pd.Timedelta(hours=1)) == pytest.approx(
        [-40.0, 1.0, 70.0]
    )


def test_reports_of_other_days_alone_do_not_speak_for_it() -> None:
    assert around(request(), b.overpass(), ais(-40.0, 7.0)) is None
    assert around(request(), b.overpass(), None) is None
