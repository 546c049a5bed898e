"""Mixed weights lie on the straight line between two networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from roadstead_lab.training.export import sha256
from roadstead_lab.training.mixing import mix


def network(path: Path, value: float, size: int = 3) -> Path:
    tensors = [
        numpy_helper.from_array(np.full((1, 1, size, size), value, np.float32), "w"),
        numpy_helper.from_array(np.full(1, 10 * value, np.float32), "b"),
        numpy_helper.from_array(np.full(1, value, np.float32), "scale"),
    ]
    frame = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 8, 8])
    out = helper.make_tensor_value_info("z", TensorProto.FLOAT, None)
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["y"]), helper.make_node("Mul", ["y", "scale"], ["z"])]
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", [frame], [out], tensors)), str(path))
    return path


def weights(path: Path) -> dict[str, float]:
    return {t.name: float(numpy_helper.to_array(t).flat[0]) for t in onnx.load(str(path)).graph.initializer}


def test_convolutions_are_mixed_and_all_else_is_the_second_ones(tmp_path: Path) -> None:
    first, own = network(tmp_path / "first", 1.0), network(tmp_path / "own", 3.0)
    assert mix(first, own, 0.25, tmp_path / "mixed") == sha256(tmp_path / "mixed")
    assert weights(tmp_path / "mixed") == {"w": 1.5, "b": 15.0, "scale": 3.0}


def test_the_ends_of_the_line_are_the_two_and_a_mix_can_be_undone(tmp_path: Path) -> None:
    first, own = network(tmp_path / "first", 1.0), network(tmp_path / "own", 3.0)
    for share, value in ((0.0, 1.0), (1.0, 3.0)):
        mix(first, own, share, tmp_path / "end")
        assert weights(tmp_path / "end")["w"] == value
    mix(first, own, 0.5, own)
    mix(first, own, 2.0, own)
    assert weights(own)["w"] == 3.0


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    first, own = network(tmp_path / "first", 1.0), network(tmp_path / "own", 3.0, size=5)
    with pytest.raises(ValueError, match=r"first and .*own: w is \(1, 1, 3, 3\) in one and \(1, 1, 5, 5\)"):
        mix(first, own, 0.5, tmp_path / "mixed")
    assert not (tmp_path / "mixed").exists()
