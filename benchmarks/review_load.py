"""Fifty analysts page and decide at once, on loopback, over 100,000 simulated detections: `roadstead review` itself.

Each logs in, looks at the overview, and then goes through the leads from a page of their own: open one, see its
picture, decide, look at the next, now and then at the map. Before each click they look for two to six seconds, which
is faster than anybody judges an image. What is told is how long answers took; those that come first after an
overpass was stored, and make what all others are read from, are told apart. At the end every decision that was
answered must be in a chain that is whole.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import httpx2
import numpy as np
from sqlalchemy import select, update

from benchmarks.review_map import made_scene, tiles_over
from benchmarks.review_pages import PASSWORD, fill
from roadstead.core.ports import load_port
from roadstead.store import Decisions, People, Store, hashed, schema
from roadstead.store.rows import table_of
from tests.integration.serving import review_served

GOALS_MS = {"page": 300.0, "tile": 150.0}
"""95th percentile of each kind of answer; a decision is a page."""
LOOKING_S = (2.0, 6.0)
ARRIVING_S = 15.0
"""Within which they all open their overview."""
LEADS = 20_000
ON_A_PAGE = 25
PORT = "nampo"


@dataclass
class Told:
    """What all analysts measured."""

    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    faults: list[str] = field(default_factory=list)
    decided: int = 0
    overtaken: int = 0
    """Decisions refused because somebody else was faster: an answer, and nothing is lost."""


@dataclass
class Analyst:
    """One person at one browser."""

    name: str
    client: httpx2.AsyncClient
    told: Told
    chance: random.Random
    tiles: Mapping[str, list[str]]

    async def work(self, until: float) -> None:
        """Go through leads until the time is over."""
        await asyncio.sleep(self.chance.uniform(0.0, ARRIVING_S))
        await self._page("overview", "/")
        while time.monotonic() < until:
            page = self.chance.randrange(1, LEADS // ON_A_PAGE)
            listed = await self._page("leads", f"/leads?page={page}")
            paths = re.findall(r'class="open" href="([^"]+)"', listed)
            if not paths:
                self.told.faults.append(f"/leads?page={page}: no lead on it")
                return
            await self._findings(self.chance.choice(paths), until)
            await self._page("map", f"/map?port={PORT}")
            await self._tiles()
            for name in ("precision", "log"):
                if self.chance.random() < 0.2:
                    await self._page(name, f"/{name}")

    async def _findings(self, path: str, until: float) -> None:
        """Decide a lead and those that follow it."""
        for _ in range(self.chance.randint(3, 8)):
            if time.monotonic() > until:
                return
            text = await self._page("finding", path)
            for picture in re.findall(r'href="(/chip/[^"]+)"', text)[:1]:
                await self._get("picture", picture)
            hidden = dict(
                re.findall(r'<input type="hidden" name="(csrf|seen|after|back)" value="([^"]*)"', text)
            )
            kind = self.chance.choice(["accepted", "rejected", "rejected:no_vessel"])
            given = {**hidden, "kind": kind, "note": f"{self.name} looked"}
            answer = await self._timed("decision", "POST", urlsplit(path).path + "/decide", data=given)
            if answer is None:
                return
            if answer.status_code == 409:
                self.told.overtaken += 1
                return
            if answer.status_code != 303:
                self.told.faults.append(f"POST {path}: {answer.status_code} {answer.text[:300]}")
                return
            self.told.decided += 1
            path = answer.headers["location"]
            if not path.startswith("/finding/"):
                return

    async def _tiles(self) -> None:
        """Look at a view of the map: tiles of findings and of the image, as many at once as a browser asks for."""
        for name, paths in self.tiles.items():
            asked = self.chance.sample(paths, min(4, len(paths)))
            await asyncio.gather(*(self._get(name, path) for path in asked))

    async def _page(self, name: str, path: str) -> str:
        await asyncio.sleep(self.chance.uniform(*LOOKING_S))
        return await self._get(name, path)

    async def _get(self, name: str, path: str) -> str:
        answer = await self._timed(name, "GET", path)
        if answer is None:
            return ""
        if answer.status_code != 200:
            self.told.faults.append(f"GET {path}: {answer.status_code}")
        return answer.text if answer.headers["content-type"].startswith("text/") else ""

    async def _timed(
        self, name: str, method: str, path: str, data: Mapping[str, str] | None = None
    ) -> httpx2.Response | None:
        began = time.perf_counter()
        try:
            answer = await self.client.request(method, path, data=data)
        except httpx2.HTTPError as error:
            self.told.faults.append(f"{method} {path}: {error!r}")
            return None
        self.told.took[name].append((time.perf_counter() - began) * 1000.0)
        return answer


def prepared(path: Path, hulls: int, analysts: int) -> dict[str, list[str]]:
    """Fill a store where there is none; return the tiles that analysts look at."""
    fresh = not path.exists()
    port = load_port(PORT)
    with Store.open(f"sqlite:///{path}") as store:
        if fresh:
            fill(store, hulls)
            secret = hashed(PASSWORD)
            for name in names(analysts):
                People(store).add(name, "analyst", secret, datetime.now(UTC))
        last = _readable(store, str(made_scene(path.parent, port).item_href))
    places = [place for zoom in range(10, 15) for place in tiles_over(port.bounds, zoom, 12)]
    return {
        "vector tile": [f"/map/data/{place}.mvt?port={PORT}" for place in places],
        "image tile": [f"/tiles/{PORT}/{last}/true-colour/{place}.webp" for place in places],
    }


def names(analysts: int) -> list[str]:
    """Return the analysts' names."""
    return [f"analyst{number:02}" for number in range(analysts)]


def _readable(store: Store, href: str) -> str:
    """Let the port's last overpass have a scene that can be read, and return its id."""
    scenes = table_of(schema.Scene)
    own = (scenes.c.port == PORT,)
    with store.transaction(writes=True) as connection:
        last = connection.execute(
            select(scenes.c.overpass_id).where(*own).order_by(scenes.c.acquired.desc()).limit(1)
        ).scalar_one()
        connection.execute(update(scenes).where(*own, scenes.c.overpass_id == last).values(item_href=href))
    return str(last)


async def load(address: str, analysts: int, seconds: float, tiles: Mapping[str, list[str]]) -> Told:
    """Let all analysts work, and return what they measured."""
    told = Told()
    limits = httpx2.Limits(max_connections=6)  # as many as a browser opens to one host
    clients = [
        httpx2.AsyncClient(base_url=address, limits=limits, timeout=60, headers={"origin": address})
        for _ in range(analysts)
    ]
    for name, client in zip(names(analysts), clients, strict=True):
        page = (await client.get("/login")).text
        csrf = re.findall(r'name="csrf" value="([^"]*)"', page)[0]
        answer = await client.post("/login", data={"csrf": csrf, "name": name, "password": PASSWORD})
        if answer.status_code != 303:
            raise SystemExit(f"{name} could not log in: {answer.status_code}")
    await first(clients[0], tiles)
    until = time.monotonic() + seconds
    people = [
        Analyst(name, client, told, random.Random(number), tiles)  # noqa: S311 - who looks at what
        for number, (name, client) in enumerate(zip(names(analysts), clients, strict=True))
    ]
    await asyncio.gather(*(person.work(until) for person in people))
    for client in clients:
        await client.aclose()
    return told


async def first(client: httpx2.AsyncClient, tiles: Mapping[str, list[str]]) -> None:
    """Ask for what is made anew after each overpass that is stored, and print how long it takes: once, for all."""
    for path in ("/", "/leads", tiles["vector tile"][0], tiles["image tile"][0]):
        began = time.perf_counter()
        await client.get(path)
        print(f"first of all: {path[:60]:60} {(time.perf_counter() - began) * 1000.0:7.0f} ms")


def kept(path: Path, before: int, told: Told) -> list[str]:
    """Return what is wrong with the chain after the load."""
    with Store.open(f"sqlite:///{path}") as store:
        found = Decisions(store).verify()
    wrong = list(found.faults)
    if found.rows - before != told.decided:
        wrong.append(f"{told.decided} decisions were answered, {found.rows - before} are in the chain")
    return wrong


def main() -> None:
    """Print one row a kind of answer; end with 1 where a goal is missed, an answer failed or a decision is lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--analysts", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--hulls", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="Keep the store here, and use it again.")
    parser.add_argument("--json", type=Path, help="Also write the figures here.")
    given, _ = parser.parse_known_args()
    with TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "store.sqlite"
        tiles = prepared(path, given.hulls, given.analysts)
        with Store.open(f"sqlite:///{path}") as store:
            before = Decisions(store).verify().rows
        with review_served(folder, f"sqlite:///{path}") as address:
            told = asyncio.run(load(address, given.analysts, given.seconds, tiles))
        missed = report(told, given.seconds, given.json) + told.faults[:10] + kept(path, before, told)
    if missed:
        raise SystemExit("missed:\n" + "\n".join(missed))


def report(told: Told, seconds: float, output: Path | None) -> list[str]:
    """Print the figures, and return which goals are missed."""
    rows = dict(told.took)
    rows["page"] = [
        ms for name, times in rows.items() if "tile" not in name and name != "picture" for ms in times
    ]
    rows["tile"] = [ms for name, times in told.took.items() if "tile" in name for ms in times]
    figures = {}
    for name, times in rows.items():
        p50, p95, most = np.percentile(times, (50, 95, 100))
        figures[name] = {
            "n": len(times),
            "p50_ms": round(p50, 1),
            "p95_ms": round(p95, 1),
            "max_ms": round(most, 1),
        }
        print(f"{name:14}{len(times):7d}  p50 {p50:7.1f} ms  p95 {p95:7.1f} ms  longest {most:8.1f} ms")
    asked = sum(len(times) for times in told.took.values())
    print(
        f"{asked} answers in {seconds:.0f} s, {len(told.faults)} faults; {told.decided} decisions, "
        f"{told.overtaken} refused because somebody was faster"
    )
    if output:
        output.write_text(json.dumps(figures, indent=1) + "\n")
    return [
        f"{name}: p95 {figures[name]['p95_ms']} ms, goal {goal:g} ms"
        for name, goal in GOALS_MS.items()
        if figures[name]["p95_ms"] > goal
    ]


if __name__ == "__main__":
    main()
