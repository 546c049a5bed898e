"""What a training run is made of, and what follows from how far it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from roadstead.core.settings import DEFAULT_MODEL_ID

SIMULATED_ONLY: Final = "s2-obb-n-sim-2"
"""Id of the model that was taught on simulated scenes alone, to measure the simulator."""


@dataclass(frozen=True)
class TrainConfig:
    """What a run is made of; written to ``train.yaml`` beside the weights."""

    model_id: str = DEFAULT_MODEL_ID
    taught_on: Literal["real and simulated", "simulated"] = "real and simulated"
    """The second uses no real pixel: practice scenes with simulated hulls laid on their water."""
    pretrained: str | None = SIMULATED_ONLY
    """Id of the model whose weights it starts from; None for fresh weights."""
    own_share: float = 0.5
    """Of the shipped weights what this run taught; the rest is what it started from. Between the two ends of a
    fine-tuning lie weights that keep what either knows (Wortsman et al. 2022, robust fine-tuning)."""
    practice_scenes: int = 240
    architecture: str = "yolo11n-obb.yaml"
    seed: int = 1
    cycles: tuple[int, ...] = (500,)
    """Steps of each cycle of the learning rate (warm restarts, Loshchilov & Hutter 2017)."""
    batch: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup_steps: int = 100
    ema_decay: float = 0.999
    simulated_stamps: int = 2500
    real_variants: int = 8
    simulated_share_first: float = 0.85
    """Share of crops that carry simulated hulls, until `real_from` of a cycle."""
    simulated_share_last: float = 0.4
    real_from: float = 0.7
    checkpoint_every: int = 250

    @property
    def steps(self) -> int:
        """Of the whole run."""
        return sum(self.cycles)


SIMULATED: Final = TrainConfig(
    model_id=SIMULATED_ONLY,
    taught_on="simulated",
    pretrained=None,
    own_share=1.0,
    cycles=(3400, 2000),
    learning_rate=2e-3,
    warmup_steps=300,
)
"""The run on simulated scenes alone."""


def simulated_share(step: int, config: TrainConfig) -> float:
    """Give the share of crops with simulated hulls at a step, 0..1: in a cycle many first, real ones last."""
    done, whole = _in_cycle(step, config)
    return config.simulated_share_first if done < config.real_from * whole else config.simulated_share_last


def learning_rate(step: int, config: TrainConfig) -> float:
    """Give the learning rate of a step: in each cycle a linear warm-up, then a cosine down to a hundredth."""
    done, whole = _in_cycle(step, config)
    warm = min((done + 1) / config.warmup_steps, 1.0)
    cosine = 0.5 * (1 + math.cos(math.pi * done / whole))
    return config.learning_rate * warm * (0.01 + 0.99 * cosine)


def _in_cycle(step: int, config: TrainConfig) -> tuple[int, int]:
    """Return how many steps of its cycle are done at a step, and how many the cycle has."""
    for whole in config.cycles:
        if step < whole:
            return step, whole
        step -= whole
    return config.cycles[-1], config.cycles[-1]


@dataclass(frozen=True)
class LongRun:
    """What the run of days is made of (`training.long_run`): simulated scenes alone, each for a while and never again.

    The learning rate warms up and then stays, so that the run needs no end; the moving average of the weights, which is
    what is exported, stands in for the decay (Izmailov et al. 2018; Hu et al. 2024, warm-up, stable, decay).
    """

    starts_from: str = SIMULATED_ONLY
    """Id of the committed model whose weights it goes on from where it has no checkpoint."""
    crops: int = 3_000_000
    batch: int = 16
    learning_rate: float = 1e-3
    warmup_steps: int = 300
    weight_decay: float = 0.01
    ema_decay: float = 0.9995
    simulated_share: float = 0.85
    """Of crops that carry simulated hulls beside those of their scene."""
    scene_px: int = 400
    """Side of its scenes, 10 m pixels."""
    pool_scenes: int = 48
    crops_per_scene: int = 40
    """How many crops pass before a new scene takes the place of the oldest."""
    stamps_per_scene: int = 40
    architecture: str = "yolo11n-obb.yaml"
    seed: int = 1

    def rate(self, step: int) -> float:
        """Give the learning rate of a step."""
        return self.learning_rate * min((step + 1) / self.warmup_steps, 1.0)
