"""A network made by hand, and images for it: every lit pixel is a box.

In a lit pixel red is the score, green the box's length / 100 pixels, blue its angle / pi. So what a detector with
any weights does around its network can be told exactly.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from roadstead.core.errors import ReadError
from roadstead.core.geo import Grid, Window
from roadstead.core.schemas import CLASSES
from roadstead.detection import Model, load_model
from roadstead.imagery import BandAsset, Block, Overpass, Scene
from tests import builders

ACQUIRED = datetime(2020, 11, 3, 2, 29, 51, tzinfo=UTC)
BEAM_PX = 3.0
THRESHOLD = 0.4


def lamp_network(tile_px: int) -> onnx.ModelProto:
    """Return a graph with one anchor a pixel: bulk carrier at the red value, a tenth of it other vessel."""
    rows, cols = (axis.ravel() + 0.5 for axis in np.mgrid[0:tile_px, 0:tile_px])
    constants = {
        "cx": cols.reshape(1, 1, -1), "cy": rows.reshape(1, 1, -1), "zero": np.zeros(1), "hundred": np.array([100.0]),
        "pi": np.array([np.pi]), "beam": np.array([BEAM_PX]), "tenth": np.array([0.1]),
    }  # fmt: skip
    nodes = [
        helper.make_node("Reshape", ["image", "flat"], ["pixels"]),
        helper.make_node("Split", ["pixels"], ["red", "green", "blue"], axis=1, num_outputs=3),
        helper.make_node("Mul", ["red", "zero"], ["none"]),
        helper.make_node("Add", ["none", "cx"], ["x"]),
        helper.make_node("Add", ["none", "cy"], ["y"]),
        helper.make_node("Mul", ["green", "hundred"], ["w"]),
        helper.make_node("Add", ["none", "beam"], ["h"]),
        helper.make_node("Mul", ["red", "tenth"], ["other"]),
        helper.make_node("Mul", ["blue", "pi"], ["angle"]),
        helper.make_node("Concat", ["x", "y", "w", "h", "none", "red", "other", "angle"], ["boxes"], axis=1),
    ]
    weights = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()]
    weights.append(numpy_helper.from_array(np.array([0, 3, -1]), "flat"))
    graph = helper.make_graph(
        nodes,
        "lamps",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, tile_px, tile_px])],
        [helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["N", 8, tile_px * tile_px])],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def write_model(folder: Path, network: onnx.ModelProto | None = None, **card: Any) -> Path:
    """Write a model folder with the given changes to its card; return the folder."""
    tile_px = card.get("tile_px", 160)
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / "weights.onnx"
    onnx.save(network or lamp_network(tile_px), weights)
    document = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "model_id": "lamps",
        "weights": weights.name,
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "tile_px": tile_px,
        "classes": list(CLASSES),
        "score_threshold": THRESHOLD,
        **card,
    }
    (folder / "model.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


def lamps(folder: Path, **card: Any) -> Model:
    """Return the made network as a loaded model."""
    return load_model(write_model(folder, **card))


@dataclass(frozen=True)
class Lamp:
    """A box that the made network will see."""

    col: int
    row: int
    length_px: float = 15.0
    score: float = 0.9
    angle: float = 0.5


def scene(name: str = "S2B_TEST", *, minutes: float = 0.0, simulated: bool = True) -> Scene:
    """Return a scene of nothing in particular."""
    return Scene(
        scene_id=name, platform=None, sensor="s2", acquired=ACQUIRED + timedelta(minutes=minutes),
        acquired_source="granule_sensing", acquired_sigma_s=1.0 + minutes, provider="test", item_href=None,
        processing_baseline=None, datatake=None, footprint=builders.grid().footprint_lonlat,
        assets={band: BandAsset("none.tif") for band in ("red", "green", "blue")}, simulated=simulated,
    )  # fmt: skip


@dataclass
class Picture:
    """An image in memory that detection can read like a mosaic, noting what was read."""

    grid: Grid
    rgb: NDArray[np.float32]
    valid: NDArray[np.bool_]
    cloud: NDArray[np.bool_] | None = None
    nir: NDArray[np.float32] | None = None
    scene_index: NDArray[np.int16] | None = None
    scenes: tuple[Scene, ...] = field(default_factory=lambda: (scene(),))
    block_shape: tuple[int, int] = (256, 256)
    breaks_at_row: int | None = None
    windows: list[Window] = field(default_factory=list)

    def read(self, window: Window) -> Block:
        self.windows.append(window)
        if self.breaks_at_row is not None and window.row + window.height > self.breaks_at_row:
            raise ReadError("scene S2B_TEST: red.tif: cannot be read")
        here = window.slices
        index = np.zeros(self.valid.shape, np.int16) if self.scene_index is None else self.scene_index
        return Block(
            rgb=self.rgb[:, here[0], here[1]], nir=None if self.nir is None else self.nir[here], valid=self.valid[here],
            cloud=None if self.cloud is None else self.cloud[here], water=None,
            scene_index=np.where(self.valid, index, -1)[here].astype(np.int16),
        )  # fmt: skip

    @property
    def overpass(self) -> Overpass:
        return Overpass("testport_s2_20201103T022951", None, ACQUIRED, 1.0, self.scenes)


def picture(width: int, height: int, lit: Sequence[Lamp] = (), **changes: Any) -> Picture:
    """Return black, wholly valid water with lamps on it."""
    rgb = np.zeros((3, height, width), np.float32)
    for lamp in lit:
        rgb[:, lamp.row, lamp.col] = lamp.score, lamp.length_px / 100.0, lamp.angle / np.pi
    given = {"valid": np.ones((height, width), bool), **changes}
    return Picture(builders.grid(width, height), rgb, **given)
