"""Are the probabilities true? What is said with probability p must be so in a share p of cases."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd

mpl.use("svg")
from matplotlib import pyplot as plt

from benchmarks import dense_anchorage as dense
from benchmarks.reconciler.anchorage import MORE_SEEDS, hostile
from benchmarks.reconciler.common import IMAGES, exact_interval, share, table
from benchmarks.reconciler.intervals import both_ports
from benchmarks.reconciler.leads import SEEDS, month
from roadstead.reconcile import reconcile

BINS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.85, 0.95, 0.99, 1.0)
NAME_BINS = (0.98, 0.985, 0.99, 0.995, 1.0)


def months() -> pd.DataFrame:
    """Return our rows of all simulated months."""
    made = [month(name, seed) for name in ("port_month.yaml", "false_places.yaml") for seed in SEEDS]
    return pd.concat([rows for _, rows in made], ignore_index=True)


def anchorage() -> pd.DataFrame:
    """Return ``probability`` and ``right`` of the names in dense anchorages, honest and not."""
    rows = []
    for draw in (dense.draw, hostile):
        for seed in MORE_SEEDS[:100]:
            made = draw(seed)
            matches = reconcile(made.detections, made.header, made.ais)
            named = matches[matches["status"] == "matched"]
            rows += [
                (p, made.truth[d] == m)
                for d, m, p in zip(named["detection_id"], named["mmsi"], named["probability"], strict=True)
            ]
    return pd.DataFrame(rows, columns=["probability", "so"])


def statements(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return each kind of statement with its ``probability`` and whether it is ``so``."""
    seen = rows[rows["what"] != "unheard"]
    partner = seen["what"].isin(["heard", "false place"])
    named = rows[rows["status"] == "matched"]
    lead = rows[rows["status"] == "no_ais_partner"]
    whether = seen[seen["status"].isin(["ambiguous", "no_coverage"])]
    p = np.where(whether["status"] == "ambiguous", whether["probability"], 1 - whether["probability"])
    return {
        "`matched`: the name is right (port-months)": named.assign(so=named["right"]),
        "`matched`: the name is right (dense anchorages, half of them hostile)": anchorage(),
        "`ambiguous`, `no_coverage`: it has a partner (port-months)": whether.assign(
            probability=p, so=partner[whether.index]
        ),
        "`no_ais_partner`: a hull that sends nothing (port-months)": lead.assign(so=lead["what"] == "silent"),
    }


def binned(part: pd.DataFrame, bins: Sequence[float]) -> list[tuple[float, int, int]]:
    """Return (mean stated, so, n) of each bin that holds any."""
    which = np.clip(np.searchsorted(bins, part["probability"], side="right") - 1, 0, len(bins) - 2)
    groups = part.groupby(which)
    return [(float(g["probability"].mean()), int(g["so"].sum()), len(g)) for _, g in groups]


def section() -> dict[str, str]:
    """Return the text for the document by marker, and draw the picture."""
    said, rows = statements(months()), []
    for label, part in said.items():
        rows.append(
            (label, f"{100 * part['probability'].mean():.2f} %", share(int(part["so"].sum()), len(part), 2))
        )
    _draw(said, both_ports()["pit"].to_numpy(float))
    return {"calibration": table(("statement", "stated on the mean", "so"), rows)}


def _draw(said: dict[str, pd.DataFrame], pit: np.ndarray) -> None:
    figure, axes = plt.subplots(1, len(said) + 1, figsize=(17, 3.8), constrained_layout=True)
    for axis, (label, part) in zip(axes, said.items(), strict=False):
        names = label.startswith("`matched`")
        for stated, so, n in binned(part, NAME_BINS if names else BINS):
            low, high = exact_interval(so, n)
            axis.plot([stated, stated], [low, high], color="0.6")
            axis.plot(stated, so / n, "o", color="tab:blue", ms=4)
            axis.annotate(str(n), (stated, low), fontsize=6, ha="center", va="top")
        edge = 0.95 if names else 0.0
        axis.plot([edge, 1], [edge, 1], color="0.8", lw=1, zorder=0)
        axis.set(xlabel="stated", ylabel="so (95 %)", xlim=(edge, 1.003), ylim=(edge - 0.01, 1.01))
        axis.set_title(label.replace("`", "").replace(": ", ":\n").replace(" (", "\n("), fontsize=8)
    last = axes[-1]
    last.hist(pit, bins=10, range=(0, 1), color="tab:blue")
    last.axhline(len(pit) / 10, color="0.5", lw=1)
    last.set(xlabel="place of the truth in the stated distribution", ylabel=f"counts of {len(pit)}")
    last.set_title(
        "counts:\nflat where intervals hold what they say\n(simulated year, both ports)", fontsize=8
    )
    figure.suptitle("SIMULATED: what the reconciler states, against the truth", fontsize=9)
    IMAGES.mkdir(exist_ok=True)
    figure.savefig(IMAGES / "reconciler-calibration.svg", metadata={"Date": None})
    plt.close(figure)
