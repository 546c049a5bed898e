"""The published longline table: how many vessels were there, from detections alone? Its own protocol, our estimator.

The rules are those of protocol.py beside the table: it draws, and it has the naive estimator.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from benchmarks.reconciler.common import bootstrapped, share, table
from roadstead.counting.posterior import Known, population

DRAWS = 1_000
SEED = 0
"""The protocol's own; what is set by hand was set on other seeds (11, 12)."""
SCORED = (82, 179)


def protocol(shared: Path) -> ModuleType:
    """Return the protocol beside the table as a module."""
    path = shared / "ais" / "gfw_longline" / "protocol.py"
    spec = importlib.util.spec_from_file_location("gfw_longline_protocol", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ours(train: pd.DataFrame, found: pd.DataFrame, rng: np.random.Generator) -> tuple[float, float, float]:
    """Estimate as the protocol asks; a row that was drawn twice tells nothing twice."""
    rows = train[~train.index.duplicated()]
    known = Known(
        rows["gfw_length"].to_numpy(float),
        rows["detected"].to_numpy(float),
        rows["sar_length"].to_numpy(float),
    )
    there = population(known, found["sar_length"].to_numpy(float), rng)
    return there.value, there.low, there.high


def naive(train: pd.DataFrame, found: pd.DataFrame) -> tuple[float, float, float]:
    """Divide by the mean rate; the interval is that of a share (normal, of training alone)."""
    rate, n = train["detected"].mean(), len(train)
    half = 1.96 * np.sqrt(rate * (1 - rate) / n)
    return len(found) / rate, len(found) / (rate + half), len(found) / max(rate - half, 1e-3)


def per_scene(train: pd.DataFrame, found: pd.DataFrame) -> tuple[float, float, float]:
    """Divide by the rate of each scene's own training rows where there are any: greedy in detail."""
    rate = train.groupby("scene_id")["detected"].mean().clip(lower=0.1)
    own = found["scene_id"].map(rate).fillna(train["detected"].mean())
    return float((1 / own).sum()), np.nan, np.nan


def scored(module: ModuleType, draws: int, seed: int, shifted: bool) -> Iterator[tuple]:
    """Yield (truth, ours, naive, per scene) of the draws that the protocol scores."""
    rng, own = np.random.default_rng(seed), np.random.default_rng(seed + 1)
    for train, test, found in module.draws(module.table(), draws, rng, shifted):
        truth = float(test["likelihood_in"].sum())
        if SCORED[0] <= truth <= SCORED[1]:
            yield truth, ours(train, found, own), naive(train, found), per_scene(train, found)


def section(shared: Path, draws: int = DRAWS, seed: int = SEED) -> dict[str, str]:
    """Return the text for the document by marker."""
    module, rows = protocol(shared), []
    for label, shifted in (("as drawn", False), ("twice the share under 40 m", True)):
        results = list(scored(module, draws, seed, shifted))
        truth = np.array([r[0] for r in results])
        for name, k in (("Roadstead", 1), ("naive: one rate", 2), ("a rate a scene", 3)):
            value, low, high = np.array([r[k] for r in results]).T
            error = 100 * (value - truth) / truth
            inside = (low <= truth) & (truth <= high)
            rows.append(
                (
                    label,
                    name,
                    len(truth),
                    bootstrapped(np.abs(error)),
                    f"{error.mean():+.1f} %",
                    share(int(inside.sum()), len(inside)) if np.isfinite(low).all() else "no interval",
                    f"{100 * np.median((high - low) / truth):.0f} %" if np.isfinite(low).all() else "-",
                )
            )
    head = ("population", "method", "draws", "MAPE", "bias", "95 % interval holds the truth", "median width")
    return {"longline": table(head, rows)}
