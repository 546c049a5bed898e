"""How fast the map is over 100,000 detections in SQLite: vector tiles, image tiles, time to the first map in Chromium.

The desk runs in this process on loopback; Chromium draws without a graphics card.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import requests

from benchmarks.exports import made_up
from roadstead.apps.desk import Desk, Looks, ReviewServer, review_app
from roadstead.core.detections_file import DetectionsHeader, SceneHeader
from roadstead.core.geo import Grid, lonlat_to_xy
from roadstead.core.ports import Port, load_port
from roadstead.core.schemas import VESSELS, empty
from roadstead.imagery import Overpass, Scene, open_item
from roadstead.imagery.map_tiles import MERCATOR, tile_grid
from roadstead.publish.palette import CLASS_LOOKS, STATUS_LOOKS
from roadstead.store import Store
from tests.builders import water, write_item

TILE_GOAL_MS, FIRST_MAP_GOAL_S = 150.0, 2.0
OVERPASSES = 100
SCENE_PX = 3000


def fill(store: Store, port: Port, hulls: int, scene: Scene) -> None:
    """Store so many made-up detections over `OVERPASSES` overpasses; the last one's scene can be read."""
    report = made_up(port, hulls, OVERPASSES)
    last = report.acquisitions["overpass_id"].iloc[-1]
    for made in report.acquisitions.itertuples():
        name, when = made.overpass_id, made.acquired.to_pydatetime()
        own = _taken(scene, when) if name == last else _taken(scene, when, f"SIM_{name}", "gone.json")
        header = SceneHeader(
            own.scene_id, name, when, 1.0, "s2", own.footprint, own.footprint, "known", {}, True
        )
        tables = {
            key: table[table["overpass_id"] == name].reset_index(drop=True)
            for key, table in (
                ("detections", report.detections),
                ("matches", report.matches),
                ("counts", report.counts),
                ("positions", report.positions),
            )
        }
        tables["positions"] = tables["positions"].drop(columns=["overpass_id", "simulated"])
        store.put_overpass(
            Overpass(name, port.slug, when, 1.0, (own,)),
            port=port.slug,
            header=DetectionsHeader((header,), "made-up", 0.4),
            vessels=empty(VESSELS),
            with_ais=True,
            **tables,
        )


def _taken(scene: Scene, when: pd.Timestamp, name: str | None = None, href: str | None = None) -> Scene:
    changes = {"scene_id": name, "item_href": href} if name else {}
    return replace(scene, acquired=when, simulated=True, **changes)


def made_scene(folder: Path, port: Port) -> Scene:
    """Return a scene of noise over the port's middle, on disk as COGs."""
    grid = port.grid()
    left, top = max(grid.width - SCENE_PX, 0) // 2 // 6 * 6, max(grid.height - SCENE_PX, 0) // 2 // 6 * 6
    at = grid.transform @ type(grid.transform).translation(left, top)
    frame = Grid(grid.crs, at, SCENE_PX, SCENE_PX)
    rng = np.random.default_rng(0)
    bands = {band: dn + rng.integers(0, 900, dn.shape, np.uint16) for band, dn in water(frame).items()}
    scl = np.full((SCENE_PX // 2, SCENE_PX // 2), 6, np.uint8)
    scl[200:600, 300:900] = 9
    return open_item(str(write_item(folder, "S2", frame, bands, scl=scl)))


@contextmanager
def served(store: Store) -> Iterator[tuple[str, requests.Session]]:
    """Serve a desk on loopback; give its address and a session; this machine may read without login."""
    desk = Desk(
        store,
        ports={slug: load_port(slug) for slug in store.ports()},
        key=b"k" * 32,
        looks=Looks(CLASS_LOOKS, STATUS_LOOKS),
        open=True,
    )
    server = ReviewServer(review_app(desk), "127.0.0.1", 0)
    server.start()
    try:
        with requests.Session() as session:
            session.trust_env = False
            yield server.address, session
    finally:
        server.stop()


def tiles_over(bounds: tuple[float, float, float, float], zoom: int, most: int, seed: int = 0) -> list[str]:
    """Return up to so many tiles of a zoom over bounds, as ``z/x/y``, chosen at random."""
    west, south, east, north = bounds
    ends = lonlat_to_xy(np.array([[west, north], [east, south]]), MERCATOR)
    (x0, y0), (x1, y1) = np.floor(tile_grid(0, 0, 0, 2**zoom).xy_to_colrow(ends)).astype(int)
    every = [f"{zoom}/{x}/{y}" for x in range(x0, x1 + 1) for y in range(y0, y1 + 1)]
    chosen = np.random.default_rng(seed).permutation(len(every))[:most]
    return [every[i] for i in chosen]


def timed(session: requests.Session, urls: list[str]) -> tuple[np.ndarray, int]:
    """Return milliseconds of each answer and the largest body."""
    took, largest = [], 0
    for url in urls:
        began = time.perf_counter()
        answer = session.get(url, timeout=60)
        took.append((time.perf_counter() - began) * 1000.0)
        answer.raise_for_status()
        largest = max(largest, len(answer.content))
    return np.array(took), largest


def row(name: str, took: np.ndarray, largest: int) -> float:
    """Print one row and return the 95th percentile."""
    p50, p95 = np.percentile(took, (50, 95))
    print(
        f"{name:34}{len(took):6d} tiles  p50 {p50:7.1f} ms  p95 {p95:7.1f} ms  largest {largest / 1000:7.1f} kB"
    )
    return float(p95)


def first_map(address: str, tries: int = 3) -> float:
    """Return seconds from asking for the page to the first whole map, the median of some tries."""
    from tests.integration.tools import browsing

    took = []
    with browsing() as browser:
        for _ in range(tries):
            page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
            began = time.perf_counter()
            page.goto(address + "/map")
            page.wait_for_selector("#map[data-ready]")
            took.append(time.perf_counter() - began)
            page.wait_for_selector("#map[data-idle]")
            print(f"{'first map':34}drawn {took[-1]:.2f} s, at rest {time.perf_counter() - began:.2f} s")
    return float(np.median(took))


def main() -> None:
    """Print the figures; end with 1 where one misses its goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", default="nampo")
    parser.add_argument("--hulls", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="keep the store here, and use it again")
    given, _ = parser.parse_known_args()
    port = load_port(given.port)
    with TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        fresh = not (folder / "store.sqlite").exists()
        with Store.open(f"sqlite:///{folder / 'store.sqlite'}") as store:
            if fresh:
                fill(store, port, given.hulls, made_scene(folder, port))
            missed = measured(store, port)
    if missed:
        raise SystemExit(f"missed: {', '.join(missed)}")


def measured(store: Store, port: Port) -> list[str]:
    """Print the figures and return what missed its goal."""
    missed = []
    with served(store) as (address, session):
        began = time.perf_counter()
        total = session.get(address + "/map/counts.json", timeout=60).json()["total"]
        print(f"{total} findings read into memory in {time.perf_counter() - began:.2f} s")
        places = [place for zoom in range(5, 17) for place in tiles_over(port.bounds, zoom, 12)]
        filters = ("", "?status=no_ais_partner", "?class=barge&from=1710000000&to=1740000000")
        for query in filters:
            urls = [f"{address}/map/data/{place}.mvt{query}" for place in places]
            if row(f"vector {query or 'all'}"[:33], *timed(session, urls)) > TILE_GOAL_MS:
                missed.append(f"vector {query}")
        row("vector, once more", *timed(session, urls))
        last = session.get(address + "/map/setup.json", timeout=60).json()["passes"][-1]["id"]
        looked = [place for zoom in range(9, 16) for place in tiles_over(port.bounds, zoom, 8)]
        for look in ("true-colour", "nir", "mask"):
            urls = [f"{address}/tiles/{port.slug}/{last}/{look}/{place}.webp" for place in looked]
            if row(f"image {look}", *timed(session, urls)) > TILE_GOAL_MS:
                missed.append(f"image {look}")
        if first_map(address) > FIRST_MAP_GOAL_S:
            missed.append("first map")
    return missed


if __name__ == "__main__":
    main()
