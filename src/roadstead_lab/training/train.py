"""Train the detector: ``python -m roadstead_lab.training.train --shared ../shared/data``.

The weights of the committed model that was taught on simulated scenes alone (``--simulated-only`` makes it) go on with
real ones, once for each fold of places, which is left out to be measured on, and once with every place, which is
shipped. Ends by writing the
model's folder (:mod:`roadstead_lab.training.package`); ``roadstead evaluate`` then measures it.

Seeded and resumable: crop i of step s depends on the seed alone, and a checkpoint holds weights, their moving
average, optimiser and step. Runs on a CPU in bfloat16 where that is faster.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
import yaml
from rich.console import Console
from rich.progress import track
from torch.utils.data import DataLoader, Dataset

from roadstead.core.atomic_files import replacing, write_text
from roadstead.core.errors import BadInputError
from roadstead.detection import load_model
from roadstead_lab.training.boxes import long_side_first
from roadstead_lab.training.command import exit_code_of
from roadstead_lab.training.config import SIMULATED, TrainConfig, learning_rate, simulated_share
from roadstead_lab.training.crops import CROP_PX, Composer, Crop
from roadstead_lab.training.eurosat import eurosat_scenes
from roadstead_lab.training.machine import half_is_faster
from roadstead_lab.training.network import Detector
from roadstead_lab.training.package import package
from roadstead_lab.training.places import FOLDS, PLACES, left_out, shared_folder
from roadstead_lab.training.practice import TAUGHT, practice_scenes
from roadstead_lab.training.scenes import TrainingScene, training_scenes
from roadstead_lab.training.stamps import Stamp, real_stamps, simulated_stamp
from roadstead_lab.training.state import CHECKPOINT, TrainState, fold_name
from roadstead_lab.training.unfold import load_exported

STATISTICS_CROPS: Final = 128
"""Crops whose statistics batch norms take where a run starts from exported weights."""
Batch = tuple[torch.Tensor, dict[str, torch.Tensor]]


class CropDataset(Dataset[Crop]):
    """Crops number 0, 1, 2... of a run; the same number always gives the same crop."""

    def __init__(self, composer: Composer, config: TrainConfig) -> None:
        """Keep what makes the crops."""
        self.composer, self.config = composer, config

    def __len__(self) -> int:
        """Count the crops of the whole run."""
        return self.config.steps * self.config.batch

    def __getitem__(self, index: int) -> Crop:
        """Make crop number `index`."""
        share = simulated_share(index // self.config.batch, self.config)
        return self.composer.compose(np.random.default_rng([self.config.seed, index]), share)


def collate(crops: list[Crop]) -> Batch:
    """Stack crops: images [N, 3, H, W] 0..1, and boxes as Ultralytics wants them (normalised, long side first)."""
    images = torch.from_numpy(np.stack([crop.image for crop in crops])).permute(0, 3, 1, 2).float() / 255
    boxes = [long_side_first(crop.corners) for crop in crops]
    index = np.repeat(np.arange(len(crops)), [len(box) for box in boxes])
    scaled = np.concatenate(boxes) / [CROP_PX, CROP_PX, CROP_PX, CROP_PX, 1]
    return images, {
        "batch_idx": torch.from_numpy(index).float(),
        "cls": torch.from_numpy(np.concatenate([crop.classes for crop in crops])).float()[:, None],
        "bboxes": torch.from_numpy(scaled).float(),
    }


@dataclass(frozen=True)
class Simulated:
    """What is simulated and serves every fold."""

    scenes: tuple[TrainingScene, ...]
    stamps: list[Stamp]

    @classmethod
    def drawn(cls, cache: Path, config: TrainConfig, console: Console) -> Simulated:
        """Draw the practice scenes and the bank of stamps."""
        scenes = practice_scenes(cache, TAUGHT, config.practice_scenes)
        rng = np.random.default_rng([config.seed, 0xB0A7])
        numbers = track(range(config.simulated_stamps), "simulated hulls", console=console)
        return cls(scenes, [simulated_stamp(rng) for _ in numbers])

    def composer(self, shared: Path, cache: Path, config: TrainConfig, left_out: int | None) -> Composer:
        """Add the real places of every fold but one; None adds all."""
        if config.taught_on == "simulated":
            return Composer(self.scenes, self.stamps, [])
        real = training_scenes(shared, cache, left_out)
        rng = np.random.default_rng([config.seed, 0x5EA1])
        stamps = [s for scene in real for s in real_stamps(scene, rng, variants=config.real_variants)]
        return Composer((*real, *eurosat_scenes(shared), *self.scenes), self.stamps, stamps)


def train_all(
    shared: Path, cache: Path, run: Path, config: TrainConfig, models_dir: Path, *, threads: int = 2
) -> None:
    """Train every fold and then on all places, or go on where a run stopped; of simulated scenes there are no folds.

    Raises:
        BadInputError: The shared data is absent, or the weights to start from are of another architecture.
        ModelError: The model to start from is missing or damaged.
    """
    console = Console(stderr=True)
    shared_folder(shared)
    _stamp(run, config)
    simulated = Simulated.drawn(cache, config, console)
    first = (
        None
        if config.pretrained is None
        else _first_weights(config.pretrained, simulated, run, config, models_dir)
    )
    if config.taught_on != "simulated":
        for fold in FOLDS:
            console.print(f"fold {fold}, without {', '.join(left_out(fold))}")
            train(
                simulated.composer(shared, cache, config, fold), run / fold_name(fold), config, first, threads
            )
        console.print("all places")
    train(simulated.composer(shared, cache, config, None), run, config, first, threads)


def _first_weights(
    model_id: str, simulated: Simulated, run: Path, config: TrainConfig, models_dir: Path
) -> Path:
    """Return the file of weights that every fold starts from: those of a committed model, unfolded once for the run."""
    path = run / "first.pt"
    if not path.exists():
        crops = CropDataset(Composer(simulated.scenes, simulated.stamps, []), config)
        images, _ = collate([crops[number] for number in range(STATISTICS_CROPS)])
        network = Detector(config.architecture)
        load_exported(network, load_model(model_id, models_dir).weights, images)
        with replacing(path) as temporary:
            torch.save(network.state_dict(), temporary)
    return path


def _stamp(run: Path, config: TrainConfig) -> None:
    """Write what the run is made of, unless it holds the weights of another.

    Raises:
        BadInputError: it was begun with other settings or folds.
    """
    made_of = yaml.safe_dump({"config": asdict(config), "folds": dict(PLACES)})
    path, begun = run / "train.yaml", run.exists() and any(run.rglob(CHECKPOINT))
    if begun and yaml.safe_load(path.read_text(encoding="utf-8")) != yaml.safe_load(made_of):
        raise BadInputError(
            f"{path}: the run was begun with other settings; delete {run} or name another with --run"
        )
    write_text(path, made_of)


def train(composer: Composer, run: Path, config: TrainConfig, weights: Path | None, threads: int) -> Path:
    """Train, or go on from the checkpoint in `run`; returns the path of the last checkpoint.

    Args:
        composer: Makes the crops.
        run: Folder of checkpoints.
        config: What the run is made of.
        weights: To start from; None for fresh ones.
        threads: Of the network; one more makes crops.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(config.seed)
    console = Console(stderr=True)
    state = TrainState.start(config, run, weights)
    half = half_is_faster(config.architecture)
    batches = _batches(CropDataset(composer, config), config, state.step)
    started, first = time.monotonic(), state.step
    losses: list[float] = []
    for images, targets in batches:
        losses.append(
            state.advance(
                images,
                targets,
                rate=learning_rate(state.step, config),
                ema_decay=config.ema_decay,
                half=half,
            )
        )
        if state.step % 50 == 0:
            pace = (time.monotonic() - started) / (state.step - first)
            left = pace * (config.steps - state.step) / 60
            console.print(
                f"step {state.step}/{config.steps} loss {np.mean(losses):.3f} "
                f"{config.batch / pace:.1f} crops/s, {left:.0f} min left"
            )
            losses.clear()
        if state.step % config.checkpoint_every == 0 or state.step == config.steps:
            state.save(run)
    return run / CHECKPOINT


def _batches(dataset: CropDataset, config: TrainConfig, first_step: int) -> Iterator[Batch]:
    loader: DataLoader[Crop] = DataLoader(
        dataset,
        batch_size=config.batch,
        sampler=range(first_step * config.batch, len(dataset)),
        num_workers=1,
        collate_fn=collate,
        worker_init_fn=_quiet_worker,
        prefetch_factor=8,
    )
    return iter(loader)


def _quiet_worker(_: int) -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code (3 where the shared data is absent)."""
    parser = argparse.ArgumentParser(prog="roadstead_lab.training.train", description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="folder of the shared real data")
    parser.add_argument("--run", type=Path, default=Path("build/training"), help="folder of checkpoints")
    parser.add_argument("--cache", type=Path, default=Path("build/pixels"), help="folder of decoded scenes")
    parser.add_argument(
        "--models-dir",
        type=Path,
        default=Path("models"),
        help="where the model is written, and the one that it starts from lies",
    )
    parser.add_argument(
        "--steps", type=int, help=f"in one cycle; {TrainConfig().steps} a fold, simulated {SIMULATED.steps}"
    )
    parser.add_argument("--seed", type=int, default=TrainConfig.seed)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--simulated-only", action="store_true", help="teach on simulated scenes alone")
    options = parser.parse_args(arguments)
    config = SIMULATED if options.simulated_only else TrainConfig()
    config = replace(config, seed=options.seed, cycles=(options.steps,) if options.steps else config.cycles)

    def work() -> None:
        train_all(
            options.shared,
            options.cache,
            options.run,
            config,
            options.models_dir,
            threads=options.threads,
        )
        print(package(options.shared, options.run, options.cache, options.models_dir))

    return exit_code_of(work)


if __name__ == "__main__":
    sys.exit(main())
