"""How well one MMSI is split into the hulls that use it: against labels of real reports, and on simulated clones.

``python -m benchmarks.ais_segments [--labels FILE] [--write docs/ais.md]``. The labels are those of Global Fishing
Watch's gpsdio-segment for MMSI 416000000 (JSON lines; the data folder of the tests has them): another program's
answer, not a truth. Simulated clones have a truth.

Measures. Link: a report follows, on its hull, the same report (or none) as in the labels. Pairs within an hour: two
reports of one labelled hull are on one track; two of labelled hulls that are both under way are on two.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from roadstead.ais.tracks import segment

GOAL = 0.95
SCENARIO = "spoofing"
LABELS = Path(__file__).parents[2] / "shared/data/ais/shared_mmsi/segmented-416000000.json"
HOUR_S = 3600.0


@dataclass(frozen=True)
class Share:
    """A share of n with its 95 % interval (Wilson)."""

    what: str
    right: int
    n: int

    @property
    def interval(self) -> tuple[float, float]:
        """Return the interval; it takes reports for independent, which they are not quite."""
        z, n = 1.96, self.n
        p = self.right / n
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return middle - half, middle + half

    def row(self) -> str:
        """Return it as a row of a Markdown table."""
        low, high = self.interval
        return f"| {self.what} | {self.right / self.n:.1%} | {low:.1%} - {high:.1%} | {self.n:,} |"


def labelled(path: Path) -> pd.DataFrame:
    """Return labelled reports as `schemas.POSITIONS` with the label as ``hull``."""
    rows = pd.DataFrame([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])
    time = pd.to_datetime(rows["timestamp"], utc=True, format="ISO8601").astype("datetime64[ns, UTC]")
    return pd.DataFrame(
        {
            "mmsi": rows["ssvid"].astype(str),
            "time": time,
            "lon": rows["lon"].astype(float),
            "lat": rows["lat"].astype(float),
            "sog_kn": rows["speed"].astype(float),
            "cog_deg": rows["course"].astype(float),
            "hull": rows["segment"],
        }
    )


def simulated(scenario: str = SCENARIO, seed: int = 0) -> pd.DataFrame:
    """Return the reports of MMSIs that several simulated hulls send, with the sending ship as ``hull``."""
    from roadstead_lab.simulate.ais.received import POSITION_MESSAGES, received
    from roadstead_lab.simulate.scenario.file import load_scenario
    from roadstead_lab.simulate.traffic.sea import simulate_sea

    loaded = load_scenario(scenario)
    parts = []
    for world in simulate_sea(loaded.scenario, loaded.ports, seed).worlds:
        for heard in received(world).values():
            rows = heard.messages[heard.messages["message"].isin(POSITION_MESSAGES)]
            said = [str(identity.mmsi).zfill(9) for identity in heard.identities]
            made = rows.assign(
                mmsi=[said[n] for n in rows["identity"]],
                hull=[heard.senders[n] for n in rows["sender"]],
                time=pd.to_datetime(rows["time"], unit="s", utc=True).astype("datetime64[ns, UTC]"),
            )
            shared = made.groupby("mmsi")["hull"].transform("nunique") > 1
            parts.append(made[shared])
    columns = ["mmsi", "time", "lon", "lat", "sog_kn", "cog_deg", "hull"]
    return pd.concat(parts, ignore_index=True)[columns]


def agreement(reports: pd.DataFrame, name: str) -> list[Share]:
    """Split the reports into tracks and hold these against ``hull``."""
    done = segment(reports).positions.sort_values(["mmsi", "time"], kind="stable", ignore_index=True)
    place = pd.Series(done.index, index=done.index)
    ours, theirs = (place.groupby([done["mmsi"], done[by]]).shift().fillna(-1) for by in ("segment", "hull"))
    same = np.concatenate([pairs for pairs in _pairs(done, together=True)])
    apart = np.concatenate([pairs for pairs in _pairs(done, together=False)])
    return [
        Share(f"{name}: link to the report before", int((ours == theirs).sum()), len(done)),
        Share(f"{name}: two reports of one hull within an hour, on one track", int(same.sum()), len(same)),
        Share(f"{name}: reports of two hulls within an hour, on two tracks", int(apart.sum()), len(apart)),
    ]


def _pairs(done: pd.DataFrame, together: bool, most: int = 200) -> Iterator[np.ndarray]:
    """Yield, for pairs of reports up to ``most`` apart in the list, whether the tracks say what the labels say."""
    seconds = done["time"].astype("int64").to_numpy() / 1e9
    hull, track = (done["mmsi"] + ":" + done[by].astype(str) for by in ("hull", "segment"))
    span = done.assign(hull=hull, seconds=seconds).groupby("hull")["seconds"].agg(["min", "max"])
    first, last = hull.map(span["min"]).to_numpy(), hull.map(span["max"]).to_numpy()
    hulls, tracks, mmsi = pd.factorize(hull)[0], pd.factorize(track)[0], pd.factorize(done["mmsi"])[0]
    for step in range(1, min(most, len(done))):
        a, b = slice(None, -step), slice(step, None)
        near = (mmsi[a] == mmsi[b]) & (seconds[b] - seconds[a] <= HOUR_S)
        same = hulls[a] == hulls[b]
        if together:
            yield (tracks[a] == tracks[b])[near & same]
        else:
            both = (first[b] <= seconds[a]) & (last[a] >= seconds[b])
            yield (tracks[a] != tracks[b])[near & ~same & both]


def table(labels: Path) -> str:
    """Return the figures as Markdown."""
    found = agreement(labelled(labels), "labels of 416000000") if labels.is_file() else []
    found += agreement(simulated(), f"SIMULATED clones ({SCENARIO})")
    head = ["| what | agreement | 95 % interval | n |", "|---|---|---|---|"]
    return "\n".join([*head, *(share.row() for share in found if share.n)])


def main(labels: Path = LABELS, page: Path | None = None) -> None:
    """Print the figures, and write them into a page where one is given."""
    told = table(labels)
    print(told)
    if page is not None:
        pattern = re.compile(r"(<!-- segments:begin[^>]*-->\n).*?(<!-- segments:end -->)", re.DOTALL)
        text = page.read_text(encoding="utf-8")
        page.write_text(pattern.sub(lambda found: f"{found[1]}{told}\n{found[2]}", text), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--labels", type=Path, default=LABELS)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    main(given.labels, given.write)
