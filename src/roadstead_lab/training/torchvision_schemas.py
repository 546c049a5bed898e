"""Let torchvision be imported beside a CPU-only torch.

The torchvision wheel's C++ operators do not load there, and its import fails on registering fake kernels for
operators that nobody declared. Oriented detection calls none of them, so declaring their schemas is enough.
Import this module before ultralytics.
"""

from __future__ import annotations

import torch

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def declare_missing_schemas() -> torch.library.Library | None:
    """Declare the schemas where torchvision's own library has not; keep the result alive."""
    if hasattr(torch.ops.torchvision, "nms"):
        return None
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]  # torch has no stub
    for schema in _SCHEMAS:
        library.define(schema)  # type: ignore[no-untyped-call]  # torch has no stub
    return library


LIBRARY = declare_missing_schemas()
