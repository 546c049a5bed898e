"""The inference runtime: OpenVINO, or ONNX Runtime where OpenVINO cannot be imported. No other file imports either.

Both run in float32 unless `settings` asks for bfloat16, which moves scores across the threshold, so that one image
gives other ships on other machines. Neither is let report on its users.
"""

from __future__ import annotations

import importlib
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from roadstead.core.errors import ModelError, UsageError
from roadstead.core.settings import settings
from roadstead.detection.model import Model, checked_weights

Real = NDArray[np.float32]
Key = TypeVar("Key")
INPUT, OUTPUT = "image", "boxes"
VALUES = 8
"""cx, cy, w, h, three scores, angle."""


class Network(Protocol):
    """A network ready to run."""

    def run(self, tiles: Iterable[tuple[Key, Real]]) -> Iterator[tuple[Key, Real]]:
        """Yield (key, boxes [8, A]) for every (key, image [3, T, T]), in any order.

        Takes the next tile only when it can be run, so that few tiles are in memory.
        """
        ...


def runtime_name() -> str:
    """Return name and version of the runtime that is used, having imported it.

    Raises:
        ImportError: neither runtime can be imported.
    """
    openvino = _openvino()
    if openvino is not None:
        return f"OpenVINO {str(openvino.__version__).split('-')[0]}"
    return f"ONNX Runtime {importlib.import_module('onnxruntime').__version__}"


def open_network(model: Model) -> Network:
    """Compile a model's network; the last two stay compiled.

    Raises:
        ModelError: the weights changed since they were checked, or are no network of the agreed form.
        UsageError: `settings` asks for a precision that the runtime at hand lacks.
        ImportError: neither runtime can be imported.
    """
    precision = settings().inference_precision
    return _compiled(model.weights, model.sha256, model.read.tile_px, _openvino() is not None, precision)


@lru_cache(maxsize=2)
def _compiled(weights: Path, sha256: str, tile_px: int, with_openvino: bool, precision: str) -> Network:
    onnx = checked_weights(weights, sha256)
    if precision != "f32" and not with_openvino:
        raise UsageError(
            f"inference_precision {precision} needs OpenVINO, which cannot be imported here; use f32"
        )
    try:
        return _OpenVino(onnx, tile_px, precision) if with_openvino else _OnnxRuntime(onnx, tile_px)
    except ModelError as error:
        raise ModelError(f"{weights}: {error}") from error
    except Exception as error:
        # Both runtimes raise plain RuntimeError or classes of their own compiled modules.
        raise ModelError(f"{weights}: cannot be compiled by {runtime_name()}: {error}") from error


def _openvino() -> ModuleType | None:
    # A None entry makes `import openvino_telemetry` fail, upon which OpenVINO takes its own silent stub: nothing
    # is sent, and no opt-out file is written into the user's home.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # documented use of None
    try:
        return importlib.import_module("openvino")
    except ImportError:
        return None


class _OpenVino:
    def __init__(self, onnx: bytes, tile_px: int, precision: str) -> None:
        self._ov: Any = importlib.import_module("openvino")
        core = self._ov.Core()
        network = core.read_model(onnx, b"")
        _check_names([port.any_name for port in network.inputs], [port.any_name for port in network.outputs])
        network.reshape([1, 3, tile_px, tile_px])
        _check_values(network.outputs[0].partial_shape[1].to_string())
        hints = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": precision}
        self._compiled = core.compile_model(network, "CPU", hints)
        self._at_once = int(self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))

    def run(self, tiles: Iterable[tuple[Key, Real]]) -> Iterator[tuple[Key, Real]]:
        # No Python callbacks: one that still runs when the interpreter ends aborts the whole process.
        free = [self._compiled.create_infer_request() for _ in range(self._at_once)]
        busy: deque[tuple[Any, Key]] = deque()
        try:
            for key, image in tiles:
                if not free:
                    yield self._finished(busy, free)
                request = free.pop()
                request.start_async({0: image[None]})
                busy.append((request, key))
            while busy:
                yield self._finished(busy, free)
        finally:
            for request, _ in busy:
                request.wait()

    @staticmethod
    def _finished(busy: deque[tuple[Any, Key]], free: list[Any]) -> tuple[Key, Real]:
        """Wait for the oldest request, free it and return what it gave."""
        request, key = busy.popleft()
        request.wait()
        boxes = request.get_output_tensor(0).data[0].copy()
        free.append(request)
        return key, _finite(boxes)


class _OnnxRuntime:
    def __init__(self, onnx: bytes, tile_px: int) -> None:
        ort: Any = importlib.import_module("onnxruntime")
        ort.disable_telemetry_events()
        self._session = ort.InferenceSession(onnx, providers=["CPUExecutionProvider"])
        self._size = tile_px
        outputs = self._session.get_outputs()
        _check_names([port.name for port in self._session.get_inputs()], [port.name for port in outputs])
        _check_values(str(outputs[0].shape[1]))

    def run(self, tiles: Iterable[tuple[Key, Real]]) -> Iterator[tuple[Key, Real]]:
        for key, image in tiles:
            (boxes,) = self._session.run([OUTPUT], {INPUT: image[None]})
            yield key, _finite(boxes[0])


def _check_names(inputs: list[str], outputs: list[str]) -> None:
    if inputs != [INPUT] or outputs != [OUTPUT]:
        raise ModelError(
            f"takes {inputs} and gives {outputs}, where the detector needs '{INPUT}' and '{OUTPUT}'"
        )


def _check_values(values: str) -> None:
    if values != str(VALUES):
        raise ModelError(f"gives {values} values a box, where the detector needs {VALUES}")


def _finite(boxes: Real) -> Real:
    # A comparison with NaN is false, so a broken network would otherwise pass for an empty sea.
    if not np.isfinite(boxes).all():
        raise ModelError("the network gave values that are not numbers; run 'roadstead doctor'")
    return boxes
