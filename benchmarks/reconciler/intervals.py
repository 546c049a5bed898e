"""Do the 90 % intervals of counts hold what was there? A simulated year of both ports, every zone and overpass."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pandas as pd
from scipy.stats import binomtest, chi2

from benchmarks.reconciler.common import share, table
from benchmarks.reconciler.leads import MODEL
from benchmarks.reconciler.worlds import PortWorld, world
from roadstead.counting import counts
from roadstead.counting import overpass_counts as counting
from roadstead.detection.recall import recall_of
from roadstead.reconcile import reconcile

SEED = 1
PORTS = ("nampo", "ningbo-zhoushan")
LEVEL = 0.9


def held(made: PortWorld) -> pd.DataFrame:
    """Return zone, overpass, truth, our value and interval, a randomised PIT, and the naive interval."""
    recall = json.loads(MODEL.read_text(encoding="utf-8"))["recall_by_length"]
    matches = reconcile(made.detections, made.header, None, port=made.port, recall_by_length=recall)
    table_ = counts(made.detections, matches, made.header, made.port, recall_by_length=recall, with_ais=False)
    every = table_[
        (table_["quantity"] == "observed") & (table_["class"] == "all") & (table_["length_bin"] == "all")
    ]
    truth = made.hulls.groupby(["zone_seen", "overpass_id"]).size()
    hidden = table_[~table_["observed_at_all"]]
    said = int(hidden[["value", "low", "high"]].notna().any(axis=1).sum())
    rows = every[every["observed_at_all"]].assign(hidden_rows=len(hidden), hidden_said=said)
    rows["truth"] = [
        int(truth.get((z, o), 0)) for z, o in zip(rows["zone"], rows["overpass_id"], strict=True)
    ]
    rows["pit"] = _pit(made, rows, recall)
    return _with_naive(made, rows, recall)


def _pit(made: PortWorld, rows: pd.DataFrame, recall: list) -> list[float]:
    """Return where the truth falls in the stated distribution, drawn evenly within its step."""
    rng, told = np.random.default_rng(0), recall_of(recall)
    kind = {zone.id: zone.kind for zone in made.port.zones}
    out = []
    for row in rows.itertuples():
        seen = made.detections[
            (made.detections["zone"] == row.zone) & (made.detections["overpass_id"] == row.overpass_id)
        ]
        seen = seen.assign(status="no_coverage", probability=1.0)
        cell = next(c for c in counting._cells(seen) if c.name == "all")
        mass = counting._there(cell, seen, told.of_zone(kind[row.zone]), row.visible_fraction)
        total = np.r_[0.0, np.cumsum(mass)]
        k = min(row.truth, len(mass) - 1)
        out.append(float(total[k] + rng.random() * mass[k]))
    return out


def _with_naive(made: PortWorld, rows: pd.DataFrame, recall: list) -> pd.DataFrame:
    """Add what a naive estimate says: detections over one recall and the visible share, Poisson errors."""
    found = made.detections.groupby(["zone", "overpass_id"]).size()
    every = [b for b in recall if b["where"] is None and b["low_m"] >= 45]
    mean = sum(b["recall"] * b["n"] for b in every) / sum(b["n"] for b in every)
    k = np.array([int(found.get((z, o), 0)) for z, o in zip(rows["zone"], rows["overpass_id"], strict=True)])
    scale = mean * rows["visible_fraction"].to_numpy(float)
    low = np.where(k > 0, chi2.ppf(0.05, 2 * np.maximum(k, 1)) / 2, 0.0) / scale
    high = chi2.ppf(0.95, 2 * (k + 1)) / 2 / scale
    return rows.assign(naive_low=np.floor(low), naive_high=np.ceil(high), found=k)


@cache
def both_ports() -> pd.DataFrame:
    """Return `held` of a simulated year at both ports; made once for the tables and the picture."""
    parts = []
    for slug in PORTS:
        made = world("year-2020", SEED, slug)
        made.hulls["zone_seen"] = made.port.zone_of(made.hulls[["lon", "lat"]].to_numpy(float))
        parts.append(held(made).assign(port=slug))
    return pd.concat(parts, ignore_index=True)


def section() -> dict[str, str]:
    """Return the text for the document by marker."""
    rows = both_ports()
    busy = rows[(rows["truth"] > 0) | (rows["found"] > 0)]
    out = []
    for label, part in (("all zones", rows), ("zones with a hull or a detection", busy)):
        n = len(part)
        for name, low, high in (
            ("Roadstead", "low", "high"),
            ("naive: n over recall and share seen", "naive_low", "naive_high"),
        ):
            inside = int(((part[low] <= part["truth"]) & (part["truth"] <= part[high])).sum())
            out.append(
                (
                    label,
                    name,
                    share(inside, n),
                    f"{binomtest(inside, n, LEVEL, 'less').pvalue:.3f}",
                    f"{np.median(part[high] - part[low]):.0f}",
                    f"{(part[high] - part[low]).mean():.2f}",
                )
            )
        k = int(((part["pit"] > 0.05) & (part["pit"] < 0.95)).sum())
        out.append(
            (label, "Roadstead, randomised", share(k, n), f"{binomtest(k, n, LEVEL).pvalue:.3f}", "", "")
        )
    head = ("counts", "method", "held", "p (too few; randomised: either way)", "median width", "mean width")
    ports = rows.drop_duplicates("port")
    said, hidden = int(ports["hidden_said"].sum()), int(ports["hidden_rows"].sum())
    unseen = f"Rows of counts of zones that were not seen: {hidden}; with a number, zero included: {said}."
    return {"intervals": table(head, out), "unseen": unseen}
