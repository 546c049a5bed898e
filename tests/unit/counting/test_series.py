from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from roadstead.core.schemas import LEDGER, empty
from roadstead.counting.series import mean_present, series, series_rows
from tests.unit.store import builders as b

START = datetime(2020, 7, 3, 2, 29, tzinfo=UTC)


def looks(*hulls: float | None, first: datetime = START, every: int = 5) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return counts of class ``all`` and the ledger of looks five days apart; None: not observed."""
    tables, passes = [], []
    for index, found in enumerate(hulls):
        when, name = first + timedelta(days=every * index), f"o{index}"
        values = None if found is None else {"no_coverage": found}
        tables.append(b.counts(values, hull_class="all", overpass_id=name, acquired=when))
        passes.append({"port": "nampo", "acquired": when, "state": "processed", "overpass_id": name})
    ledger = pd.concat([empty(LEDGER), pd.DataFrame(passes)], ignore_index=True)
    return pd.concat(tables, ignore_index=True), ledger.assign(
        acquired=pd.to_datetime(ledger["acquired"], utc=True)
    )


def whole(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["class"] == "all"].set_index("period")


def test_a_cloudy_month_has_the_mean_of_its_looks_and_not_of_its_passes() -> None:
    found = whole(series(*looks(10.0, None, None, 12.0, None), "month"))
    row = found.iloc[0]
    assert (row["passes"], row["looks"]) == (5, 2)
    assert row["low"] < 11.0 < row["high"] and row["mean"] == pytest.approx(11.0)
    assert row["with_reception"] == 0.0 and row["no_ais_partner"] is None, "AIS could say nothing"


def test_a_month_without_a_look_is_not_observed_and_has_no_number() -> None:
    table = series(*looks(*[None] * 4), "month")
    assert table[["mean", "low", "high"]].isna().all(axis=None)
    assert [row[3] for row in series_rows(table)[1]] == ["not observed"]


def test_passes_that_no_catalogue_lists_count_as_passes_without_a_look() -> None:
    counts, ledger = looks(10.0)
    gone = ledger.assign(state="missing", overpass_id=None, acquired=ledger["acquired"] + timedelta(days=40))
    table = whole(series(counts, pd.concat([ledger, gone], ignore_index=True), "month"))
    assert list(table["looks"]) == [1, 0] and list(table["passes"]) == [1, 1]


def test_fewer_looks_leave_more_open() -> None:
    few, many = (whole(series(*looks(*[10.0] * n, every=1), "month")).iloc[0] for n in (1, 20))
    assert few["high"] - few["low"] > 2.0 * (many["high"] - many["low"])


def test_weeks_begin_on_monday() -> None:
    table = whole(series(*looks(1.0, 2.0), "week"))
    assert [str(day) for day in table.index] == ["2020-06-29", "2020-07-06"]


def test_the_interval_holds_the_mean_as_often_as_it_says() -> None:
    """Months with a mean of their own, hulls that come and go, a detector that misses a quarter, three looks of ten."""
    rng = np.random.default_rng(5)
    held = 0
    months = 600
    for _ in range(months):
        mean = rng.gamma(4.0, 4.0)
        present = rng.poisson(mean, 3)
        seen = rng.binomial(present, 0.75)
        # What each look's own interval is like: hulls missed are geometric, recall 0.75 (`counting.overpass_counts`).
        missed = rng.negative_binomial(seen[:, None] + 0.5, 0.75, (3, 400))
        low, high = (np.quantile(seen[:, None] + missed, q, axis=1) for q in (0.05, 0.95))
        interval = mean_present(seen.astype(float), low, high)
        held += interval[0] <= mean <= interval[2]
    assert 0.85 <= held / months <= 0.97, f"{held} of {months}"


def test_simulated_counts_say_so() -> None:
    counts, ledger = looks(3.0)
    assert whole(series(counts.assign(simulated=True), ledger, "month"))["simulated"].all()
