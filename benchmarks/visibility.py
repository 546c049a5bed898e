"""How often water is rightly called seen or hidden, by SCL alone and by our checks; and which glint hides hulls.

    python -m benchmarks.visibility --shared ../shared/data

writes docs/detector/visibility.md. Three tables: simulated ports under cloud of known place, with a scene
classification (SCL) that errs; real ports with an SCL in which all that is bright is cloud; and recall under glint.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from benchmarks.veiled_ports import SKIES, Mask, VeiledPort, veiled_port
from roadstead.core.settings import settings
from roadstead.detection import Model, load_model
from roadstead.imagery import Mosaic
from roadstead.imagery.stac.assets import VISUAL_FULL_SCALE
from roadstead.imagery.visibility.clouds import (
    SCL_WATER,
    Reflectance,
    checked_cloud,
    cloud_mask,
    missed_cloud,
)
from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.practice.scene import practice_scene
from roadstead_lab.simulate.scenario.model import Weather
from roadstead_lab.training.figures import wilson
from roadstead_lab.training.pixels import scene_overpass
from roadstead_lab.training.places import Label, labelled_scenes, read_labels
from roadstead_lab.training.practice import labelled_hulls
from roadstead_lab.training.product import found_in
from roadstead_lab.training.scoring import score
from roadstead_lab.training.simulated_image import detect_simulated, simulated_image, simulated_label

PAGE = Path("docs/detector/visibility.md")
SEED, PORTS, GLINT_SCENES = 4711, 36, 20
GLINTS = (0.0, 0.04, 0.07, 0.1, 0.14, 0.2)
WAYS = ("SCL alone", "SCL, its shadow class too", "ours, cloud alone", "ours")
_RESAMPLES = 2000


@dataclass(frozen=True)
class Tally:
    """Pixels of one port, one part of its water and one way of telling."""

    wrong: int
    whole: int


def ports(count: int) -> Iterator[VeiledPort]:
    """Draw ports one after the other; the files of each are gone when the next is drawn."""
    number = 0
    while count:
        with TemporaryDirectory() as folder:
            port = veiled_port(Path(folder), SEED, number)
            number += 1
            if port is not None:
                count -= 1
                yield port


def told(port: VeiledPort) -> dict[str, Mask]:
    """Return, for each of `WAYS`, what of a port is called seen, [H, W]."""
    with port.mosaic as mosaic:
        clear, veils = mosaic.read(mosaic.grid.window).clear, mosaic.veils()
        if veils is None:
            raise ValueError("a simulated port has bands, SCL and a sun")
        shadow, glint = veils.over(mosaic.grid)
    alone = ~cloud_mask(port.scl, 10.0)
    return dict(zip(WAYS, (alone, alone & (port.scl != 3), clear, clear & ~shadow & ~glint), strict=True))


def cloudy_rows() -> list[str]:
    """Return the rows of the table of simulated ports."""
    tallies: dict[tuple[str, str, str], list[dict[str, Tally]]] = {}
    for port in ports(PORTS):
        seen = told(port)
        for part, where in (("near land", port.near), ("all water", port.water)):
            truths = {"clear": port.clear, "cloud": port.cloud, "shadow": port.shadow}
            for truth, mask in truths.items():
                here = where & mask
                if here.any():
                    wrong = {
                        way: Tally(int((here & (~ok if truth == "clear" else ok)).sum()), int(here.sum()))
                        for way, ok in seen.items()
                    }
                    tallies.setdefault((part, port.sky, truth), []).append(wrong)
    rows = []
    for part in ("near land", "all water"):
        for sky in SKIES:
            for truth, error in (("clear", "hidden"), ("cloud", "seen"), ("shadow", "seen")):
                found = tallies.get((part, sky, truth), [])
                if found:
                    cells = " | ".join(_share([one[way] for one in found]) for way in WAYS)
                    pixels = sum(one[WAYS[0]].whole for one in found)
                    rows.append(
                        f"| {part} | {sky} | {truth} called {error} | {len(found)} / {pixels:,} | {cells} |"
                    )
    return rows


def _share(tallies: Sequence[Tally]) -> str:
    """Return a share with a 95 % interval that resamples ports."""
    pairs = np.array([(one.wrong, one.whole) for one in tallies], float)
    picks = generator(SEED, "resample").integers(len(pairs), size=(_RESAMPLES, len(pairs)))
    drawn = pairs[picks].sum(axis=1)
    low, high = np.percentile(drawn[:, 0] / drawn[:, 1], (2.5, 97.5))
    return f"{pairs[:, 0].sum() / pairs[:, 1].sum():.3f} ({low:.3f}-{high:.3f})"


def real_rows(shared: Path) -> list[str]:
    """Return the rows of the table of real ports with bands, under an SCL in which all that is bright is cloud."""
    rows, total = [], np.zeros(4, int)
    for place in labelled_scenes(shared):
        with Mosaic(scene_overpass(shared, place)) as mosaic:
            block = mosaic.read(mosaic.grid.window)
        if block.nir is None:
            continue  # 8-bit true colour, which is never checked
        nir = np.minimum(np.nan_to_num(block.nir), np.float32(VISUAL_FULL_SCALE))
        seen = Reflectance(*(block.rgb * np.float32(VISUAL_FULL_SCALE)), nir)
        scl = _all_bright(seen, block.valid)
        missed = missed_cloud(np.where(block.valid, SCL_WATER, 0).astype(np.uint8), seen, 10.0)
        masks = cloud_mask(scl, 10.0), checked_cloud(scl, seen, 10.0), missed
        ships = [label for label in read_labels(shared, place) if label.use == "yes"]
        counts = np.array([len(ships), *(sum(_under(label, mask) for label in ships) for mask in masks)])
        total += counts
        rows.append(f"| {place} | {' | '.join(map(str, counts))} |")
    whole = [f"{part} ({share_interval(int(part), int(total[0]))})" for part in total[1:]]
    return [*rows, f"| all | {total[0]} | {' | '.join(whole)} |"]


def _all_bright(seen: Reflectance, valid: Mask) -> NDArray[np.uint8]:
    """Return an SCL of 20 m pixels, [H, W]: cloud is all that is bright and no plant, and the pixel beside it."""
    bright = (seen.nir > 0.12) & (seen.nir < 1.7 * seen.blue)
    high, wide = (side // 2 for side in bright.shape)
    quarters = bright[: 2 * high, : 2 * wide].reshape(high, 2, wide, 2).mean(axis=(1, 3)) > 0.25
    cloud = np.zeros_like(bright)
    cloud[: 2 * high, : 2 * wide] = binary_dilation(quarters).repeat(2, axis=0).repeat(2, axis=1)
    return np.where(valid, np.where(cloud, 9, SCL_WATER), 0).astype(np.uint8)


def _under(label: Label, mask: Mask) -> bool:
    col, row = label.corners.mean(axis=0).astype(int)
    return bool(mask[min(row, mask.shape[0] - 1), min(col, mask.shape[1] - 1)])


def share_interval(part: int, whole: int) -> str:
    """Return the 95 % interval of a share."""
    low, high = wilson(part, whole)
    return f"{low:.3f}-{high:.3f}"


def glint_rows(model: Model) -> list[str]:
    """Return the rows of the table of glint: the same scenes and ships under ever more of it."""
    hits: dict[float, int] = dict.fromkeys(GLINTS, 0)
    ships: dict[float, int] = dict.fromkeys(GLINTS, 0)
    alarms: dict[float, int] = dict.fromkeys(GLINTS, 0)
    levels: dict[float, list[float]] = {glint: [] for glint in GLINTS}
    number = scenes = 0
    while scenes < GLINT_SCENES:
        drawn = [practice_scene(SEED, number, weather=Weather(glint=glint)) for glint in GLINTS]
        number += 1
        if not drawn[0].surface:
            continue
        scenes += 1
        for glint, scene in zip(GLINTS, drawn, strict=True):
            image = simulated_image(scene.reflectance, scene.valid)
            found = found_in(detect_simulated(image, model), image.grid)
            outcome = score([simulated_label(hull) for hull in labelled_hulls(scene)], found, "near")
            hits[glint] += len(outcome.hits)
            ships[glint] += len(outcome.hits) + len(outcome.missed)
            alarms[glint] += len(outcome.false_alarms)
            water = scene.valid & (scene.land_share < 0.01)
            levels[glint].append(float(np.median(scene.reflectance[3][water])))
    calm = hits[0.0] / ships[0.0]
    return [
        f"| {glint:.2f} | {np.median(levels[glint]):.3f} | {ships[glint]} | {hits[glint] / ships[glint]:.3f} "
        f"({share_interval(hits[glint], ships[glint])}) | {hits[glint] / ships[glint] / calm:.2f} | {alarms[glint]} |"
        for glint in GLINTS
    ]


def page(tables: Mapping[str, Sequence[str]]) -> str:
    """Return the page with its tables."""
    text = (Path(__file__).parent / "visibility.md").read_text(encoding="utf-8")
    for name, rows in tables.items():
        text = text.replace(f"{{{name}}}", "\n".join(rows))
    return text


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"))
    given = parser.parse_args()
    tables = {
        "cloudy": cloudy_rows(),
        "real": real_rows(given.shared),
        "glint": glint_rows(load_model(settings().model_id)),
    }
    PAGE.write_text(page(tables), encoding="utf-8")
    for rows in tables.values():
        print(*rows, "", sep="\n")


if __name__ == "__main__":
    main()
