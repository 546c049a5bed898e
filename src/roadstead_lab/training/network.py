"""The network: Ultralytics' oriented detector behind a bilinear upsample by two, in native pixels outside.

At 10 m a hull is 1-6 pixels wide; doubling the pixels gives the finest output stride four native pixels.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import nn
from torch.nn import functional

from roadstead.core.schemas import CLASSES
from roadstead_lab.training import torchvision_schemas  # noqa: F401 - ultralytics imports torchvision, which needs it

# isort: split
from ultralytics.cfg import get_cfg
from ultralytics.nn.tasks import OBBModel

UPSAMPLE: Final = 2


class Detector(nn.Module):
    """Oriented detector of barge, bulk carrier and other vessel.

    In training mode `forward` gives the raw maps for `detection_loss`; in evaluation mode [N, 8, A]: cx, cy, w, h in
    native pixels, three class scores 0..1, and the angle of w in radians from +column toward +row.
    """

    def __init__(self, architecture: str) -> None:
        """Build the network from an Ultralytics YAML name, with fresh weights."""
        super().__init__()
        # Ultralytics ships no annotations, hence Any.
        model: Any = OBBModel(architecture, nc=len(CLASSES), verbose=False)  # type: ignore[no-untyped-call]
        model.args = get_cfg()
        self.model = model
        self.criterion: Any = model.init_criterion()

    def forward(self, image: torch.Tensor) -> Any:  # noqa: ANN401 - maps in training, a tensor in evaluation
        """Detect on images [N, 3, H, W], RGB 0..1, H and W multiples of 16."""
        large = functional.interpolate(
            image, scale_factor=float(UPSAMPLE), mode="bilinear", align_corners=False
        )
        if self.training:
            return self.model(large)
        decoded = self.model(large)
        decoded = decoded[0] if isinstance(decoded, tuple | list) else decoded
        return torch.cat([decoded[:, :4] / UPSAMPLE, decoded[:, 4:]], 1)


def detection_loss(
    network: Detector, images: torch.Tensor, targets: dict[str, torch.Tensor], *, half: bool
) -> torch.Tensor:
    """Sum of box, class, distribution and angle losses over a batch; the loss itself always in float32.

    Args:
        network: In training mode.
        images: [N, 3, H, W] RGB 0..1, on the network's device.
        targets: ``batch_idx`` [M], ``cls`` [M, 1], ``bboxes`` [M, 5] (cx, cy, w, h normalised, angle).
        half: Whether the network runs in bfloat16 (`training.machine.half_is_faster`).
    """
    images = images.contiguous(memory_format=torch.channels_last)
    with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=half):
        maps = network(images)
    # The features only tell their shapes to the loss.
    maps = {key: value if key == "feats" else value.float() for key, value in maps.items()}
    loss, _ = network.criterion(maps, targets)
    return torch.as_tensor(loss.sum())
