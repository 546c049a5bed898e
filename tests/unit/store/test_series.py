"""The desk adds counts up in the database and the report in memory: both say the same."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from roadstead.publish.report.series import observed_series
from roadstead.store import Store
from roadstead.store.series import observed_points
from tests.unit.apps.desk import builders as r


def test_the_series_of_the_desk_is_that_of_the_report(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        r.fill(store)
        points = [one for one in observed_points(store, "nampo", None) if one.length_bin == "all"]
        rows = observed_series(store.counts("nampo")).to_dict("records")
    desk = {(one.overpass_id, one.hull_class): one for one in points}
    assert {(row["overpass_id"], row["class"]) for row in rows} == set(desk) and desk
    for row in rows:
        one = desk[row["overpass_id"], row["class"]]
        for name in ("value", "low", "high"):
            told = getattr(one, name)
            assert told is None if pd.isna(row[name]) else told == pytest.approx(row[name])
        assert (one.zones_seen, one.zones) == (row["zones_seen"], row["zones"])
