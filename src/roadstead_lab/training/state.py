"""A training run's folder: its checkpoint, and the moving averages that become models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from roadstead.core.atomic_files import replacing
from roadstead.core.errors import BadInputError
from roadstead_lab.training.config import LongRun, TrainConfig
from roadstead_lab.training.network import Detector, detection_loss

CHECKPOINT: Final = "checkpoint.pt"


def fold_name(fold: int) -> str:
    """Name the folder of a run, and the weights, that leave a fold out."""
    return f"fold-{fold}"


def last_average(run: Path) -> Path:
    """Find the latest moving average of a run, finished or not.

    Raises:
        BadInputError: There is none.
    """
    averages = sorted(run.glob("average-*.pt"))
    if not averages:
        raise BadInputError(f"{run} holds no average-*.pt: run `make train` or `make train-simulated` first")
    return averages[-1]


@dataclass
class TrainState:
    """Network, moving average, optimiser, and how many steps and crops are done."""

    network: Detector
    average: Detector
    optimiser: torch.optim.Optimizer
    step: int
    crops: int = 0

    @classmethod
    def start(cls, config: TrainConfig | LongRun, run: Path, weights: Path | None = None) -> TrainState:
        """Begin afresh or from other weights, or from the run's checkpoint where there is one."""
        network, average = Detector(config.architecture), Detector(config.architecture)
        if weights is not None:
            network.load_state_dict(torch.load(weights, weights_only=True))
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub omits it
        average.load_state_dict(network.state_dict())
        optimiser = torch.optim.AdamW(_groups(network, config), lr=config.learning_rate)
        state = cls(network, average, optimiser, 0)
        if (run / CHECKPOINT).exists():
            state._load(run / CHECKPOINT)
        return state

    def advance(
        self,
        images: torch.Tensor,
        targets: dict[str, torch.Tensor],
        *,
        rate: float,
        ema_decay: float,
        half: bool,
    ) -> float:
        """Take one step at a learning rate; returns the loss per crop."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.network.train()
        loss = detection_loss(self.network, images, targets, half=half)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch ships it without annotations
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        self.optimiser.step()
        self.step += 1
        self.crops += len(images)
        self._average(min(ema_decay, (1 + self.step) / (10 + self.step)))
        return float(loss.detach()) / len(images)

    @torch.no_grad()
    def _average(self, decay: float) -> None:
        target = self.average.state_dict()
        for name, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                target[name].mul_(decay).add_(value, alpha=1 - decay)
            else:
                target[name].copy_(value)

    def save(self, run: Path) -> None:
        """Write the checkpoint, and keep the average of every checkpoint beside it."""
        self.save_checkpoint(run)
        with replacing(run / f"average-{self.step:06d}.pt") as temporary:
            torch.save(self.average.state_dict(), temporary)

    def save_checkpoint(self, run: Path) -> None:
        """Write the checkpoint whole or not at all: tensors and plain values, which outlive moved modules."""
        whole = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "crops": self.crops,
        }
        with replacing(run / CHECKPOINT) as temporary:
            torch.save(whole, temporary)

    def _load(self, path: Path) -> None:
        saved = torch.load(path, weights_only=True, map_location="cpu")
        self.network.load_state_dict(saved["network"])
        self.average.load_state_dict(saved["average"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.step = int(saved["step"])
        self.crops = int(saved["crops"])

    def on(self, device: str) -> TrainState:
        """Move all of it to a device."""
        self.network.to(device)
        self.average.to(device)
        for own in self.optimiser.state.values():
            own.update({k: v.to(device) for k, v in own.items() if isinstance(v, torch.Tensor) and v.ndim})
        return self


def _groups(network: Detector, config: TrainConfig | LongRun) -> list[dict[str, Any]]:
    """Decay weights of convolutions, not biases and batch norms."""
    decayed = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    return [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
