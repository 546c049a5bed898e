"""Pictures of overpasses for the pages: read again from where the scenes lie, few at a time, and kept for a while.

Nobody names an address: scenes are those of the store. A remote that hangs holds up pictures alone, never pages.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from cachetools import LRUCache, TTLCache

from roadstead.apps.desk.desk import Desk
from roadstead.apps.desk.picture_frames import unpacked_quicklook
from roadstead.core.errors import RoadsteadError
from roadstead.imagery.map_tiles import (
    Again,
    of_quicklook,
    read_again,
    square,
    square_grid,
    tile,
    tile_grid,
    webp,
)
from roadstead.imagery.open import StoredScene
from roadstead.imagery.picture_styles import LookName
from roadstead.store import Atlas

WORKERS = 3
MOST_WAITING = 64
"""Pictures that may wait for a worker; more are told to come again."""
TIMEOUT_S = 10.0
KEPT_BYTES = 64 * 1024 * 1024
OPENED_FOR_S = 600.0
"""How long opened items are believed; signed addresses live longer."""
FAILED_FOR_S = 60.0
SIDE_PX = 64
SHALLOWEST = 9
"""Tiles of lower zooms would read whole scenes; the stored picture serves there."""
Answer = TypeVar("Answer")


class GoneError(Exception):
    """The store holds nothing of that name."""


class PictureError(RoadsteadError):
    """A picture cannot be had now; says why."""


@dataclass(frozen=True)
class Made:
    """One picture and how it is made."""

    port: str
    overpass_id: str
    look: LookName
    place: str
    make: Callable[[Again], bytes]


@dataclass
class Imagery:
    """What pictures are made of; shared by all who look."""

    desk: Desk
    timeout_s: float = TIMEOUT_S
    _waiting: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Make the caches."""
        self._pictures: LRUCache[tuple[str, ...], bytes] = LRUCache(KEPT_BYTES, getsizeof=len)
        self._opened: TTLCache[tuple[str, str, str], Again] = TTLCache(64, OPENED_FOR_S)
        self._failed: TTLCache[tuple[str, str], str] = TTLCache(256, FAILED_FOR_S)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(WORKERS, thread_name_prefix="pictures")

    @cached_property
    def atlas(self) -> Atlas:
        """Places of the store."""
        return Atlas(self.desk.store)

    def close(self) -> None:
        """Let the workers go; what they read is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def soon(self, port: str, overpass_id: str, work: Callable[[], Answer]) -> Answer:
        """Run work that reads the scenes of an overpass on a worker.

        Raises:
            PictureError: too many wait, or it took longer than the time-out: it goes on, what it makes is kept, and
                the overpass counts as failed for a minute or until it is done.
        """
        with self._lock:
            if self._waiting >= MOST_WAITING:
                raise PictureError("too many pictures are being read; try again in a moment")
            self._waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        future.add_done_callback(self._done)
        try:
            return await asyncio.wait_for(asyncio.shield(future), self.timeout_s)
        except TimeoutError as error:
            told = f"the image server has not answered within {self.timeout_s:.0f} s"
            with self._lock:
                self._failed[port, overpass_id] = told
            raise PictureError(told) from error

    def _done(self, future: asyncio.Future[Answer]) -> None:
        with self._lock:
            self._waiting -= 1
        if not future.cancelled():
            future.exception()  # looked at, so that one nobody waits for any more is not reported

    def stamp(self, port: str, overpass_id: str) -> str:
        """Return what changes when an overpass is stored anew.

        Raises:
            GoneError: the store has no result of it.
        """
        told = self.atlas.stamp(port, overpass_id)
        if told is None:
            raise GoneError
        return told

    def etag(self, *parts: str) -> str:
        """Return the tag of what is made of some parts."""
        return '"' + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32] + '"'

    def again(self, port: str, overpass_id: str) -> Again:
        """Return the scenes of an overpass, opened; a failure is remembered for a minute.

        Raises:
            PictureError: they cannot be read now.
            GoneError: the store holds none.
        """
        key = (port, overpass_id, self.stamp(port, overpass_id))
        with self._lock:
            opened, failed = self._opened.get(key), self._failed.get(key[:2])
        if failed is not None:
            raise PictureError(failed)
        if opened is None:
            opened = self._noted(port, overpass_id, lambda: self._open(port, overpass_id))
            with self._lock:
                self._opened[key] = opened
        return opened

    def _open(self, port: str, overpass_id: str) -> Again:
        rows = self.desk.leads.scenes(port, overpass_id)
        if not rows:
            raise GoneError
        return read_again(
            [
                StoredScene(
                    row["scene_id"], row["item_href"], row["item_sha256"], row["acquired"], row["provider"]
                )
                for row in rows
            ]
        )

    def _noted(self, port: str, overpass_id: str, work: Callable[[], Answer]) -> Answer:
        """Do what reads scenes; note whether it failed."""
        try:
            done = work()
        except RoadsteadError as error:
            with self._lock:
                self._failed[port, overpass_id] = str(error)
            raise PictureError(str(error)) from error
        with self._lock:
            self._failed.pop((port, overpass_id), None)
        return done

    def stored_tile(self, port: str, overpass_id: str, z: int, x: int, y: int) -> bytes:
        """Return a map tile as WebP, from the picture in the store.

        Raises:
            GoneError: the store holds none.
        """
        found = self.desk.leads.quicklook(port, overpass_id)
        if found is None:
            raise GoneError
        return webp(of_quicklook(unpacked_quicklook(found[0]), found[1], tile_grid(z, x, y)))

    def tile(self, port: str, overpass_id: str, look: LookName, z: int, x: int, y: int) -> Made:
        """Return how a map tile is made from the scenes; see `made`."""

        def make(again: Again) -> bytes:
            grid = tile_grid(z, x, y)
            return webp(tile(again.over(grid), look, grid), lossless=look == "mask")

        return Made(port, overpass_id, look, f"{z}/{x}/{y}", make)

    def window(self, port: str, overpass_id: str, look: LookName, finding: str) -> Made:
        """Return how the square around a finding's place is made from the pixels of an overpass, which may be another.

        On the port's grid, as the stored cut-outs are; 10 m pixels of the place's UTM zone where that is not known.

        Raises:
            GoneError: the store holds no such finding.
            SceneError: its place lies outside of the port's frame.
        """
        place = self.atlas.place(port, finding)
        if place is None:
            raise GoneError
        known = self.desk.ports.get(port)
        grid = square_grid(*place, SIDE_PX, known.grid() if known else None)

        def make(again: Again) -> bytes:
            picture = square(again.over(grid), look, grid)
            return webp(picture, lossless=True) if picture[..., 3].any() else b""

        return Made(port, overpass_id, look, f"{place[0]!r},{place[1]!r}", make)

    def held(self, what: Made) -> bytes | None:
        """Return a picture that was made before.

        Raises:
            GoneError: the store has no result of the overpass.
        """
        key = (what.port, what.overpass_id, self.stamp(what.port, what.overpass_id), what.look, what.place)
        with self._lock:
            return self._pictures.get(key)

    def made(self, what: Made) -> bytes:
        """Return a picture as WebP; no bytes where the overpass imaged nothing of it.

        Raises:
            PictureError: it cannot be read now.
            GoneError: the store holds no such overpass.
        """
        stamp = self.stamp(what.port, what.overpass_id)
        again = self.again(what.port, what.overpass_id)
        if what.look not in again.looks:
            raise PictureError("no scene of this overpass has the bands that this look needs")
        image = self._noted(what.port, what.overpass_id, lambda: what.make(again))
        with self._lock:
            if len(image) <= self._pictures.maxsize:
                self._pictures[what.port, what.overpass_id, stamp, what.look, what.place] = image
        return image
