"""Recall by length and by conditions: where a ship lies, and how the image shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from roadstead.core.geo import PIXEL_M
from roadstead_lab.simulate.practice.scene import PracticeHull, PracticeScene
from roadstead_lab.simulate.scenario.model import Weather
from roadstead_lab.training.figures import ScoredScene, SoughtShip, ratio, recall_rows, sought, wilson
from roadstead_lab.training.pixels import decode, scene_overpass
from roadstead_lab.training.places import Label
from roadstead_lab.training.scenes import Bytes, Mask, land_mask, region_mask
from roadstead_lab.training.scoring import LEAST_LENGTH_M

Place = Literal["at_quay", "alongside", "free"]
NEAR_M: Final = 30.0
"""Land or another hull at most this far from a labelled box, which runs some 6 m beyond its hull, is beside it."""
HAZE_FROM: Final = 0.03
"""Optical thickness from which a simulated sky counts as hazy; half of the practice scenes lie under 0.01."""
_GAP_M: Final = 10.0
"""Simulated hulls at most this far apart lie alongside; rafts are drawn 1 to 4 m apart."""


@dataclass(frozen=True)
class PlacedShip:
    """A ship that was there, found or not, and the conditions it was looked for in."""

    ship: SoughtShip
    conditions: Mapping[str, str]
    """Condition -> what it was, such as place -> at_quay."""


def recall_by_condition(ships: Sequence[PlacedShip]) -> dict[str, dict[str, Any]]:
    """Share of ships found, by each value of each condition: those of 45 m or more, and by length.

    Returns:
        Condition -> value -> ``n``, ``recall``, ``recall_95`` (Wilson) and ``by_length`` (`figures.recall_rows`).
    """
    names = sorted({name for placed in ships for name in placed.conditions})
    return {name: _by_value(name, ships) for name in names}


def _by_value(name: str, ships: Sequence[PlacedShip]) -> dict[str, Any]:
    values = sorted({placed.conditions[name] for placed in ships})
    return {
        value: _recall([placed.ship for placed in ships if placed.conditions[name] == value])
        for value in values
    }


def _recall(ships: Sequence[SoughtShip]) -> dict[str, Any]:
    found = [ship.found for ship in ships if ship.length_m >= LEAST_LENGTH_M]
    return {
        "n": len(found),
        "recall": ratio(sum(found), len(found)),
        "recall_95": wilson(sum(found), len(found)),
        "by_length": recall_rows(ships),
    }


def recall_for_reconciling(ships: Sequence[PlacedShip]) -> list[dict[str, Any]]:
    """Rows that ``model.json`` has as ``recall_by_length``: of all ships, by quays and on open water.

    The kind of zone is what is known of a hull before it is found: berths and locks have quays.
    """
    groups = {
        None: ships,
        "berth": [placed for placed in ships if placed.conditions["place"] == "at_quay"],
        "open": [placed for placed in ships if placed.conditions["place"] != "at_quay"],
    }
    return [
        {"where": where} | row
        for where, some in groups.items()
        for row in recall_rows([placed.ship for placed in some])
    ]


def real_ships(shared: Path, scenes: Iterable[ScoredScene]) -> list[PlacedShip]:
    """Tell of every labelled ship where it lies (`places`) and whether its image has bands or 8-bit true colour.

    Raises:
        BadInputError: The catalogue lacks a scene.
    """
    return [ship for scene in scenes for ship in _real_ships(shared, scene)]


def _real_ships(shared: Path, scene: ScoredScene) -> list[PlacedShip]:
    rgb, valid, nir = decode(scene_overpass(shared, scene.scene_id))
    image = "visual_8_bit" if nir is None else "bands"
    where = places(scene.labels, rgb, valid, nir)
    return [
        PlacedShip(ship, {"place": where[ship.number], "image": image, "class": _class(scene, ship)})
        for ship in sought(scene)
    ]


def _class(scene: ScoredScene, ship: SoughtShip) -> str:
    return str(scene.labels[ship.number].class_)


def places(
    labels: Sequence[Label], rgb: Bytes, valid: Mask, nir: NDArray[np.float32] | None
) -> dict[int, Place]:
    """Tell where each labelled ship lies.

    At a quay: land within 30 m of it or of hulls alongside it. Alongside: another hull within 30 m, and no land.

    Args:
        labels: Of the scene.
        rgb: [H, W, 3] 8-bit true colour.
        valid: [H, W] where there is data.
        nir: [H, W] near-infrared reflectance; None where there is none, see `scenes.land_mask`.
    """
    ships = [number for number, label in enumerate(labels) if label.use == "yes"]
    land = land_mask(rgb, valid, nir, labels)
    off_land = cv2.distanceTransform((~land).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) * PIXEL_M
    ashore = np.array([_least(off_land, labels[number]) <= NEAR_M for number in ships], bool)
    groups = _side_by_side([labels[number].corners for number in ships], NEAR_M)
    return dict(zip(ships, _told(groups, ashore), strict=True))


def _told(groups: NDArray[np.int64], ashore: NDArray[np.bool_]) -> list[Place]:
    size = np.bincount(groups)
    quayside = np.bincount(groups, ashore) > 0
    return ["at_quay" if quayside[g] else "alongside" if size[g] > 1 else "free" for g in groups]


def _least(distance_m: NDArray[np.float32], label: Label) -> float:
    """Least distance from a box to land; labels lie a pixel clear of it, since that pixel may be their own light."""
    there = region_mask([label], distance_m.shape)
    return float(distance_m[there].min(initial=np.inf)) - PIXEL_M


def _side_by_side(corners: Sequence[NDArray[np.float64]], gap_m: float) -> NDArray[np.int64]:
    """[n] number of the group each box belongs to: boxes within a gap of one another, and of those, and so on."""
    if not corners:
        return np.zeros(0, np.int64)
    boxes = np.array([shapely.Polygon(one) for one in corners], object)
    apart = shapely.distance(boxes[:, None], boxes[None, :]) * PIXEL_M
    return np.asarray(connected_components(apart <= gap_m, directed=False)[1], np.int64)


def practice_ships(
    scene: PracticeScene, hulls: Sequence[PracticeHull], found: Sequence[bool]
) -> list[PlacedShip]:
    """Tell in what conditions simulated ships were looked for.

    Args:
        scene: Theirs.
        hulls: Those of them to be told of; no small craft.
        found: Whether each was.
    """
    large = [hull for hull in scene.hulls if hull.spec.kind != "small_craft"]
    groups = _side_by_side([hull.corners for hull in large], _GAP_M)
    beside = {id(hull): n > 1 for hull, n in zip(large, np.bincount(groups)[groups], strict=True)}
    of_scene = {"sky": _sky(scene.weather), "sea": _sea(scene.weather), "light": _light(scene)}
    return [
        PlacedShip(
            SoughtShip(number, hull.spec.length_m, seen),
            of_scene
            | {
                "state": hull.state,
                "alongside": "another_hull" if beside[id(hull)] else "none",
                "class": hull.spec.class_,
            },
        )
        for number, (hull, seen) in enumerate(zip(hulls, found, strict=True))
    ]


def _sky(weather: Weather) -> str:
    if weather.cloud != "none":
        return "thin_cloud_about" if weather.cloud == "thin" else "cloud_patches_about"
    return "haze" if weather.haze >= HAZE_FROM else "clear"


def _sea(weather: Weather) -> str:
    if weather.glint and weather.swell:
        return "glint_and_swell"
    return "glint" if weather.glint else "swell" if weather.swell else "calm"


def _light(scene: PracticeScene) -> str:
    return "at_surface" if scene.surface else "through_air"
