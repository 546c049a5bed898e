"""Mangle rasters and items in their structure, read each as a watch does, and tell what became of it.

    python -m tests.faults.mangled --count 2000 --seed 1

Pixels that are whole but wrong (scales, noise, constant bands) are another matter: here files are cut off, bits and
tags flipped, sizes absurd, keys missing or of another type.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine

from roadstead.core.errors import RoadsteadError
from roadstead.core.ports import Port, named_port
from roadstead.core.settings import settings
from roadstead.detection import Model, load_model
from roadstead.imagery import Mosaic, group_overpasses, open_item
from roadstead.workflows.detect import detect_overpass
from tests import builders
from tests.worlds import FRAME, water_with_ships, write_aoi

BANDS = ("red", "green", "blue", "nir")
LENGTH = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
"""Bytes of one value of each type of TIFF tag."""
ODD = (0, 1, 2, 3, 7, 255, 256, 65535, 400_000, 2**31 - 1, 2**31, 2**32 - 1)
Bytes = bytearray
WRONG = ("zero", "crash")


@dataclass(frozen=True)
class Told:
    """What became of one mangled scene."""

    number: int
    kind: str
    outcome: str
    """``refused``, ``ships``, ``not observed``, or ``zero``: searched and none found, which is wrong; or ``crash``."""
    said: str
    seconds: float


def _cut(rng: np.random.Generator, body: Bytes) -> Bytes:
    return body[: int(rng.integers(0, len(body)))]


def _flip_head(rng: np.random.Generator, body: Bytes) -> Bytes:
    return _flip(rng, body, 512)


def _flip_anywhere(rng: np.random.Generator, body: Bytes) -> Bytes:
    return _flip(rng, body, len(body))


def _flip(rng: np.random.Generator, body: Bytes, upto: int) -> Bytes:
    for _ in range(int(rng.integers(1, 9))):
        body[int(rng.integers(0, min(upto, len(body))))] ^= 1 << int(rng.integers(0, 8))
    return body


def _blank(rng: np.random.Generator, body: Bytes) -> Bytes:
    start = int(rng.integers(0, len(body)))
    size = int(rng.integers(1, 4000))
    fill = int(rng.choice([0, 255]))
    body[start : start + size] = bytes([fill]) * len(body[start : start + size])
    return body


def _other(rng: np.random.Generator, body: Bytes) -> Bytes:
    others = (b"", b"II*\0", b"<html>gone</html>", b"\x89PNG\r\n\x1a\n" + bytes(50), b"PK\x03\x04" + bytes(50),
              bytes(5000), b"MM" + bytes(body[2:]), bytes(body[::-1]), bytes(body[:8]) * 500,
              b"<VRTDataset rasterXSize='9' rasterYSize='9'/>", b"II+\0" + bytes(body[4:]))  # fmt: skip
    return Bytes(others[int(rng.integers(0, len(others)))])


def _entries(body: Bytes) -> list[int]:
    """Return where each tag of the first directory stands (classic TIFF, little-endian)."""
    at = struct.unpack_from("<I", body, 4)[0]
    count = struct.unpack_from("<H", body, at)[0]
    return [at + 2 + 12 * index for index in range(count)]


def _tag(rng: np.random.Generator, body: Bytes) -> Bytes:
    """Give one tag an odd value, count, type or name."""
    at = int(rng.choice(_entries(body)))
    value = int(rng.choice(ODD))
    place = rng.choice(["value", "value", "value", "count", "type", "name"])
    if place == "value":
        _set_value(rng, body, at, value)
    elif place == "count":
        struct.pack_into("<I", body, at + 4, value % 2**32)
    else:
        struct.pack_into("<H", body, at + (2 if place == "type" else 0), value % 2**16)
    return body


def _set_value(rng: np.random.Generator, body: Bytes, at: int, value: int) -> None:
    kind, count, where = struct.unpack_from("<HII", body, at + 2)
    size = LENGTH.get(kind, 1)
    place = at + 8 if size * count <= 4 else where + size * int(rng.integers(0, count))
    raw = struct.pack("<d", float(value)) if kind == 12 else struct.pack("<Q", value)[:size]
    body[place : place + len(raw)] = raw


def _size(rng: np.random.Generator, body: Bytes) -> Bytes:
    """Make width, height, or the sides of blocks absurd."""
    for at in _entries(body):
        if struct.unpack_from("<H", body, at)[0] in (256, 257, 278, 322, 323) and rng.random() < 0.6:
            _set_value(rng, body, at, int(rng.choice([16, 32, 400_000, 65_520, 1_048_576, 2**31 - 16])))
    return body


def _loop(rng: np.random.Generator, body: Bytes) -> Bytes:
    """Let the directories follow each other in a ring, or lead nowhere."""
    entries = _entries(body)
    target = int(rng.choice([struct.unpack_from("<I", body, 4)[0], 8, len(body) - 2, 2**32 - 1]))
    struct.pack_into("<I", body, entries[-1] + 12, target)
    return body


RASTER: tuple[Callable[[np.random.Generator, Bytes], Bytes], ...] = (
    _cut, _flip_head, _flip_head, _flip_anywhere, _blank, _other, _tag, _tag, _tag, _size, _loop,
)  # fmt: skip


def _sparse(rng: np.random.Generator, path: Path) -> None:
    """Write a raster of a few kilobytes that says it is huge."""
    side, block = int(rng.choice([100_000, 400_000, 1_000_000])), int(rng.choice([0, 4096, 16384, 65536]))
    pixel = float(rng.choice([10.0, 1.0, 0.01]))
    half = side * pixel / 2
    at = Affine(pixel, 0.0, builders.LEFT - half, 0.0, -pixel, builders.TOP + half)
    tiles = {"tiled": True, "blockxsize": block, "blockysize": block} if block else {"blockysize": side}
    profile = {
        "driver": "GTiff", "width": side, "height": side, "count": 1, "dtype": "uint16", "crs": builders.CRS,
        "transform": at, "SPARSE_OK": True, "BIGTIFF": "YES", "compress": "deflate", **tiles,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile):
        pass


def _mangled_item(rng: np.random.Generator, document: dict[str, Any]) -> dict[str, Any]:
    """Take away or replace one to three values anywhere in an item but in what scales its pixels."""
    odd: list[Any] = [
        None,
        "",
        "x",
        -1,
        0,
        1e400,
        float("nan"),
        10**30,
        [],
        {},
        [[]],
        [None],
        True,
        {"href": 1},
    ]
    for _ in range(int(rng.integers(1, 4))):
        places = list(_places(document))
        holder, key = places[int(rng.integers(0, len(places)))]
        if rng.random() < 0.4:
            holder.pop(key)
        else:
            holder[key] = odd[int(rng.integers(0, len(odd)))]
    return document


def _places(node: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        if key in ("raster:bands", "links"):
            continue
        yield node, key
        yield from _places(value, depth + 1)


@dataclass(frozen=True)
class Bench:
    """A whole scene, and what it is read with."""

    folder: Path
    port: Port
    model: Model

    def once(self, number: int, seed: int) -> Told:
        """Mangle the scene and read it."""
        rng = np.random.default_rng([seed, number])
        here = self.folder / "now"
        shutil.copytree(self.folder / "whole", here)
        kind = self._mangle(rng, here)
        began = time.monotonic()
        try:
            outcome, said = self._read(here / "whole.json")
        except RoadsteadError as error:
            outcome, said = "refused", str(error)
        except Exception as error:
            outcome, said = "crash", repr(error)
        took = time.monotonic() - began
        shutil.rmtree(here)
        return Told(number, kind, outcome, said[:300], round(took, 2))

    def _mangle(self, rng: np.random.Generator, here: Path) -> str:
        which = rng.random()
        band = here / f"{rng.choice(BANDS)}.tif"
        if which < 0.25:
            path = here / "whole.json"
            path.write_text(json.dumps(_mangled_item(rng, json.loads(path.read_text()))), encoding="utf-8")
            return "item"
        if which < 0.3:
            band.unlink()
            _sparse(rng, band)
            return "sparse"
        way = RASTER[int(rng.integers(0, len(RASTER)))]
        band.write_bytes(way(rng, Bytes(band.read_bytes())))
        return way.__name__.strip("_")

    def _read(self, path: Path) -> tuple[str, str]:
        (overpass,) = group_overpasses([open_item(str(path))], self.port)
        with Mosaic(overpass, self.port.grid()) as mosaic:
            found, _ = detect_overpass(mosaic, overpass, self.model, self.port)
            mosaic.quicklook()
            seen = mosaic.visibility({zone.id: zone.polygon for zone in self.port.zones})
        share, hulls = min(seen.values()), int(found["dropped_because"].isna().sum())
        said = f"searched {share:.2f}, {hulls} hulls"
        if hulls:
            return "ships", said
        return ("not observed" if share < settings().min_visible_fraction else "zero"), said


def bench(folder: Path) -> Bench:
    """Make the whole scene."""
    path = builders.write_item(folder, "whole", FRAME, water_with_ships())
    assert path.parent == folder / "whole"
    port = named_port("testport", write_aoi(folder / "aoi.geojson"))
    return Bench(folder, port, load_model(settings().model_id))


def run(count: int, seed: int, first: int = 0) -> list[Told]:
    """Mangle so many scenes."""
    with tempfile.TemporaryDirectory() as name:
        made = bench(Path(name))
        told = []
        for number in range(first, first + count):
            told.append(made.once(number, seed))
            if told[-1].outcome in WRONG:
                print(told[-1], file=sys.stderr, flush=True)
        return told


def main() -> None:
    """Write what became of each as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    told = run(given.count, given.seed, given.first)
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {
                "outcomes": Counter(one.outcome for one in told),
                "slowest_s": max(one.seconds for one in told),
                "largest_mb": round(largest),
                "wrong": [asdict(one) for one in told if one.outcome in WRONG],
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
