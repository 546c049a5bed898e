"""A picture of what a model gets wrong, from simulated scenes alone: missed, false, wrong in class, rafts merged.

The failures are those met first, at most one of a kind from one scene, so that none is picked for its looks.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from roadstead.core.atomic_files import replacing
from roadstead.core.geo import PIXEL_M
from roadstead.detection import Model
from roadstead.publish.palette import BOX_LOOKS, CLASS_LOOKS
from roadstead_lab.simulate.practice.scene import PracticeScene, practice_scene
from roadstead_lab.training import interval_check, raft_check
from roadstead_lab.training.interval_check import is_whole
from roadstead_lab.training.places import Label
from roadstead_lab.training.practice import labelled_hulls
from roadstead_lab.training.product import found_in
from roadstead_lab.training.raft_check import Raft, count_rafts, raft_scene
from roadstead_lab.training.scoring import Floats, Found, score
from roadstead_lab.training.simulated_image import (
    SimulatedImage,
    detect_simulated,
    practice_image,
    simulated_label,
)
from roadstead_lab.training.stamps import SMALLEST_LABELLED_M

NAME: Final = "failures.png"
ROWS: Final = {
    "missed": "missed hulls",
    "false_alarm": "false alarms",
    "wrong_class": "found, of the wrong class",
    "raft_short": "rafts with hulls missed or merged",
}
COLUMNS: Final = 6
SCENES: Final = 16
RAFT_SCENES: Final = 8
_PER_SCENE: Final = 1
_TILE_PX: Final = 40
"""Side of the ground that a tile shows, 10 m pixels; more where a hull or raft needs it."""
_SHOWN_PX: Final = 176
_GAP: Final = 6
_TITLE, _HEADING, _CAPTION = 46, 20, 32
_BRIGHTER: Final = 1.6
_NO_HULL: Final = f"no hull of {SMALLEST_LABELLED_M:.0f} m"
_GROUND: Final = (24, 26, 30)
_COLOURS: Final = 128
"""Of the picture, so that it stays small."""


@dataclass(frozen=True)
class Failure:
    """One failure, cut out of a simulated scene."""

    kind: str
    """A key of `ROWS`."""
    rgb: NDArray[np.uint8]
    """[S, S, 3] true colour of a square."""
    truth: tuple[Floats, ...]
    """[4, 2] boxes of the hulls that are there, (column, row) in the square."""
    found: tuple[Floats, ...]
    """[4, 2] boxes of what was found there."""
    captions: tuple[str, str]
    """What is there and what was found."""


def write_failures(model: Model) -> Path:
    """Write ``failures.png`` into a model's folder: at most 300 kB, simulated pixels alone, and labelled so."""
    path = model.folder / NAME
    stream = io.BytesIO()
    sheet(model.model_id, simulated_failures(model)).save(stream, "PNG", optimize=True)
    with replacing(path) as temporary:
        temporary.write_bytes(stream.getvalue())
    return path


def simulated_failures(
    model: Model, *, scenes: int = SCENES, raft_scenes: int = RAFT_SCENES, side_px: int = 400
) -> dict[str, list[Failure]]:
    """Search the first simulated scenes of the checks on lengths and rafts; return the first failures of each kind."""
    met = [f for number in range(scenes) for f in _of_practice(model, number, side_px)]
    met += [f for number in range(raft_scenes) for f in _of_rafts(model, number)]
    return {kind: list(islice((f for f in met if f.kind == kind), COLUMNS)) for kind in ROWS}


def _of_practice(model: Model, number: int, side_px: int) -> list[Failure]:
    scene = practice_scene(interval_check.SEED, number, side_px)
    image = practice_image(scene)
    return practice_failures(scene, image, found_in(detect_simulated(image, model), image.grid))


def practice_failures(scene: PracticeScene, image: SimulatedImage, found: Sequence[Found]) -> list[Failure]:
    """Return the first failures of a practice scene: hulls that are whole in the image, and false alarms."""
    hulls = list(labelled_hulls(scene))
    labels = [simulated_label(hull) for hull in hulls]
    outcome = score(labels, found, "strict")
    whole = [is_whole(hull, scene, image.cloud) for hull in hulls]
    cut = _Cutter(image, labels, found)
    kinds = (
        (cut.missed(ship) for ship in outcome.missed if whole[ship]),
        (cut.false_alarm(one) for one in outcome.false_alarms),
        (
            cut.wrong_class(ship, one)
            for ship, one in outcome.hits
            if whole[ship] and found[one].class_ != labels[ship].class_
        ),
    )
    return [failure for some in kinds for failure in islice(some, _PER_SCENE)]


def _of_rafts(model: Model, number: int) -> list[Failure]:
    image, rafts = raft_scene(raft_check.SEED, number)
    return raft_failures(image, rafts, found_in(detect_simulated(image, model), image.grid))


def raft_failures(image: SimulatedImage, rafts: Sequence[Raft], found: Sequence[Found]) -> list[Failure]:
    """Return the first rafts of a scene that were counted short."""
    cut = _Cutter(image, [label for raft in rafts for label in raft.labels], found)
    counted = zip(rafts, count_rafts(rafts, found), strict=True)
    short = (cut.raft(raft, own.counted) for raft, own in counted if own.counted < own.hulls)
    return list(islice(short, _PER_SCENE))


@dataclass(frozen=True)
class _Cutter:
    """Cuts failures out of one scene, with every box that reaches into the cut."""

    image: SimulatedImage
    labels: Sequence[Label]
    found: Sequence[Found]

    def missed(self, ship: int) -> Failure:
        label = self.labels[ship]
        near = [one for one in self.found if _overlap(one.corners, label.corners)]
        captions = f"there: {_ship(label.class_, label.length_m)}", _listed(near)
        return self._cut("missed", [label.corners], captions)

    def false_alarm(self, number: int) -> Failure:
        one = self.found[number]
        near = [label for label in self.labels if _overlap(one.corners, label.corners)]
        there = f"{_ship(near[0].class_, near[0].length_m)}, off or double" if near else _NO_HULL
        return self._cut("false_alarm", [one.corners], (f"there: {there}", _listed([one])))

    def wrong_class(self, ship: int, number: int) -> Failure:
        label, one = self.labels[ship], self.found[number]
        captions = f"there: {_ship(label.class_, label.length_m)}", _listed([one])
        return self._cut("wrong_class", [label.corners], captions)

    def raft(self, raft: Raft, counted: int) -> Failure:
        mean = float(np.mean([label.length_m for label in raft.labels]))
        there = f"there: {len(raft.labels)} x {_ship(raft.labels[0].class_, mean)}"
        corners = [label.corners for label in raft.labels]
        return self._cut("raft_short", corners, (there, f"found: {counted}; {raft.state.replace('_', ' ')}"))

    def _cut(self, kind: str, about: Sequence[Floats], captions: tuple[str, str]) -> Failure:
        points = np.concatenate(about)
        side = max(_TILE_PX, int(np.ceil(np.ptp(points, axis=0).max() * 1.2)))
        corner = np.floor((points.min(0) + points.max(0)) / 2).astype(int) - side // 2
        frame = shapely.box(*corner, *(corner + side))
        truth, seen = (
            tuple(box.corners - corner for box in boxes if frame.intersects(shapely.Polygon(box.corners)))
            for boxes in (self.labels, self.found)
        )
        return Failure(kind, _pixels(self.image, corner, side), truth, seen, captions)


def _pixels(image: SimulatedImage, corner: NDArray[np.int_], side: int) -> NDArray[np.uint8]:
    padded = np.pad(np.moveaxis(image.rgb, 0, -1), ((side, side), (side, side), (0, 0)))
    col, row = corner + side
    shown = padded[row : row + side, col : col + side] * 255 * _BRIGHTER
    return np.asarray(np.clip(np.rint(shown), 0, 255), np.uint8)


def _overlap(first: Floats, second: Floats) -> bool:
    return bool(shapely.Polygon(first).intersects(shapely.Polygon(second)))


def _ship(class_: str | None, length_m: float) -> str:
    return f"{CLASS_LOOKS[str(class_)].label}, {length_m:.0f} m"


def _listed(found: Sequence[Found]) -> str:
    if not found:
        return "found: nothing"
    best = max(found, key=lambda one: one.p_vessel)
    return f"found: {_ship(best.class_, best.length_m)}"


def sheet(model_id: str, failures: dict[str, list[Failure]]) -> Pillow.Image:
    """Draw the picture: a row a kind, true boxes and found boxes in the colours of `palette.BOX_LOOKS`."""
    cell, high = _SHOWN_PX + _GAP, _HEADING + _SHOWN_PX + _CAPTION
    canvas = Pillow.new("RGB", (COLUMNS * cell + _GAP, _TITLE + len(ROWS) * high), _GROUND)
    pen = ImageDraw.Draw(canvas)
    pen.text((_GAP, 5), f"SIMULATED images: what {model_id} gets wrong on them", "white", _font(15))
    _legend(pen)
    for row, (kind, heading) in enumerate(ROWS.items()):
        top = _TITLE + row * high
        own = failures[kind]
        pen.text((_GAP, top + 3), f"{heading}, simulated" + ("" if own else ": none met"), "white", _font(12))
        for column, failure in enumerate(own):
            _lay(canvas, failure, (_GAP + column * cell, top + _HEADING))
    return canvas.quantize(_COLOURS, method=Pillow.Quantize.MEDIANCUT, dither=Pillow.Dither.NONE)


def _legend(pen: ImageDraw.ImageDraw) -> None:
    left = float(_GAP)
    for look in BOX_LOOKS.values():
        pen.rectangle((left, 29, left + 22, 39), outline=look.colour, width=2)
        pen.text((left + 28, 26), look.label, "white", _font(12))
        left += 46 + pen.textlength(look.label, _font(12))


def _lay(canvas: Pillow.Image, failure: Failure, at: tuple[int, int]) -> None:
    zoom = _SHOWN_PX / len(failure.rgb)
    tile = Pillow.fromarray(failure.rgb).resize((_SHOWN_PX, _SHOWN_PX), Pillow.Resampling.NEAREST)
    pen = ImageDraw.Draw(tile)
    for name, boxes in (("truth", failure.truth), ("found", failure.found)):
        for box in boxes:
            ring = [tuple(point) for point in (np.vstack([box, box[:1]]) * zoom).tolist()]
            pen.line(ring, BOX_LOOKS[name].colour, 2 if name == "truth" else 1)
    pen.rectangle((0, _SHOWN_PX - 15, _SHOWN_PX, _SHOWN_PX), fill=_GROUND)
    pen.text((4, _SHOWN_PX - 14), f"SIMULATED, {len(failure.rgb) * PIXEL_M:.0f} m wide", "white", _font(10))
    canvas.paste(tile, at)
    under = ImageDraw.Draw(canvas)
    for line, caption in enumerate(failure.captions):
        size = next(size for size in range(11, 0, -1) if under.textlength(caption, _font(size)) <= _SHOWN_PX)
        under.text((at[0], at[1] + _SHOWN_PX + 2 + 14 * line), caption, "white", _font(size))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
