"""Counts per zone, class and length bin, and the honesty of their intervals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from shapely.geometry import MultiPolygon, box

from roadstead.core.detections_file import DetectionsHeader
from roadstead.core.ports import Zone
from roadstead.core.schemas import DECLARED_PARTS, DRY_CARGO, OBSERVED_PARTS, QUANTITIES
from roadstead.counting import counts
from roadstead.counting.posterior import LEVEL
from roadstead.reconcile import reconcile
from tests.unit.builders import detection, detections, header
from tests.unit.reconcile.declarations import ais, hull, moored, neighbours, offset, port, vessel

ROADS, QUAY = "nampo/roads", "nampo/quay"
RECALL = [{"low_m": 0.0, "high_m": None, "recall": 0.8, "n": 500}]


def harbour() -> Any:
    return port(Zone(QUAY, "berth", MultiPolygon([box(125.5, 38.7, 125.52, 38.71)])))


def count(
    hulls: list[dict], declared: Any = None, visible: float = 1.0, recall: Any = RECALL
) -> pd.DataFrame:
    seen, place = detections(hulls), harbour()
    head = header(visible_fraction={ROADS: visible})
    matches = reconcile(seen, head, declared, port=place)
    return counts(seen, matches, head, place, recall_by_length=recall, min_visible_fraction=0.2)


def cell(
    table: pd.DataFrame,
    quantity: str = "observed",
    kind: str = "all",
    zone: str = ROADS,
    length_bin: str = "all",
) -> Any:
    key = (table["class"] == kind) & (table["zone"] == zone) & (table["length_bin"] == length_bin)
    return table[key & (table["quantity"] == quantity)].iloc[0]


def busy_roads() -> pd.DataFrame:
    """Return counts of a zone where every status occurs."""
    reports, vessels = neighbours(12)
    for k, (east, north) in enumerate([(0, 0), (2060, 0), (1940, 0), (0, 3000), (4000, 4000)]):
        mmsi = f"44500000{k}"
        reports += moored(mmsi, offset(east, north), hours=0.4)
        vessels.append(vessel(mmsi, 30.0 if k == 4 else 150.0))
    hulls = [
        hull(0),
        hull(1, 2000),
        hull(2, -3000, -3000, **{"class": "barge", "p_barge": 0.8, "p_bulk_carrier": 0.1}),
        hull(3, -4000, 1000, length_m=40.0, length_low_m=32.0, length_high_m=48.0),
    ]
    return count(hulls, ais(reports, vessels))


def test_both_sums_hold_in_every_cell() -> None:
    table = busy_roads()
    keys = ["zone", "overpass_id", "class", "length_bin"]
    wide = table[table["observed_at_all"]].pivot(index=keys, columns="quantity", values="value")
    assert (wide["observed"] == wide[list(OBSERVED_PARTS)].sum(axis=1)).all()
    whole = wide.xs("all", level="class")
    assert (whole["declared"] == whole[list(DECLARED_PARTS)].sum(axis=1)).all()
    assert (whole.loc[ROADS, list(QUANTITIES)].to_numpy() > 0).all()


@pytest.mark.parametrize(("source", "expected"), [("SIM-NAMPO", True), ("test", False)])
def test_counts_held_against_simulated_ais_say_simulated(source: str, expected: bool) -> None:
    declared = ais(moored(source=source), [vessel()])
    seen, head = detections([hull(simulated=False)]), header(simulated=False)
    matches = reconcile(seen, head, declared, port=harbour())
    assert set(counts(seen, matches, head, harbour())["simulated"]) == {expected}


def test_classes_add_up_to_all_and_length_bins_to_dry_cargo() -> None:
    table = busy_roads()
    seen = table[(table["quantity"] == "observed") & (table["zone"] == ROADS)]
    whole = seen[seen["length_bin"] == "all"].set_index("class")["value"]
    assert whole["all"] == whole[["barge", "bulk_carrier", "other_vessel"]].sum() == 4
    assert whole["dry_cargo"] == whole[list(DRY_CARGO)].sum()
    bins = seen[(seen["class"] == "dry_cargo") & (seen["length_bin"] != "all")]
    assert bins["value"].sum() == whole["dry_cargo"] and len(bins) == 7
    assert cell(table, kind="dry_cargo", length_bin="0-45")["value"] == 1


def test_every_interval_holds_its_value() -> None:
    table = busy_roads().dropna(subset="value")
    assert ((table["low"] <= table["value"]) & (table["value"] <= table["high"])).all()


def test_declared_vessels_without_a_match_have_no_seen_class() -> None:
    table = busy_roads()
    assert set(table[table["quantity"].isin(["declared", "unseen", "not_visible"])]["class"]) == {"all"}


def test_an_unseen_zone_is_not_observed_and_never_zero() -> None:
    table = count([hull()], visible=0.1)
    for zone in (ROADS, QUAY):
        part = table[table["zone"] == zone]
        assert not part["observed_at_all"].any()
        assert part[["value", "low", "high"]].isna().all(axis=None)


def test_an_empty_zone_is_zero_with_room_for_what_was_missed() -> None:
    row = cell(count([]))
    assert (row["value"], row["low"]) == (0, 0) and row["high"] >= 1 and row["observed_at_all"]


def test_a_half_hidden_zone_may_hold_twice_as_many() -> None:
    hulls = [hull(k, 300 * k) for k in range(10)]
    clear, half = (cell(count(hulls, visible=v)) for v in (1.0, 0.5))
    assert half["value"] == clear["value"] == 10
    assert half["high"] > 1.5 * clear["high"]


def test_poor_recall_widens_the_interval_upwards() -> None:
    hulls = [hull(k, 300 * k) for k in range(10)]
    good, poor = (
        cell(count(hulls, recall=[{"low_m": 0.0, "high_m": 400.0, "recall": r, "n": 500}]))
        for r in (0.95, 0.6)
    )
    assert poor["high"] > good["high"] + 3


def test_a_berth_where_half_are_missed_may_hold_more_than_roads_where_few_are() -> None:
    rows = [
        {"where": where, "low_m": 0.0, "high_m": None, "recall": r, "n": 500}
        for where, r in ((None, 0.75), ("berth", 0.5), ("open", 0.95))
    ]
    roads = [hull(k, 300 * k) for k in range(10)]
    quay = [{**one, "detection_id": f"quay-{k}", "zone": QUAY} for k, one in enumerate(roads)]
    seen, place, head = detections(roads + quay), harbour(), header(visible_fraction={ROADS: 1.0, QUAY: 1.0})
    table = counts(seen, reconcile(seen, head, None, port=place), head, place, recall_by_length=rows)
    assert cell(table)["value"] == cell(table, zone=QUAY)["value"] == 10
    assert cell(table, zone=QUAY)["high"] > cell(table)["high"] + 3


def test_doubtful_detections_pull_the_lower_end_down() -> None:
    row = cell(count([hull(k, 300 * k, p_vessel=0.5) for k in range(10)]))
    assert row["low"] <= 4 and row["value"] == 10


def test_an_ambiguous_hull_reaches_into_the_interval_of_matched() -> None:
    table = busy_roads()
    matched = cell(table, "matched")
    assert matched["value"] == 1 and matched["high"] == 2
    assert cell(table, "ambiguous")["value"] == 1


def test_a_model_card_without_recall_falls_back_to_wide_defaults() -> None:
    assert cell(count([hull()], recall=None))["high"] >= 2


@pytest.mark.parametrize("where", [None, "open"])
@pytest.mark.parametrize(("visible", "mean"), [(1.0, 12.0), (0.6, 12.0), (1.0, 2.0)])
def test_ninety_percent_intervals_hold_the_truth_as_often_as_they_say(
    visible: float, mean: float, where: str | None
) -> None:
    rng = np.random.default_rng(20201101)
    bins = [{"where": where, "low_m": 0.0, "high_m": 90.0, "recall": 0.7, "n": 400},
            {"where": where, "low_m": 90.0, "high_m": None, "recall": 0.9, "n": 400}]  # fmt: skip
    bins += [{**row, "where": None, "recall": 0.4} for row in bins if where]
    scene = header(visible_fraction={ROADS: visible}).scenes[0]
    worlds = {f"pass{k}": _world(rng, visible, mean) for k in range(120)}
    hulls = [
        {**h, "overpass_id": name, "scene_id": name, "detection_id": f"{name}-{h['detection_id']}"}
        for name, (found, _) in worlds.items()
        for h in found
    ]
    scenes = tuple(replace(scene, scene_id=name, overpass_id=name) for name in worlds)
    head, seen, place = DetectionsHeader(scenes, "test-model", 0.4), detections(hulls), harbour()
    table = counts(seen, reconcile(seen, head, None, port=place), head, place, recall_by_length=bins)
    found = table[
        (table["quantity"] == "observed") & (table["zone"] == ROADS) & (table["length_bin"] == "all")
    ]
    inside = [
        row.low <= worlds[row.overpass_id][1][kind] <= row.high
        for kind in ("all", "dry_cargo", "barge")
        for row in found[found["class"] == kind].itertuples()
    ]
    assert len(inside) == 360
    assert LEVEL - 0.05 <= np.mean(inside) <= 0.98


def _world(rng: np.random.Generator, visible: float, mean: float) -> tuple[list[dict], dict[str, int]]:
    """Draw hulls in a zone, what a calibrated detector makes of them, and false alarms."""
    kinds = ("barge", "bulk_carrier", "other_vessel")
    n = rng.poisson(mean)
    kind = rng.choice(3, n, p=[0.3, 0.4, 0.3])
    length = np.where(rng.random(n) < 0.3, 75.0, 150.0)
    found = rng.random(n) < visible * np.where(length < 90, 0.7, 0.9)
    hulls = []
    for k in np.flatnonzero(found):
        hulls.append(_drawn(rng, len(hulls), kind[k], length[k], p_vessel=rng.beta(18, 2)))
    # Among candidates of score p a share 1 - p are false alarms.
    expected = sum(1 / h["p_vessel"] - 1 for h in hulls)
    for _ in range(rng.poisson(expected)):
        hulls.append(_drawn(rng, len(hulls), rng.choice(3), 150.0, p_vessel=rng.beta(17, 3)))
    truth = {name: int((kind == k).sum()) for k, name in enumerate(kinds)}
    return hulls, {**truth, "all": n, "dry_cargo": truth["barge"] + truth["bulk_carrier"]}


def _drawn(rng: np.random.Generator, index: int, kind: int, length: float, p_vessel: float) -> dict:
    """Return a detection whose class probabilities are calibrated: two in three look like what they are."""
    names = ("barge", "bulk_carrier", "other_vessel")
    looks = kind if rng.random() < 2 / 3 else rng.choice([k for k in range(3) if k != kind])
    prior = np.array([0.3, 0.4, 0.3]) * np.where(np.arange(3) == looks, 2 / 3, 1 / 6)
    p = prior / prior.sum()
    return hull(
        index, 250 * (index % 20), 250 * (index // 20), p_vessel=p_vessel, length_m=length,
        length_low_m=length - 8, length_high_m=length + 8,
        **{"class": names[int(np.argmax(p))]}, **{f"p_{name}": p[k] for k, name in enumerate(names)},
    )  # fmt: skip


@pytest.mark.parametrize("p", [0.4, 0.6, 0.8, 0.95])
@pytest.mark.parametrize("k", [1, 2, 5, 9])
def test_no_less_was_there_than_was_surely_found(p: float, k: int) -> None:
    hulls = detections(
        [detection(i, lon=125.30 + 0.01 * i, p_vessel=p, zone=port().zones[0].id) for i in range(k)]
    )
    rows = counts(hulls, reconcile(hulls, header(), None), header(), port())
    by = rows[(rows["class"] == "all") & (rows["length_bin"] == "all")].set_index("quantity")
    assert by.loc["observed", "low"].max() >= by.loc["no_coverage", "low"].max()
