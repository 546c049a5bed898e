"""How long the pages of the desk take over a store of 100,000 simulated detections and 20,000 leads.

Each page is asked for many times, in this process and through the whole application; what is told is the median and
the 95th percentile. `fill` is also what the load test fills its store with.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy import Table, insert
from starlette.testclient import TestClient

from benchmarks.exports import made_up
from roadstead.apps.desk import review_app
from roadstead.apps.desk.assemble import desk
from roadstead.apps.desk.ogc.features import COLLECTIONS
from roadstead.core.ports import Port, load_port
from roadstead.core.schemas import LENGTH_BINS
from roadstead.publish import PortReport
from roadstead.store import (
    Decisions,
    LeadFilter,
    Leads,
    People,
    Queue,
    Store,
    Verdict,
    evidence_of,
    hashed,
    schema,
)
from roadstead.store.rows import _rows, packed, table_of

GOAL_MS = 300.0
"""95th percentile of every page."""
PORTS = ("nampo", "ningbo-zhoushan")
FLEET = 3000
"""MMSIs that the declared vessels come from."""
PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
ORIGIN = "http://127.0.0.1"
_SHARES = {
    "no_ais_partner": 0.15,
    "sure": 0.02,
    "conflict": 0.03,
    "matched": 0.50,
    "no_coverage": 0.20,
    "unsure": 0.10,
}
"""Share of the detections of each kind; the first three are leads."""


def fill(store: Store, hulls: int = 100_000, overpasses: int = 60, decisions: int = 500) -> None:
    """Fill a store with hulls at both ports, a fifth of them leads; all of it simulated.

    Args:
        store: Empty.
        hulls: Detections, of both ports together.
        overpasses: Of each port.
        decisions: Of "ana", who is added with `PASSWORD`, as are "bob" (analyst), "vic" (viewer) and "ada" (admin).
    """
    for number, slug in enumerate(PORTS):
        port = load_port(slug)
        _put(store, port, made_up(port, hulls // len(PORTS), overpasses, seed=number), number)
    now = datetime.now(UTC)
    secret = hashed(PASSWORD)
    for name, role in {"ana": "analyst", "bob": "analyst", "vic": "viewer", "ada": "admin"}.items():
        People(store).add(name, role, secret, now)
    _decide(store, decisions, now)


def _put(store: Store, port: Port, report: PortReport, seed: int) -> None:
    rng = np.random.default_rng(seed)
    hulls = report.detections.assign(detection_id=f"{seed}" + report.detections["detection_id"].str[1:])
    matches = _matches(rng, report.matches.assign(detection_id=hulls["detection_id"]))
    chip = packed(_chip())
    key: dict[str, Any] = {"port": port.slug}
    scenes = report.scenes.assign(
        valid_area=report.scenes.geometry,
        visible_fraction=[{zone.id: 1.0 for zone in port.zones}] * len(report.scenes),
    )
    counts = _counts(rng, report.counts)
    named = matches[matches["mmsi"].notna()]
    tables: Mapping[Any, list[dict[str, Any]]] = {
        schema.Acquisition: _rows(
            report.acquisitions, schema.Acquisition, {**key, "stored": datetime.now(UTC)}
        ),
        schema.Scene: _rows(scenes, schema.Scene, key),
        schema.Detection: _rows(hulls, schema.Detection, key),
        schema.Match: _rows(matches, schema.Match, key),
        schema.Count: _rows(counts, schema.Count, key),
        schema.Position: _rows(_positions(named, hulls), schema.Position, key),
        schema.Vessel: _rows(_vessels(named, hulls), schema.Vessel, key),
        schema.Chip: [
            {**key, "overpass_id": o, "detection_id": d, "image": chip}
            for o, d in zip(hulls["overpass_id"], hulls["detection_id"], strict=True)
        ],
    }
    with store.transaction(writes=True) as connection:
        for entity, rows in tables.items():
            table: Table = table_of(entity)
            for start in range(0, len(rows), 50_000):
                connection.execute(insert(table), rows[start : start + 50_000])


def _chip() -> np.ndarray:
    """Return dark water with a hull."""
    image = np.full((64, 64, 3), (30, 48, 60), np.uint8)
    image[29:36, 15:50] = (150, 140, 132)
    return image


def _matches(rng: np.random.Generator, matches: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    n = len(matches)
    kind = rng.choice(list(_SHARES), n, p=list(_SHARES.values()))
    ambiguous, matched = np.isin(kind, ("sure", "unsure")), np.isin(kind, ("conflict", "matched"))
    mmsi = (412_000_000 + rng.integers(0, FLEET, n)).astype(str).astype(object)
    status = np.where(ambiguous, "ambiguous", np.where(matched, "matched", kind)).astype(object)
    likely = np.where(kind == "unsure", rng.uniform(0.3, 0.79, n), rng.uniform(0.8, 1.0, n))
    return matches.assign(
        status=status,
        mmsi=pd.Series(np.where(matched, mmsi, None), dtype=object),
        candidates=np.where(ambiguous, mmsi, "").astype(object),
        conflicts=np.where(kind == "conflict", "length", "").astype(object),
        reasons=np.where(matched, "position_fits", "no_vessel_fits").astype(object),
        probability=likely,
    )


def _counts(rng: np.random.Generator, counts: pd.DataFrame) -> pd.DataFrame:
    """Return counts as the reconciler makes them: length bins of dry cargo alone, declared of all alone."""
    dry = counts[counts["class"] == "dry_cargo"]
    bins = [dry.assign(length_bin=name) for name in LENGTH_BINS if name != "all"]
    table = pd.concat([counts, *bins], ignore_index=True)
    value = rng.integers(0, 12, len(table)).astype(float)
    table = table.assign(value=value, low=np.maximum(value - 2, 0), high=value + 3)
    declared = table["quantity"].isin(("declared", "unseen", "not_visible"))
    return table[~declared | (table["class"] == "all")].reset_index(drop=True)


def _positions(named: gpd.GeoDataFrame, hulls: gpd.GeoDataFrame) -> pd.DataFrame:
    own, times = named.loc[named.index.repeat(2)], hulls["acquired"][named.index.repeat(2)]
    minutes = pd.to_timedelta(np.tile([-9, 7], len(named)), unit="min")
    return pd.DataFrame(
        {
            "mmsi": own["mmsi"].to_numpy(),
            "time": (times + minutes).array,
            "lon": own.geometry.x.to_numpy(),
            "lat": own.geometry.y.to_numpy(),
            "sog_kn": 0.1,
            "cog_deg": np.nan,
            "heading_deg": np.nan,
            "nav_status": None,
            "ais_class": "A",
            "source": "SIM-made-up",
            "simulated": True,
            "overpass_id": own["overpass_id"].to_numpy(),
            "port": own["port"].to_numpy(),
        }
    )


def _vessels(named: gpd.GeoDataFrame, hulls: gpd.GeoDataFrame) -> pd.DataFrame:
    blank = {c.name: None for c in table_of(schema.Vessel).columns}
    known = {
        "mmsi": named["mmsi"],
        "time": hulls["acquired"][named.index],
        "name": "SIM " + named["mmsi"].str[-4:],
        "flag": "CN",
        "ship_type": 70,
        "length_m": 150.0,
        "source": "SIM-made-up",
        "simulated": True,
        "overpass_id": named["overpass_id"],
        "port": named["port"],
    }
    return pd.DataFrame({**blank, **known}, index=named.index).reset_index(drop=True)


def _decide(store: Store, most: int, now: datetime) -> None:
    for row in _some(store, 0, most):
        keys = (row["port"], row["overpass_id"], row["finding"])
        verdict = Verdict("accepted", *keys, evidence_of(row), True)
        Decisions(store).add(verdict, "ana", now, after=0)


def _some(store: Store, start: int, most: int) -> list[dict[str, Any]]:
    found = Queue(store).ranked(LeadFilter(), "newest")
    return Leads(store).rows([found.key(place) for place in range(start, start + most)])


def main() -> None:
    """Print one row a page; end with 1 where one takes longer than the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hulls", type=int, default=100_000)
    parser.add_argument(
        "--store", type=Path, help="Keep the store here, and use it where it is there already."
    )
    parser.add_argument("--asks", type=int, default=20)
    given, _ = parser.parse_known_args()
    with TemporaryDirectory() as folder:
        path = given.store or Path(folder) / "store.sqlite"
        fresh = not path.exists()
        with Store.open(f"sqlite:///{path}") as store:
            if fresh:
                began = time.perf_counter()
                fill(store, given.hulls)
                print(f"{given.hulls} detections stored in {time.perf_counter() - began:.0f} s")
            slow = _ask(store, Path(folder), given.asks)
    if slow:
        raise SystemExit(f"slower than {GOAL_MS:g} ms: {', '.join(slow)}")


def _ask(store: Store, home: Path, asks: int) -> list[str]:
    client = TestClient(
        review_app(desk(store, home)), base_url=ORIGIN, client=("127.0.0.1", 50000), follow_redirects=False
    )
    for _ in range(2):  # so that there is a visit before this one
        client.cookies.clear()
        csrf = _field(client.get("/login").text, "csrf")
        given = {"csrf": csrf, "name": "ana", "password": PASSWORD}
        client.post("/login", data=given, headers={"origin": ORIGIN})
    slow = []
    for name, path in _pages(store).items():
        times = []
        for _ in range(asks):
            began = time.perf_counter()
            answer = client.get(path)
            times.append((time.perf_counter() - began) * 1000)
            if answer.status_code != 200:
                raise SystemExit(f"{path}: {answer.status_code}")
        p95 = float(np.percentile(times, 95))
        print(f"{name:16}{np.median(times):8.0f} ms{p95:8.0f} ms (95 %){len(answer.content) / 1e3:8.0f} kB")
        slow += [name] if p95 > GOAL_MS else []
    return slow


def _pages(store: Store) -> Mapping[str, str]:
    (one,) = _some(store, 777, 1)
    finding = f"/finding/{one['port']}/{one['finding']}"
    day = (one["acquired"] - timedelta(days=40)).date()
    return {
        "overview": "/",
        "leads": "/leads",
        "leads, page 300": "/leads?page=300",
        "leads, a port": "/leads?port=nampo&class=barge&kind=no_ais_partner",
        "leads, dates": f"/leads?from={day}&code=no_vessel_fits&decided=all",
        "finding": finding,
        "finding in queue": f"{finding}?port={one['port']}&kind=no_ais_partner",
        "vessel": f"/vessel/{412_000_000 + 7}",
        "precision": "/precision",
        "log": "/log",
        **{f"ogc {name}": f"/ogc/collections/{name}/items?limit=100" for name in COLLECTIONS},
        "ogc deep": "/ogc/collections/detections/items?limit=100&offset=90000",
        "ogc bbox": "/ogc/collections/detections/items?limit=100&bbox=125.3,38.6,125.5,38.8&class=barge",
        "ogc datetime": f"/ogc/collections/matches/items?limit=100&datetime={day}T00:00:00Z/..&status=matched",
        "ogc tracks, bbox": "/ogc/collections/tracks/items?limit=100&bbox=125.3,38.6,125.5,38.8",
        "ogc collections": "/ogc/collections",
    }


def _field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    return found[1] if found else ""


if __name__ == "__main__":
    main()
