"""Fixed structures: findings that stay put over many overpasses, such as jetties, cranes, platforms and turbines.

`learn` finds them in a port's earlier detections, `mark` drops the findings that lie on one, `beside` takes the ground
of what was dropped out of the searched area. All three are pure.

What is asked of a structure, and why:

- *One place, one shape* (`PLACE_M`, `LENGTH_M`, `LENGTH_SHARE`, `BEAM_M`, `AXIS_DEG`, each against the median).
  Images of one relative orbit lie on one another within 5 m and absolutely within 8 m (95 %) where they are refined
  on the Global Reference Image; products full of sea may not be refined
  (https://sentinel.esa.int/web/sentinel/-/forthcoming-deployment-of-the-copernicus-sentinel-2-products-geometric-refinement/1.1)
  and lie within some 12 m. The detector's own centre moves by several metres more, so a pixel and a half is allowed.
  Ships that follow each other at a quay lie tens of metres apart along it and differ in length.
- *In nearly every clear look* (`PRESENCE`, `BELIEF`). A structure is missed now and then as a ship is, so the share
  of clear looks that show it has a Beta posterior (Jeffreys' prior), whose lower end must be above `PRESENCE`. A busy
  berth shows the same hull again in few of its looks.
- *Over half a year* (`LEAST_SPAN`) *and many looks* (`LEAST_LOOKS`) *of the year before* (`MEMORY`). Ships stay for
  days or weeks; one that is laid up, under arrest or frozen in for a winter of the Taedong (some three months) stays
  longer, and must not be taken for a jetty. The year holds every season and sun angle, and what stopped being there
  leaves it.

What stays longer than that, a hulk or a museum ship, looks the same from above and is learnt too. It is listed with
``--unfiltered``, and so is a ship of the structure's own size that lies right on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import cKDTree
from scipy.special import betaincinv

from roadstead.core.detections_file import SceneHeader
from roadstead.core.geo import WGS84, Array, lonlat_to_xy, utm_crs, xy_to_lonlat
from roadstead.core.schemas import STRUCTURES, empty

FIXED_STRUCTURE: Final = "fixed_structure"
"""`dropped_because` of a finding that lies on a known structure; who marked it follows where an analyst did."""
NEAR_STRUCTURE: Final = "near_structure"
"""Flag of a finding that touches a known structure or nearly so, and differs from it."""
PLACE_M: Final = 15.0
"""How far a finding's centre may lie from the structure's."""
LENGTH_M: Final = 15.0
LENGTH_SHARE: Final = 0.1
"""Lengths may differ by the larger of this share and `LENGTH_M`: each end lies within about a pixel."""
BEAM_M: Final = 10.0
AXIS_DEG: Final = 15.0
STUBBY: Final = 1.5
"""A box less than so many times longer than wide has no axis to speak of."""
NEAR_M: Final = 10.0
"""Boxes that come this close are near."""
PRESENCE: Final = 0.6
BELIEF: Final = 0.95
LEAST_LOOKS: Final = 12
LEAST_SPAN: Final = timedelta(days=180)
MEMORY: Final = timedelta(days=365)
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class _Shapes:
    """Boxes as arrays of one length."""

    xy: Array
    """[n, 2] map metres."""
    length_m: Array
    beam_m: Array
    axis_deg: Array

    def take(self, which: Ints | Bools) -> _Shapes:
        return _Shapes(self.xy[which], self.length_m[which], self.beam_m[which], self.axis_deg[which])

    def middle(self) -> _Shapes:
        """Return the one shape in the middle of all: medians, and the mean axis."""
        doubled = np.deg2rad(2.0 * self.axis_deg)
        axis = np.rad2deg(np.arctan2(np.sin(doubled).mean(), np.cos(doubled).mean())) / 2.0 % 180.0 % 180.0
        return _Shapes(
            np.median(self.xy, axis=0, keepdims=True),
            np.array([np.median(self.length_m)]),
            np.array([np.median(self.beam_m)]),
            np.array([axis]),
        )

    def like(self, other: _Shapes) -> Bools:
        """Return which are the same thing as ``other`` (of the same length, or one for all)."""
        place = np.hypot(*(self.xy - other.xy).T) <= PLACE_M
        longer = np.maximum(self.length_m, other.length_m)
        length = np.abs(self.length_m - other.length_m) <= np.maximum(LENGTH_M, LENGTH_SHARE * longer)
        beam = np.abs(self.beam_m - other.beam_m) <= BEAM_M
        turn = np.abs(self.axis_deg - other.axis_deg) % 180.0
        axis = np.minimum(turn, 180.0 - turn) <= AXIS_DEG
        return np.asarray(place & length & beam & (axis | self._stubby | other._stubby))

    @property
    def _stubby(self) -> Bools:
        return np.asarray(self.length_m < STUBBY * self.beam_m)


def _shapes(table: pd.DataFrame, crs: str) -> _Shapes:
    xy = lonlat_to_xy(table[["lon", "lat"]].to_numpy(float), crs)
    return _Shapes(xy, *(table[name].to_numpy(float) for name in ("length_m", "beam_m", "axis_deg")))


def _crs(table: pd.DataFrame) -> str:
    return utm_crs(float(table["lon"].mean()), float(table["lat"].mean()))


def learn(detections: gpd.GeoDataFrame, looks: gpd.GeoDataFrame, before: datetime) -> gpd.GeoDataFrame:
    """Return the structures known at a moment from what was seen of a port earlier: `schemas.STRUCTURES`.

    Dropped findings count only where they were dropped as a structure, so what is learnt never depends on what was
    learnt before. The order of the rows plays no part.

    Args:
        detections: `schemas.DETECTIONS` of one port and one sensor.
        looks: one row an overpass: overpass_id, acquired; the geometry is where it searched, EPSG:4326.
        before: UTC; what was acquired at this moment or later, or more than `MEMORY` before it, is left out.
    """
    looks = looks[(looks["acquired"] < before) & (looks["acquired"] >= before - MEMORY)]
    looks = looks.sort_values(["acquired", "overpass_id"], ignore_index=True)
    said = detections["dropped_because"]
    found = detections[
        (said.isna() | is_structure(said)) & detections["overpass_id"].isin(looks["overpass_id"])
    ].sort_values("detection_id", ignore_index=True)
    if len(looks) < LEAST_LOOKS or len(found) < LEAST_LOOKS:
        return _table([])
    return _table(_places(found, looks))


def _places(found: gpd.GeoDataFrame, looks: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Return the structures as rows, those seen most often first: of two that share findings the first has them."""
    crs = _crs(found)
    shapes = _shapes(found, crs)
    look = pd.Index(looks["overpass_id"]).get_indexer(found["overpass_id"])
    links = _links(shapes)
    seen_in = links @ csr_array((np.ones(len(look)), (np.arange(len(look)), look)))
    often = np.diff(seen_in.indptr)
    free = np.ones(len(found), bool)
    rows: list[dict[str, Any]] = []
    for seed in np.argsort(-often, kind="stable"):
        if often[seed] < _LEAST_SEEN:
            break
        near = links.indices[links.indptr[seed] : links.indptr[seed + 1]]
        near = near[free[near]]
        if not free[seed] or len(near) < _LEAST_SEEN:
            continue
        middle = shapes.take(near).middle()
        own = np.flatnonzero(shapes.like(middle) & free)
        row = _row(found.iloc[own], looks, look[own], middle, crs)
        if row is not None:
            rows.append(row)
            free[own] = False
    return rows


def _links(shapes: _Shapes) -> csr_array:
    """Return [n, n] which findings are alike, each like itself."""
    one, other = cKDTree(shapes.xy).query_pairs(PLACE_M, output_type="ndarray").T
    alike = shapes.take(one).like(shapes.take(other))
    one, other, own = one[alike], other[alike], np.arange(len(shapes.xy))
    row, col = np.concatenate([one, other, own]), np.concatenate([other, one, own])
    return csr_array((np.ones(len(row)), (row, col)), shape=(len(own), len(own)))


def _row(
    own: gpd.GeoDataFrame, looks: gpd.GeoDataFrame, look: Ints, middle: _Shapes, crs: str
) -> dict[str, Any] | None:
    """Return the structure that findings make, None where they don't make one."""
    (lon, lat), seen = xy_to_lonlat(middle.xy, crs)[0], np.unique(look)
    times = looks["acquired"].iloc[seen]
    clear = np.asarray(shapely.contains_xy(looks.geometry.to_numpy(), lon, lat))
    clear[seen] = True
    n = int(clear.sum())
    low = presence_low(len(seen), n)
    if n < LEAST_LOOKS or low <= PRESENCE or times.max() - times.min() < LEAST_SPAN:
        return None
    nearest = np.hypot(*(lonlat_to_xy(own[["lon", "lat"]].to_numpy(float), crs) - middle.xy).T).argmin()
    return {
        "port": own["port"].iloc[0],
        "lon": lon,
        "lat": lat,
        "length_m": middle.length_m[0],
        "beam_m": middle.beam_m[0],
        "axis_deg": middle.axis_deg[0],
        "looks": n,
        "seen": len(seen),
        "presence_low": low,
        "first_seen": times.min(),
        "last_seen": times.max(),
        "simulated": bool(own["simulated"].any()),
        "marked_by": None,
        "geometry": own.geometry.iloc[nearest],
    }


def presence_low(seen: int, looks: int) -> float:
    """Return what the share of looks that show a thing is above with a probability of `BELIEF`."""
    return float(betaincinv(seen + 0.5, looks - seen + 0.5, 1.0 - BELIEF))


_LEAST_SEEN = next(k for k in range(LEAST_LOOKS + 1) if presence_low(k, LEAST_LOOKS) > PRESENCE)
"""No structure is seen less often."""


def _table(rows: Sequence[dict[str, Any]]) -> gpd.GeoDataFrame:
    table = pd.DataFrame(list(rows)) if rows else empty(STRUCTURES)
    return gpd.GeoDataFrame(table, geometry="geometry", crs=WGS84)


def is_structure(dropped_because: pd.Series) -> pd.Series:
    """Return which findings were dropped as lying on a structure, learnt or marked."""
    return dropped_because.fillna("").astype(str).str.startswith(FIXED_STRUCTURE)


def with_marked(learnt: gpd.GeoDataFrame, marked: Sequence[dict[str, Any]]) -> gpd.GeoDataFrame:
    """Return the structures learnt from many looks and, after them, those that analysts marked.

    A thing marked twice, or learnt as well, is one structure: two would account for a ship beside it.

    Args:
        learnt: `schemas.STRUCTURES`.
        marked: rows of that table.
    """
    kept = list(learnt.to_dict("records"))
    for row in marked:
        one = pd.DataFrame([row])
        crs = _crs(one)
        if not (kept and bool(_shapes(pd.DataFrame(kept), crs).like(_shapes(one, crs)).any())):
            kept.append(row)
    return _table(kept)


def mark(detections: gpd.GeoDataFrame, structures: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return detections with those on a structure dropped, and those near one flagged.

    A structure accounts for one finding an overpass, the nearest of those like it: a second one is a ship.

    Args:
        detections: `schemas.DETECTIONS`; what is dropped already stays as it is.
        structures: `schemas.STRUCTURES`.
    """
    kept = np.flatnonzero(detections["dropped_because"].isna())
    if not len(kept) or structures.empty:
        return detections
    crs = _crs(structures)
    known, shapes = _shapes(structures, crs), _shapes(detections, crs)
    boxes, places = detections.geometry.to_crs(crs).to_numpy(), structures.geometry.to_crs(crs).to_numpy()
    place, near = shapely.STRtree(boxes[kept]).query(places, predicate="dwithin", distance=NEAR_M)
    near = kept[near]
    alike = known.take(place).like(shapes.take(near))
    on = _nearest(place[alike], near[alike], known, shapes, detections["overpass_id"].to_numpy())
    reasons, flags = (detections[name].to_numpy(object, copy=True) for name in ("dropped_because", "flags"))
    said = structures["marked_by"].to_numpy(object)
    for finding, structure in on.items():
        reasons[finding] = f"{FIXED_STRUCTURE}{f', marked by {who}' if (who := said[structure]) else ''}"
    for index in np.setdiff1d(near, list(on)):
        flags[index] = ",".join(filter(None, [*flags[index].split(","), NEAR_STRUCTURE]))
    return detections.assign(dropped_because=reasons, flags=flags)


def _nearest(
    place: Ints, finding: Ints, known: _Shapes, shapes: _Shapes, overpass: NDArray[Any]
) -> dict[int, int]:
    """Return finding -> structure that accounts for it: pairs from the nearest on, each side used once an overpass."""
    apart = np.hypot(*(known.xy[place] - shapes.xy[finding]).T)
    used: set[tuple[int, str]] = set()
    taken: dict[int, int] = {}
    for k in np.lexsort((finding, place, apart)):
        one, other = (int(place[k]), str(overpass[finding[k]])), int(finding[k])
        if one not in used and other not in taken:
            used.add(one)
            taken[other] = int(place[k])
    return taken


def beside(scenes: Sequence[SceneHeader], detections: gpd.GeoDataFrame) -> tuple[SceneHeader, ...]:
    """Return scenes whose searched area lacks the boxes of the findings that were dropped as structures.

    A ship may lie there and be taken for the structure: nobody may call it unseen.
    """
    dropped = detections[is_structure(detections["dropped_because"])]
    return tuple(
        replace(scene, valid_area=scene.valid_area - own.union_all())
        if len(own := dropped.geometry[dropped["overpass_id"] == scene.overpass_id])
        else scene
        for scene in scenes
    )
