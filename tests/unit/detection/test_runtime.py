from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from roadstead.core.errors import ModelError, UsageError
from roadstead.core.settings import DEFAULT_MODEL_ID, Settings, settings
from roadstead.detection import load_model, runtime, runtime_name
from roadstead.detection.model import Model
from roadstead.detection.runtime import Real, open_network
from tests.unit.detection.worlds import lamp_network, lamps, write_model


def images(count: int, size: int) -> list[tuple[int, Real]]:
    rng = np.random.default_rng(0)
    return [(n, rng.random((3, size, size), np.float32) * np.float32(0.3)) for n in range(count)]


def without_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)


def boxes_of(model: Model, tiles: list[tuple[int, Real]]) -> dict[int, Real]:
    return dict(open_network(model).run(tiles))


def test_openvino_is_used_where_it_is_there() -> None:
    assert runtime_name().startswith("OpenVINO 20")


def test_onnx_runtime_is_used_where_openvino_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    without_openvino(monkeypatch)
    assert runtime_name().startswith("ONNX Runtime 1.")


def test_both_runtimes_give_the_same_boxes_for_every_tile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, tiles = lamps(tmp_path), images(7, 160)
    first = boxes_of(model, tiles)
    without_openvino(monkeypatch)
    other = boxes_of(model, tiles)
    assert sorted(first) == sorted(other) == list(range(7))
    for number, image in tiles:
        assert np.allclose(first[number], other[number], atol=1e-5)
        assert np.allclose(first[number][5], image[0].ravel(), atol=1e-6)


def in_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "settings", lambda: Settings(inference_precision="bf16"))


def test_bfloat16_is_asked_of_openvino_and_gives_nearly_the_same_boxes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = load_model(DEFAULT_MODEL_ID, settings().models_dir)
    tiles = images(1, model.read.tile_px)
    exact = boxes_of(model, tiles)[0]
    in_bf16(monkeypatch)
    network = open_network(model)
    # Processors without bfloat16 take float32 instead.
    assert network._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name() in ("bf16", "f32")  # type: ignore[attr-defined]
    rough = dict(network.run(tiles))[0]
    assert np.abs(rough[:4] - exact[:4]).mean() < 0.5
    assert np.abs(rough[4:7] - exact[4:7]).max() < 0.1


def test_bfloat16_without_openvino_is_an_error_that_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_bf16(monkeypatch)
    without_openvino(monkeypatch)
    with pytest.raises(UsageError, match=r"bf16 needs OpenVINO.*use f32"):
        open_network(lamps(tmp_path))


def test_both_runtimes_agree_on_the_weights_that_ship(monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_model(DEFAULT_MODEL_ID, settings().models_dir)
    tiles = images(2, model.read.tile_px)
    first = boxes_of(model, tiles)
    without_openvino(monkeypatch)
    other = boxes_of(model, tiles)
    for number in range(2):
        assert np.allclose(first[number][4:7], other[number][4:7], atol=1e-3)
        assert np.allclose(first[number][:4], other[number][:4], atol=0.05)


@pytest.mark.parametrize("fallback", [False, True])
def test_a_read_that_fails_half_way_comes_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fallback: bool
) -> None:
    if fallback:
        without_openvino(monkeypatch)

    def tiles() -> Iterator[tuple[int, Real]]:
        yield from images(3, 160)
        raise OSError("disk gone")

    with pytest.raises(OSError, match="disk gone"):
        list(open_network(lamps(tmp_path)).run(tiles()))


@pytest.mark.parametrize("fallback", [False, True])
def test_a_network_that_gives_nan_is_an_error_and_not_an_empty_sea(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fallback: bool
) -> None:
    if fallback:
        without_openvino(monkeypatch)
    broken = [(0, np.full((3, 160, 160), np.nan, np.float32))]
    with pytest.raises(ModelError, match="not numbers"):
        boxes_of(lamps(tmp_path), broken)


def renamed(name: str) -> onnx.ModelProto:
    network = lamp_network(160)
    network.graph.output[0].name = name
    network.graph.node[-1].output[0] = name
    return network


def of_five_values() -> onnx.ModelProto:
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["image", "axes"], ["boxes"], keepdims=0)],
        "means",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, 160, 160])],
        [helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["N", 3, 160])],
        [onnx.numpy_helper.from_array(np.array([3]), "axes")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


@pytest.mark.parametrize("fallback", [False, True])
@pytest.mark.parametrize(
    ("network", "fault"),
    [(renamed("ships"), r"\['ships'\].*needs 'image' and 'boxes'"), (of_five_values(), "3 values a box")],
    ids=["other names", "other values"],
)
def test_a_network_of_another_form_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: onnx.ModelProto, fault: str, fallback: bool
) -> None:
    if fallback:
        without_openvino(monkeypatch)
    model = load_model(write_model(tmp_path, network))
    with pytest.raises(ModelError, match=rf"weights\.onnx: .*{fault}"):
        open_network(model)


@pytest.mark.parametrize("fallback", [False, True])
def test_weights_that_are_no_network_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fallback: bool
) -> None:
    if fallback:
        without_openvino(monkeypatch)
    model = lamps(tmp_path)
    model.weights.write_bytes(b"not a network")
    with pytest.raises(ModelError, match="sha256 expected"):
        open_network(model)
    monkeypatch.setattr(runtime, "checked_weights", lambda path, sha256: path.read_bytes())
    with pytest.raises(ModelError, match=r"weights\.onnx: cannot be compiled by"):
        open_network(model)


def test_nothing_is_reported_home_and_nothing_written_into_it(tmp_path: Path) -> None:
    code = (
        "import sys; from roadstead.detection import runtime_name; runtime_name(); import openvino.tools.ovc; \
print(sys.modules.get('openvino_telemetry'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"HOME": str(tmp_path)}
    )
    assert done.stdout.strip() == "None"
    assert list(tmp_path.iterdir()) == []
