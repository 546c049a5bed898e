"""Crops for a run of days: practice scenes and hulls are drawn beside the trainer, used for a while and never again.

Crop number i is cut from a window of `LongRun.pool_scenes` scenes that moves on by one every
`LongRun.crops_per_scene` crops, and carries hulls that were drawn with those scenes. So the crops of a run depend on
its seed, on their numbers and on how many processes make them, and on nothing that was drawn before; a run that goes on
sees what an unbroken one would.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from torch.utils.data import Dataset, get_worker_info

from roadstead_lab.simulate.practice.scene import practice_scene
from roadstead_lab.training.config import LongRun
from roadstead_lab.training.crops import Composer, Crop
from roadstead_lab.training.practice import as_training, cached_path, draw_into, read_drawn
from roadstead_lab.training.scenes import PRACTICE, TrainingScene
from roadstead_lab.training.stamps import Stamp, simulated_stamp

LONG_RUN_SEED: Final = 0x10_06
"""Seed of the scenes of the long run: other scenes than those that teach or check elsewhere."""


@dataclass(frozen=True)
class Drawn:
    """What is drawn at one time: a scene, and hulls to lay on water."""

    scene: TrainingScene
    stamps: tuple[Stamp, ...]


class MovingPool(Dataset[Crop]):
    """Crops 0, 1, 2... without end, cut from a pool of scenes that moves on.

    Each process that loads has scenes of its own: of W processes, the one that makes batch b draws the scenes whose
    number leaves the rest b modulo W, wherever a run begins.
    """

    def __init__(self, run: LongRun, cache: Path | None = None, first: int = 0) -> None:
        """Keep what is drawn from.

        Args:
            run: What the run is made of.
            cache: Folder that keeps the scenes of the pool, so that a run goes on at once; None keeps none.
            first: Number of the crop that `self[0]` is.
        """
        self.run, self.cache, self.first = run, cache, first
        self._pool: dict[int, Drawn] = {}
        self._composer = Composer((), (), ())

    def __len__(self) -> int:
        """Count the crops that are left of the run."""
        return max(self.run.crops - self.first, 0)

    def __getitem__(self, index: int) -> Crop:
        """Make crop number `first + index`; the pool first moves on to it."""
        number = self.first + index
        self._move_to(self._window(number))
        rng = np.random.default_rng([self.run.seed, LONG_RUN_SEED, number])
        return self._composer.compose(rng, self.run.simulated_share)

    def _window(self, number: int) -> list[int]:
        """List the numbers of the scenes that a crop is cut from."""
        worker = get_worker_info()
        processes = 1 if worker is None else worker.num_workers
        own = number // self.run.batch % processes
        start = number // self.run.crops_per_scene // processes
        return [own + processes * n for n in range(start, start + self.run.pool_scenes)]

    def _move_to(self, window: list[int]) -> None:
        """Draw what the pool lacks, and let go of what lies behind it."""
        if list(self._pool) == window:
            return
        for behind in set(self._pool) - set(window):
            del self._pool[behind]
            if self.cache is not None:
                cached_path(self.cache, self._seed, behind).unlink(missing_ok=True)
        for ahead in window:
            if ahead not in self._pool:
                self._pool[ahead] = self._draw(ahead)
        drawn = self._pool.values()
        self._composer = Composer([d.scene for d in drawn], [s for d in drawn for s in d.stamps], [])

    @property
    def _seed(self) -> int:
        return LONG_RUN_SEED + self.run.seed

    def _draw(self, number: int) -> Drawn:
        rng = np.random.default_rng([self.run.seed, LONG_RUN_SEED, 0xB0A7, number])
        stamps = tuple(simulated_stamp(rng) for _ in range(self.run.stamps_per_scene))
        if self.cache is not None:
            return Drawn(read_drawn(draw_into(self.cache, self._seed, number, self.run.scene_px)), stamps)
        name = f"{PRACTICE}-{self._seed}-{number}"
        return Drawn(as_training(name, practice_scene(self._seed, number, self.run.scene_px)), stamps)
