"""The only place that runs a network: OpenVINO, or ONNX Runtime where OpenVINO is absent."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from roadstead.errors import ModelError

FloatArray = NDArray[np.float32]
Network = Callable[[FloatArray], FloatArray]
"""Tiles [N, 3, H, W] in 0..1 -> boxes [N, 8, A]."""


def runtime_name() -> str:
    """Return which runtime is used: ``openvino`` or ``onnxruntime``."""
    return "openvino" if importlib.util.find_spec("openvino") else "onnxruntime"


def open_network(weights: Path, runtime: str | None = None) -> Network:
    """Load weights for the CPU at full precision.

    Raises:
        ModelError: the runtime cannot read the file.
    """
    opener = {"openvino": _openvino, "onnxruntime": _onnxruntime}[runtime or runtime_name()]
    try:
        return opener(weights)
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"{weights}: {runtime or runtime_name()} cannot load it: {error}") from error


def _openvino(weights: Path) -> Network:
    os.environ.setdefault("OPENVINO_TELEMETRY_OPT_OUT", "1")
    import openvino

    compiled = openvino.Core().compile_model(
        str(weights), "CPU", {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "f32"}
    )

    def run(tiles: FloatArray) -> FloatArray:
        results: list[FloatArray] = [np.empty(0, np.float32)] * len(tiles)
        queue = openvino.AsyncInferQueue(compiled)

        def keep(request: openvino.InferRequest, index: int) -> None:
            results[index] = request.get_output_tensor().data.copy()

        queue.set_callback(keep)
        for index, tile in enumerate(tiles):
            queue.start_async({0: tile[None]}, userdata=index)
        queue.wait_all()
        return np.concatenate(results)

    return run


def _onnxruntime(weights: Path) -> Network:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(weights), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(tiles: FloatArray) -> FloatArray:
        return np.asarray(session.run(None, {name: tiles})[0], np.float32)

    return run
