"""Weights between two exported networks: a straight line from one to the other, tensor by tensor.

Between what a fine-tuning started from and what it ended with lie weights that keep what either knows (Wortsman et al.
2022, "Robust fine-tuning of zero-shot models"). Batch norms are folded into convolutions, so no statistics are mixed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from roadstead.core.atomic_files import replacing
from roadstead_lab.training.export import sha256


def mix(first: Path, own: Path, own_share: float, path: Path) -> str:
    """Write first + own_share * (own - first) of every weight and bias of the convolutions; returns the sha256.

    Args:
        first: ONNX file of the network at one end.
        own: Of the same architecture at the other end; what is no convolution is taken from it.
        own_share: 0 for `first`, 1 for `own`; beyond 1 the line goes on past `own`.
        path: To be written; may be `own`.

    Raises:
        ValueError: The two are not of one architecture.
    """
    start, graph = onnx.load(str(first)), onnx.load(str(own))
    pairs = list(zip(_convolutions(start), _convolutions(graph), strict=True))
    for one, other in pairs:
        low, high = (numpy_helper.to_array(tensor).astype(np.float64) for tensor in (one, other))
        if low.shape != high.shape:
            raise ValueError(
                f"{first} and {own}: {one.name} is {low.shape} in one and {high.shape} in the other"
            )
        mixed = (low + own_share * (high - low)).astype(np.float32)
        other.CopyFrom(numpy_helper.from_array(mixed, other.name))
    with replacing(path) as part:
        onnx.save(graph, str(part))
    return sha256(path)


def _convolutions(model: onnx.ModelProto) -> list[onnx.TensorProto]:
    """Weights and biases of the convolutions, in the order of the graph."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes = [node for node in model.graph.node if node.op_type == "Conv"]
    return [tensors[name] for node in nodes for name in node.input[1:]]
