"""What must hold of any overpass, tried on many drawn ones."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import dense_anchorage as dense
from roadstead.counting import counts
from roadstead.reconcile import reconcile
from tests.unit.builders import detections, header
from tests.unit.reconcile.declarations import ais, hull, moored, neighbours, offset, port, report, vessel

FEW = settings(max_examples=12)
SEEDS = st.integers(0, 10_000)


def drawn(seed: int) -> tuple[gpd.GeoDataFrame, object]:
    """Return detections and AIS of a small crowd: some anchored, some moving, some silent, some unseen, a clone."""
    rng = np.random.default_rng(seed)
    reports, vessels = neighbours(12)
    seen = []
    for k in range(int(rng.integers(2, 7))):
        east, north = rng.uniform(-600, 600, 2)
        mmsi = f"44500010{k % 5}"
        length = float(rng.uniform(50, 250))
        if rng.random() < 0.8:
            if rng.random() < 0.3:
                speed = float(rng.uniform(2, 12))
                reports += [
                    report(
                        s,
                        mmsi,
                        offset(east + 0.514 * speed * s, north),
                        sog_kn=speed,
                        cog_deg=90.0,
                        segment=k // 5,
                    )
                    for s in np.arange(-1800.0, 1800.0, 300.0)
                ]
            else:
                reports += moored(mmsi, offset(east, north), segment=k // 5)
            if k < 5:
                vessels.append(vessel(mmsi, length))
        if rng.random() < 0.8:
            dx, dy = rng.normal(0, 40, 2)
            seen.append(
                hull(len(seen), east + dx, north + dy, length_m=length, length_low_m=length - 15,
                     length_high_m=length + 15, zone="nampo/roads", p_vessel=float(rng.uniform(0.4, 0.99)))
            )  # fmt: skip
    return detections(seen) if seen else detections([hull()]), ais(reports, vessels)


def told(matches: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return what is said, in an order of its own."""
    frame = pd.DataFrame(matches.drop(columns="geometry"))
    frame = frame.sort_values(["detection_id", "mmsi", "status", "dt_s"], na_position="last").reset_index(
        drop=True
    )
    return frame


@FEW
@given(SEEDS)
def test_the_order_of_rows_and_the_time_zone_change_nothing(seed: int) -> None:
    seen, declared = drawn(seed)
    first = told(reconcile(seen, header(), declared))
    mixed = seen.sample(frac=1.0, random_state=seed)
    moved = declared.positions.sample(frac=1.0, random_state=seed)
    zoned = replace(header().scenes[0], acquired=header().scenes[0].acquired.astimezone())
    again = replace(declared, positions=moved, vessels=declared.vessels.sample(frac=1.0, random_state=seed))
    pd.testing.assert_frame_equal(first, told(reconcile(mixed, replace(header(), scenes=(zoned,)), again)))


@FEW
@given(SEEDS)
def test_other_names_change_nothing_but_the_names(seed: int) -> None:
    seen, declared = drawn(seed)
    first = reconcile(seen, header(), declared)
    names = sorted(set(declared.positions["mmsi"]))
    # Names that sort the other way about, of the same states.
    new = dict(zip(names, [f"{name[:3]}{999_999 - int(name[3:]):06d}" for name in names], strict=True))
    ids = {d: f"z{99 - k:02d}" for k, d in enumerate(sorted(seen["detection_id"]))}
    other = reconcile(
        seen.assign(detection_id=seen["detection_id"].map(ids)),
        header(),
        replace(
            declared,
            positions=declared.positions.assign(mmsi=declared.positions["mmsi"].map(new)),
            vessels=declared.vessels.assign(mmsi=declared.vessels["mmsi"].map(new)),
        ),
    )
    of = other[other["detection_id"].notna()].set_index("detection_id")
    for row in first[first["detection_id"].notna()].itertuples():
        same = of.loc[ids[row.detection_id]]
        if "contested" in (row.reasons, same["reasons"]) or row.status == "ambiguous":
            continue  # which of equals is contested is left to order
        assert same["status"] == row.status
        assert abs(same["probability"] - row.probability) < 1e-3
        assert same["mmsi"] == (new[row.mmsi] if row.mmsi else None)


@FEW
@given(SEEDS)
def test_no_vessel_and_no_detection_is_in_two_matches(seed: int) -> None:
    seen, declared = drawn(seed)
    matches = reconcile(seen, header(), declared)
    matched = matches[matches["status"] == "matched"]
    assert not matched["mmsi"].duplicated().any() and not matched["detection_id"].duplicated().any()
    assert sorted(matches["detection_id"].dropna()) == sorted(seen["detection_id"])
    assert matches["probability"].between(0, 1).all()


@FEW
@given(SEEDS)
def test_sums_of_counts_hold(seed: int) -> None:
    seen, declared = drawn(seed)
    here = header(visible_fraction={"nampo/roads": 1.0})
    table = counts(seen, reconcile(seen, here, declared, port=port()), here, port())
    every = table[(table["class"] == "all") & (table["length_bin"] == "all")].set_index("quantity")["value"]
    assert every["observed"] == every[["matched", "no_ais_partner", "ambiguous", "no_coverage"]].sum()
    assert every["declared"] == every[["matched", "unseen", "not_visible", "ambiguous"]].sum()
    assert (table["low"] <= table["value"]).all() and (table["value"] <= table["high"]).all()


@FEW
@given(SEEDS)
def test_no_ais_partner_is_never_said_without_reception_a_hull_or_a_length(seed: int) -> None:
    seen, declared = drawn(seed)
    lead = reconcile(seen, header(), declared)
    lead = lead[lead["status"] == "no_ais_partner"].merge(
        seen[["detection_id", "length_m"]], on="detection_id"
    )
    asked = lead["p_heard_class_a"].where(lead["length_m"] >= 60, lead["p_heard_class_b"])
    assert (asked >= 0.9).all() and (lead["length_m"] >= 45).all() and (lead["probability"] >= 0.7).all()


def test_more_noise_never_makes_more_matches_certain() -> None:
    """On the mean over scenes: one scene may gain by luck."""
    certain = []
    for noise in (20.0, 60.0, 120.0):
        sure = 0.0
        for seed in range(6):
            world = dense.draw(seed, attributes=False)
            true = world.detections[["lon", "lat"]].to_numpy()
            rng = np.random.default_rng(seed)
            moved = dense.lonlat_to_xy(true, dense.CRS) + rng.normal(0, noise, true.shape)
            lonlat = dense.xy_to_lonlat(moved, dense.CRS)
            seen = world.detections.assign(lon=lonlat[:, 0], lat=lonlat[:, 1])
            matches = reconcile(seen, world.header, world.ais)
            sure += float((matches["status"] == "matched").sum())
        certain.append(sure)
    assert certain == sorted(certain, reverse=True)
