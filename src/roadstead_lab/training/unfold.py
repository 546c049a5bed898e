"""Exported weights back into a network that can be taught on: the way home from ``weights.onnx``.

An exported graph has every batch norm folded into its convolution. Each is unfolded again by statistics of what that
convolution gives over some images: a batch norm with their mean and variance, and a scale and shift that undo both,
leaves the function as it is and normalises as training expects (Ioffe & Szegedy 2015, eq. 3). So a lost checkpoint
costs what was taught since the last committed weights, and no file of weights is kept twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

from roadstead.core.errors import BadInputError
from roadstead_lab.training.network import Detector

Floats = NDArray[np.float32]


def load_exported(network: Detector, path: Path, images: torch.Tensor) -> None:
    """Give a network the weights of an exported one, in place; it then computes the same.

    Args:
        network: Of the architecture that was exported; left in training mode.
        path: ONNX file written by `training.export.export_onnx`.
        images: [N, 3, H, W] RGB 0..1, like those that it will be taught on; batch norms take their statistics.

    Raises:
        BadInputError: The file is of another architecture.
    """
    network.eval()
    convolutions = {name: m for name, m in network.named_modules() if isinstance(m, nn.Conv2d)}
    exported = _exported(path)
    if {name: tuple(m.weight.shape) for name, m in convolutions.items()} != {
        name: weight.shape for name, (weight, _) in exported.items()
    }:
        raise BadInputError(f"{path}: not of this network's architecture: its convolutions have other shapes")
    norms = _norms(network)
    with torch.no_grad():
        for name, module in convolutions.items():
            _fill(module, norms.get(name), *exported[name])
        with _statistics(list(norms.values())):
            network(images)
    network.train()


def _norms(network: Detector) -> dict[str, nn.BatchNorm2d]:
    """Name of a convolution -> the batch norm that follows it, where one does."""
    blocks = ((name, module) for name, module in network.named_modules() if hasattr(module, "bn"))
    return {f"{name}.conv": module.bn for name, module in blocks if isinstance(module.bn, nn.BatchNorm2d)}


def _exported(path: Path) -> dict[str, tuple[Floats, Floats | None]]:
    """Name of a convolution in the network -> its weight and bias in the graph."""
    graph = onnx.load(str(path)).graph
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    found: dict[str, tuple[Floats, Floats | None]] = {}
    for node in graph.node:
        if node.op_type == "Conv":
            weight, *bias = (tensors[name] for name in node.input[1:])
            found[_module_name(node.name)] = (weight, bias[0] if bias else None)
    return found


def _module_name(node: str) -> str:
    """Turn ``/model/model.23/cv3.1/cv3.1.0/conv/Conv`` into ``model.model.23.cv3.1.0.conv``.

    The exporter names each scope; the scope of a module list's member repeats the list's name.
    """
    parts: list[str] = []
    for part in node.strip("/").split("/")[1:-1]:
        if parts and part.startswith(f"{parts[-1]}."):
            parts.pop()
        parts.append(part)
    return ".".join(["model", *parts])


def _fill(
    conv: nn.Conv2d,
    norm: nn.BatchNorm2d | None,
    weight: NDArray[np.float32],
    bias: NDArray[np.float32] | None,
) -> None:
    """Copy a folded convolution; its batch norm adds the bias and does nothing else."""
    conv.weight.copy_(torch.from_numpy(weight.copy()))
    if norm is None:
        if conv.bias is not None and bias is not None:
            conv.bias.copy_(torch.from_numpy(bias.copy()))
        return
    norm.running_mean.zero_()  # type: ignore[union-attr]  # a batch norm that tracks no statistics has None
    norm.running_var.fill_(1 - norm.eps)  # type: ignore[union-attr]
    norm.weight.fill_(1)
    norm.bias.copy_(torch.zeros_like(norm.bias) if bias is None else torch.from_numpy(bias.copy()))


@contextmanager
def _statistics(norms: list[nn.BatchNorm2d]) -> Iterator[None]:
    """Let every batch norm that a forward pass meets take the statistics of its input, its output unchanged."""

    def adopt(module: nn.BatchNorm2d, inputs: tuple[torch.Tensor, ...], _: object) -> None:
        variance, mean = torch.var_mean(inputs[0], dim=(0, 2, 3), correction=0)
        scale = (variance + module.eps).sqrt()
        module.bias.add_(mean)
        module.weight.copy_(scale)
        module.running_mean.copy_(mean)  # type: ignore[union-attr]
        module.running_var.copy_(variance)  # type: ignore[union-attr]

    handles = [norm.register_forward_hook(adopt) for norm in norms]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
