"""A whole Sentinel-2 tile of open water: seconds, memory, and SAHI + Ultralytics (torch) beside us.

A tile is 10,980 x 10,980 pixels with four bands, as a COG under build/bench (delete it to have another drawn): a
simulated sea, 2,745 pixels a side, laid down 16 times, each the mirror image of its neighbours, so that the sea has no
seams. Of calm and choppy water, with 24 ships a sea; and of a busy roadstead, with 240, for the peer.

Ours is all from opening the weights and the file to the table, in a process of its own, which gives the peak of its
memory. "Network alone" is what OpenVINO takes for every tile of the image, none skipped, from a sample of them: the
floor of any pipeline that looks everywhere.

The peer is SAHI's `get_sliced_prediction` over Ultralytics' `YOLO.predict` in torch, with the same weights: only ONNX
is shipped, so its initialisers are laid into Ultralytics' own network, layer by layer, by the names of the nodes that
use them. It gets the same pixels as 8-bit RGB (it takes no other) already in memory, slices of our tiles' size and
overlap, doubled to 640 pixels by Ultralytics' letterbox as our graph does inside, and our threshold. It looks at one
corner of the calm and of the busy tile, and so do we once more, both with the network loaded: the ratio is of equal
pixels. Then the peer's boxes are counted that one of ours covers with an oriented IoU of 0.7 or more. Ultralytics takes
one thread less than there are processors, we take all: the CPU seconds tell that apart. bf16 is the setting
`inference_precision`; where the processor lacks it, it is float32 again.

    python -m benchmarks.full_tile
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import time as clock
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray

from benchmarks.simulate_tile import hulls_on
from roadstead.core.geo import Grid, Window, lonlat_to_xy
from roadstead.core.ports import load_port
from roadstead.core.schemas import CLASSES
from roadstead.core.settings import settings
from roadstead.detection import Model, detect_mosaic, load_model
from roadstead.detection.runtime import open_network
from roadstead.detection.tiling import OVERLAP_PX, chunks
from roadstead.imagery import Mosaic, Overpass, group_overpasses, open_geotiff, write_cog
from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.coast.land import land_surface
from roadstead_lab.simulate.light import Light
from roadstead_lab.simulate.optical.render import render
from roadstead_lab.simulate.scenario.model import OverpassPlan, PortScenario, Weather
from roadstead_lab.simulate.traffic.sea import port_ground

FOLDER = Path("build/bench")
PORT = "ningbo-zhoushan"
LEFT_BOTTOM = (500_000.0, 3_200_000.0)
"""Open sea south-east of the port's land."""
REPEATS, PATCH_PX = 4, 2745
WATERS = ((0.062, 0.084, 0.068, 0.022), (0.138, 0.138, 0.102, 0.050))
CORNER_PX = 2560
SAMPLE = 60
"""Tiles of which the network's own time is taken."""
LEAST_IOU = 0.7
Report = dict[str, Any]


@dataclass(frozen=True)
class Sea:
    """A simulated sea."""

    name: str
    ships: int
    """On each patch."""
    weather: Weather

    @property
    def tile(self) -> Path:
        """Where its tile lies."""
        return FOLDER / f"full-tile-{self.name}.tif"


SEAS = {
    sea.name: sea
    for sea in (
        Sea("calm", 24, Weather(haze=0.05)),
        Sea("choppy", 24, Weather(haze=0.05, swell=0.0014, glint=0.018)),
        Sea("busy", 240, Weather(haze=0.05)),
    )
}


def draw(sea: Sea) -> Report:
    """Draw a sea's tile unless it is there already."""
    if sea.tile.exists():
        return {}
    side_m, (left, bottom), port = PATCH_PX * 10.0, LEFT_BOTTOM, load_port(PORT)
    bounds = (left, bottom, left + side_m, bottom + side_m)
    ground = port_ground(port, PortScenario(port=PORT, fleet=(), bounds_xy=bounds))
    plan = OverpassPlan(0, clock(2, 30), "sentinel-2a", 46, sea.weather)
    land, ships = land_surface(ground, generator(1, "land")), hulls_on(ground, sea.ships, margin_m=1000.0)
    frame = render(ground, land, ships, plan, Light(), WATERS, generator(1))
    patch = np.maximum(frame.dn.astype(np.int32) - frame.offset, 1).astype(np.uint16)
    pixels = np.pad(patch, ((0, 0), *[(0, (REPEATS - 1) * PATCH_PX)] * 2), mode="symmetric")
    height, width = pixels.shape[1:]
    grid = Grid(ground.grid.crs, Affine(10.0, 0.0, left, 0.0, -10.0, bottom + 10.0 * height), width, height)
    write_cog(sea.tile, pixels, grid, band_names=["red", "green", "blue", "nir"])
    return {}


def overpass(sea: Sea) -> Overpass:
    """Open a tile as an overpass."""
    (made,) = group_overpasses(
        [open_geotiff(str(sea.tile), acquired=datetime(2020, 11, 3, tzinfo=UTC))], None
    )
    return made


def ours_on_tile(sea: Sea) -> Report:
    """Search the whole tile, then time the network alone."""
    wall, cpu = time.perf_counter(), time.process_time()
    model, made = load_model(settings().model_id), overpass(sea)
    with Mosaic(made) as mosaic:
        found = detect_mosaic(mosaic, model, overpass=made)
        report = _spent(wall, cpu) | {"found": len(found), "pixels": mosaic.grid.width * mosaic.grid.height}
        report["peak_gb"] = _peak_gb()
        tiles = sum(len(chunk.tiles) for chunk in chunks(mosaic.grid, model.read.tile_px, 1024))
    image = np.zeros((3, model.read.tile_px, model.read.tile_px), np.float32)
    wall = time.perf_counter()
    for _ in open_network(model).run((number, image) for number in range(SAMPLE)):
        pass
    return report | {"tiles": tiles, "network_s": (time.perf_counter() - wall) * tiles / SAMPLE}


def ours_on_corner(sea: Sea) -> Report:
    """Search the corner; the network is compiled before the clock starts."""
    model, made = load_model(settings().model_id), overpass(sea)
    open_network(model)
    with _corner(made) as mosaic:
        wall, cpu = time.perf_counter(), time.process_time()
        found = detect_mosaic(mosaic, model, overpass=made)
        report = _spent(wall, cpu)
        lonlat = shapely.get_coordinates(found.geometry.to_numpy())
        colrow = mosaic.grid.xy_to_colrow(lonlat_to_xy(lonlat, mosaic.grid.crs)).reshape(-1, 5, 2)
    return report | {"boxes": colrow[:, :4].tolist()}


def peer_on_corner(sea: Sea) -> Report:
    """Let SAHI and Ultralytics search the corner; one slice is predicted before the clock starts."""
    from sahi.models.ultralytics import UltralyticsDetectionModel
    from sahi.predict import get_sliced_prediction

    model = load_model(settings().model_id)
    with _corner(overpass(sea)) as mosaic:
        rgb = mosaic.read(mosaic.grid.window).rgb
    image = np.ascontiguousarray(np.moveaxis(np.round(rgb * 255.0).astype(np.uint8), 0, -1))
    size = model.read.tile_px
    detector = UltralyticsDetectionModel(
        model=_ultralytics(model), confidence_threshold=model.threshold, image_size=2 * size, device="cpu"
    )
    detector.perform_inference(image[:size, :size])
    wall, cpu = time.perf_counter(), time.process_time()
    result = get_sliced_prediction(
        image,
        detector,
        slice_height=size,
        slice_width=size,
        overlap_height_ratio=OVERLAP_PX / size,
        overlap_width_ratio=OVERLAP_PX / size,
        perform_standard_pred=False,
        postprocess_type="NMS",
        postprocess_class_agnostic=True,
        verbose=0,
    )
    boxes = [one.mask.segmentation[0] for one in result.object_prediction_list]
    return _spent(wall, cpu) | {"boxes": np.reshape(boxes, (-1, 4, 2)).tolist()}


def _ultralytics(model: Model) -> Any:  # noqa: ANN401 - Ultralytics ships no annotations
    """Return Ultralytics' own detector with the weights of a model folder."""
    import onnx
    import torch

    from roadstead_lab.training import torchvision_schemas  # noqa: F401 - ultralytics imports torchvision

    # isort: split
    from ultralytics import YOLO

    detector = YOLO(f"{model.card['properties']['mlm:architecture']}.yaml", task="obb")
    network = type(detector.model)(detector.model.yaml["yaml_file"], nc=len(CLASSES), verbose=False)
    network = network.eval().fuse(verbose=False)
    graph = onnx.load(str(model.weights)).graph
    weights = {
        one.name: torch.from_numpy(onnx.numpy_helper.to_array(one).copy()) for one in graph.initializer
    }
    layers, filled = dict(network.named_modules()), set()
    for node in graph.node:
        if node.op_type == "Conv":
            layer, (_, *parts) = layers[_module_of(node.name)], node.input
            for name, part in zip(("weight", "bias"), parts, strict=False):
                getattr(layer, name).data.copy_(weights[part])
            filled.add(layer)
    lacking = [
        name for name, layer in layers.items() if isinstance(layer, torch.nn.Conv2d) and layer not in filled
    ]
    if lacking:
        raise ValueError(f"{model.weights}: no weights for {', '.join(lacking)}")
    network.names = dict(enumerate(CLASSES))
    detector.model = network
    return detector


def _module_of(node: str) -> str:
    """Return the module a node was traced from: /model/model.10/m/m.0/cv1/Conv comes from model.10.m.0.cv1."""
    scopes = node.removeprefix("/model/").split("/")[:-1]
    return ".".join(
        a for a, b in itertools.zip_longest(scopes, scopes[1:], fillvalue="") if not b.startswith(f"{a}.")
    )


def _corner(made: Overpass) -> Mosaic:
    with Mosaic(made) as mosaic:
        grid = mosaic.grid
    return Mosaic(made, grid.crop(Window(0, 0, CORNER_PX, CORNER_PX)))


def _spent(wall: float, cpu: float) -> Report:
    return {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}


def _peak_gb() -> float:
    """Return the peak of this process alone: what getrusage tells holds what its parent had when it was forked."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1e6 for line in lines if line.startswith("VmHWM:"))


STEPS: dict[str, Callable[[Sea], Report]] = {
    step.__name__: step for step in (draw, ours_on_tile, ours_on_corner, peer_on_corner)
}


def run(step: Callable[[Sea], Report], sea: str, precision: str = "f32") -> Report:
    """Run a step in a process of its own."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    # Ultralytics would ask the network for news and write its settings into the user's home.
    quiet = {"YOLO_OFFLINE": "1", "YOLO_CONFIG_DIR": str(FOLDER.resolve()), "YOLO_VERBOSE": "False"}
    asked = {"ROADSTEAD_INFERENCE_PRECISION": precision}
    command = [sys.executable, "-m", "benchmarks.full_tile", "--step", step.__name__, "--sea", sea]
    env = os.environ | quiet | asked
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    report: Report = json.loads(done.stdout.splitlines()[-1])
    return report


def matched(theirs: NDArray[np.float64], ours: NDArray[np.float64]) -> int:
    """Return how many of their boxes one of ours covers with an oriented IoU of `LEAST_IOU` or more."""
    a, b = (shapely.polygons(boxes.reshape(-1, 4, 2)) for boxes in (theirs, ours))
    one, other = shapely.STRtree(b).query(a, predicate="intersects")
    common = shapely.area(shapely.intersection(a[one], b[other]))
    union = shapely.area(a[one]) + shapely.area(b[other]) - common
    return len(np.unique(one[common >= LEAST_IOU * union]))


def main() -> None:
    """Print one table."""
    for sea in SEAS:
        run(draw, sea)
    calm, choppy, rough = (run(ours_on_tile, *of) for of in (("calm",), ("choppy",), ("choppy", "bf16")))
    whole, corner = calm["pixels"] / 1e6, CORNER_PX**2 / 1e6
    rows = [
        ("whole tile of calm sea", whole, calm),
        ("whole tile of choppy sea", whole, choppy),
        ("the same in bf16", whole, rough),
        (f"network alone, all {calm['tiles']} tiles", whole, {"wall_s": calm["network_s"]}),
        ("the same in bf16", whole, {"wall_s": rough["network_s"]}),
    ]
    against = []
    for sea in ("calm", "busy"):
        peer = run(peer_on_corner, sea)
        rows.append((f"{sea} corner, SAHI + Ultralytics", corner, peer))
        for precision in ("f32", "bf16"):
            ours = run(ours_on_corner, sea, precision)
            rows.append((f"{sea} corner, ours in {precision}", corner, ours))
            against.append(f"{sea} sea, {precision}: {compared(ours, peer)}")
    print(f"{'':36}{'MP':>8}{'s':>8}{'MP/s':>8}{'CPU s':>8}{'GB':>8}")
    for what, megapixels, report in rows:
        wall = report["wall_s"]
        rest = "".join(f"{report[key]:8.{n}f}" for key, n in (("cpu_s", 1), ("peak_gb", 2)) if key in report)
        print(f"{what:36}{megapixels:8.1f}{wall:8.1f}{megapixels / wall:8.2f}{rest}")
    print(*against, sep="\n")


def compared(ours: Report, peer: Report) -> str:
    """Say how many times as fast we are, and how many of the peer's boxes are ours too."""
    theirs, own = (np.array(report["boxes"], float) for report in (peer, ours))
    times = peer["wall_s"] / ours["wall_s"]
    return (
        f"{times:.1f} times as fast as SAHI + Ultralytics; ours match {matched(theirs, own)} of its "
        f"{len(theirs)} boxes at IoU {LEAST_IOU}, and are {len(own)}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--sea", choices=SEAS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step is None:
        main()
    else:
        print(json.dumps(STEPS[given.step](SEAS[given.sea])))
