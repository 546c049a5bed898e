"""Which scenes are one overpass, and which are the same product twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import takewhile

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from roadstead.core.ports import Port
from roadstead.imagery.scene import Overpass, Scene
from roadstead.imagery.stac.acquisition_time import parse_stamp

SAME_PASS = timedelta(minutes=10)
"""Scenes of one platform family this close in time are one pass. Sentinel-2 sees a port once a pass, and its
satellites pass days (or, in tandem, 30 minutes and more) apart."""
SAME_FRAME_IOU = 0.9
"""Footprints without a tile name that overlap this much are one product processed twice."""
SAME_TILE_SHARE = 0.5
"""A tile that two datastrips share comes as two products that hardly overlap: not one processed twice."""
_TAKE = len("GS2B_20201103T022541")
"""Platform and start name a datatake; the orbit number after them is not in every item."""
_FAR_APART = timedelta(hours=2)
_NEVER = datetime.min.replace(tzinfo=UTC)


def group_overpasses(scenes: Sequence[Scene], port: Port | None) -> list[Overpass]:
    """Group scenes into overpasses, each product once, sorted by time.

    Scenes are one pass by the same datatake; where one of two has none, by the same platform family within
    10 minutes. Over a port that is enough; without one, their footprints must also overlap or touch,
    directly or through others. Of reprocessings the highest processing baseline is kept, then the latest.

    Args:
        scenes: any order; the result does not depend on it.
        port: None for scenes that were given one by one.
    """
    kept = latest_products(scenes)

    def together(a: Scene, b: Scene) -> bool:
        return same_pass(a, b) and (port is not None or a.footprint.intersects(b.footprint))

    groups = _components(kept, together)
    return sorted((_overpass(group, port) for group in groups), key=lambda o: (o.acquired, o.overpass_id))


def same_pass(a: Scene, b: Scene) -> bool:
    """Return whether two scenes were taken by one satellite in one pass, wherever they lie."""
    if a.datatake and b.datatake:
        return a.datatake[:_TAKE] == b.datatake[:_TAKE]
    return family(a) == family(b) and abs(a.acquired - b.acquired) <= SAME_PASS


def family(scene: Scene) -> str:
    """Return the platform family, e.g. ``sentinel-2`` for ``sentinel-2b``."""
    name = re.sub(r"(?<=\d)[a-d]$", "", (scene.platform or scene.sensor).lower())
    return {"s2": "sentinel-2", "s1": "sentinel-1"}.get(name, name)


def latest_products(scenes: Sequence[Scene]) -> list[Scene]:
    """Return scenes without earlier processings of the same product, sorted by id."""
    unique = {(scene.scene_id, scene.footprint.wkb): scene for scene in sorted(scenes, key=_recency)}
    groups = _components(list(unique.values()), same_product)
    return sorted((max(group, key=_recency) for group in groups), key=lambda scene: scene.scene_id)


def fill(scenes: Sequence[Scene], more: Iterable[Scene]) -> list[Scene]:
    """Return those of ``more`` that show what none of ``scenes`` does, whatever their processing."""
    return [scene for scene in more if not any(same_product(scene, held) for held in scenes)]


def same_product(a: Scene, b: Scene) -> bool:
    """Return whether two scenes show the same tile of the same pass."""
    if not same_pass(a, b):
        return False
    both = a.footprint.intersection(b.footprint).area
    if a.mgrs_tile and b.mgrs_tile:
        smaller = min(a.footprint.area, b.footprint.area)
        return bool(a.mgrs_tile == b.mgrs_tile and both >= SAME_TILE_SHARE * smaller)
    return bool(both >= SAME_FRAME_IOU * a.footprint.union(b.footprint).area > 0.0)


def _recency(scene: Scene) -> tuple[float, datetime, str]:
    return float(scene.processing_baseline or 0.0), scene.processed or _NEVER, scene.scene_id


def _components(scenes: Sequence[Scene], linked: Callable[[Scene, Scene], bool]) -> list[list[Scene]]:
    """Return groups of scenes that are linked, directly or through others."""
    if not scenes:
        return []
    ordered = sorted(scenes, key=lambda scene: (scene.acquired, scene.scene_id))
    pairs = [
        (i, j)
        for i, a in enumerate(ordered)
        for j, b in enumerate(takewhile(partial(_near, a), ordered[i + 1 :]), start=i + 1)
        if linked(a, b)
    ]
    rows, cols = np.array(pairs, int).reshape(-1, 2).T
    graph = coo_array((np.ones(len(rows)), (rows, cols)), shape=(len(ordered),) * 2)
    count, label = connected_components(graph, directed=False)
    return [[scene for scene, at in zip(ordered, label, strict=True) if at == k] for k in range(count)]


def _near(a: Scene, b: Scene) -> bool:
    return b.acquired - a.acquired <= _FAR_APART


def _overpass(group: Sequence[Scene], port: Port | None) -> Overpass:
    scenes = tuple(sorted(group, key=lambda scene: scene.scene_id))
    return Overpass(
        overpass_id=overpass_id(scenes, port.slug if port else None),
        port=port.slug if port else None,
        acquired=min(scene.acquired for scene in scenes),
        acquired_sigma_s=max(scene.acquired_sigma_s for scene in scenes),
        scenes=scenes,
    )


def overpass_id(scenes: Sequence[Scene], port: str | None) -> str:
    """Return an id such as ``nampo_s2_20201103T022541``: the same for the same pass, whenever it is searched.

    The time is the datatake's start where one is known, which further tiles don't change, else the earliest
    scene's second. Without a port the first scene's id stands in its place.
    """
    starts = [
        found.group(1) for scene in scenes if (found := re.search(r"_(\d{8}T\d{6})", scene.datatake or ""))
    ]
    when = parse_stamp(min(starts)) if starts else min(scene.acquired for scene in scenes)
    place = port or re.sub(r"[^\w.-]+", "-", scenes[0].scene_id)
    return f"{place}_{scenes[0].sensor}_{when:%Y%m%dT%H%M%S}"
