"""Write trained weights as ONNX, the only form that run time reads."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Final

import onnx
import onnxslim  # type: ignore[import-untyped]  # ships no annotations
import torch

from roadstead.core.atomic_files import replacing
from roadstead_lab.training.network import Detector

TILE_PX: Final = 320
OPSET: Final = 17


def load_detector(weights: Path, architecture: str) -> Detector:
    """Load the moving average of a run's checkpoint, ready for inference."""
    network = Detector(architecture)
    network.load_state_dict(torch.load(weights, weights_only=True))
    return network.eval()


def export_onnx(network: Detector, path: Path) -> str:
    """Write the network, upsampling included, and return the file's sha256.

    The graph takes `image`, float32 [N, 3, 320, 320] RGB 0..1 in native pixels with N free, and gives `boxes`, float32
    [N, 8, A]: cx, cy, w, h in native pixels, scores of barge, bulk carrier and other vessel, angle of w in radians from
    +column toward +row. It holds no non-maximum suppression.
    """
    network.eval()
    head = network.model.model[-1]
    head.export, head.format = True, "onnx"
    with replacing(path) as part:
        _trace(network, part)
        head.export = False
        graph = onnxslim.slim(onnx.load(str(part)))
        onnx.checker.check_model(graph)
        onnx.save(graph, str(part))
    return sha256(path)


def _trace(network: Detector, path: Path) -> None:
    with warnings.catch_warnings():
        # The tracing exporter needs no further package; torch announces the other one at every call.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, TILE_PX, TILE_PX),),
            str(path),
            opset_version=OPSET,
            input_names=["image"],
            output_names=["boxes"],
            dynamic_axes={"image": {0: "N"}, "boxes": {0: "N"}},
            dynamo=False,
        )


def sha256(path: Path) -> str:
    """Hash a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
