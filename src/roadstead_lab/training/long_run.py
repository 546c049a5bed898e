"""The run of days: ``python -m roadstead_lab.training.long_run``, or ``nohup nice -n 19 make train-on &``.

It goes on from its last checkpoint, soaks up what the machine leaves idle, and ends by itself where memory runs
short; it may be ended at any time, and writes its checkpoint first. Its state lies in the user's cache folder, never in
the checkout. Where there is none it goes on from the weights of the committed model that `LongRun.starts_from` names.
Every `--milestone` crops it exports the moving average of its weights and, where the shared data is there, measures
them on the labelled places, none of which taught it: the learning curve in ``curve.jsonl``.

On a machine with a graphics processor ten minutes do what days of two cores do:
``python -m roadstead_lab.training.long_run --device cuda --workers 14 --batch 128 --minutes 9 --run OUT``.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import cv2
import platformdirs
import torch
from rich.console import Console
from torch.utils.data import DataLoader

from roadstead.core.atomic_files import write_text
from roadstead.detection import load_model
from roadstead_lab.training.command import exit_code_of
from roadstead_lab.training.config import LongRun
from roadstead_lab.training.crops import Crop
from roadstead_lab.training.curve import measured_point
from roadstead_lab.training.export import export_onnx
from roadstead_lab.training.machine import Limits, available_gb, half_is_faster
from roadstead_lab.training.pool import MovingPool
from roadstead_lab.training.state import CHECKPOINT, TrainState
from roadstead_lab.training.train import STATISTICS_CROPS, Batch, collate
from roadstead_lab.training.unfold import load_exported

STATUS: Final = "status.json"
CURVE: Final = "curve.jsonl"
_SCENES: Final = "scenes"
_TELL_EVERY: Final = 25
_WAIT_S: Final = 20.0


def run_folder() -> Path:
    """Name the folder of the run's state: in the user's cache."""
    return platformdirs.user_cache_path("roadstead") / "long-run"


@dataclass(frozen=True)
class Sitting:
    """How one sitting of the run goes on: where, for how long, and what it makes way for."""

    folder: Path
    models_dir: Path
    shared: Path | None
    """Folder of the real data to measure on; None measures nothing."""
    device: str = "cpu"
    workers: int = 1
    threads: int = 2
    minutes: float | None = None
    """None goes on until the run is done or ended."""
    checkpoint_minutes: float = 10.0
    milestone_crops: int = 25_000
    limits: Limits = field(default_factory=Limits)


@dataclass
class Stop:
    """Why a sitting ends, once it must; signals set it."""

    reason: str | None = None

    def look(self, sitting: Sitting, began: float) -> bool:
        """Look whether time or memory is up; returns whether the sitting must end."""
        if sitting.minutes is not None and time.monotonic() - began > 60 * sitting.minutes:
            self.reason = self.reason or f"{sitting.minutes:g} minutes are over"
        if sitting.limits.memory_is_short():
            self.reason = self.reason or f"only {available_gb() or 0:.1f} GiB of memory are left"
        return self.reason is not None

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Take SIGTERM, SIGINT and SIGHUP as a wish to end after the step in hand."""
        names = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        former = {name: signal.signal(name, self._wish) for name in names}
        try:
            yield
        finally:
            for name, handler in former.items():
                signal.signal(name, handler)

    def _wish(self, number: int, _: object) -> None:
        self.reason = self.reason or f"ended by {signal.Signals(number).name}"


def go_on(run: LongRun, sitting: Sitting, console: Console) -> str:
    """Train on from the last checkpoint; returns why the sitting ended, with its checkpoint written.

    Raises:
        BadInputError: The weights to start from are of another architecture.
        ModelError: The model to start from is missing or damaged.
    """
    sitting.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(sitting.threads)
    stop = Stop()
    with _alone(sitting.folder) as alone:
        if not alone:
            return f"another process trains in {sitting.folder} already"
        with stop.on_signals():
            _sit(_started(run, sitting, console), run, sitting, stop, console)
    return stop.reason or "the run is done"


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Hold the folder's lock; False where another process has it. It goes with the process, however that ends."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _started(run: LongRun, sitting: Sitting, console: Console) -> TrainState:
    """Open the checkpoint, or begin with the committed weights."""
    begun = (sitting.folder / CHECKPOINT).exists()
    state = TrainState.start(run, sitting.folder)
    if begun:
        console.print(f"goes on after {state.crops:,} crops")
    else:
        model = load_model(run.starts_from, sitting.models_dir)
        console.print(f"no checkpoint in {sitting.folder}: goes on from the weights of {run.starts_from}")
        pool = MovingPool(run, sitting.folder / _SCENES)
        images, _ = collate([pool[n] for n in range(STATISTICS_CROPS)])
        load_exported(state.network, model.weights, images)
        state.average.load_state_dict(state.network.state_dict())
        state.crops = int(model.card.get("crops_seen", 0))
        state.save_checkpoint(sitting.folder)
    return state.on(sitting.device)


def _sit(state: TrainState, run: LongRun, sitting: Sitting, stop: Stop, console: Console) -> None:
    half = half_is_faster(run.architecture, sitting.device)
    console.print(f"{sitting.device}, {'bfloat16' if half else 'float32'}, batches of {run.batch}")
    began = saved = time.monotonic()
    first, losses = state.crops, [float("nan")]
    for images, targets in _batches(run, sitting, state.crops):
        losses.append(
            state.advance(
                images.to(sitting.device),
                {name: value.to(sitting.device) for name, value in targets.items()},
                rate=run.rate(state.step),
                ema_decay=run.ema_decay,
                half=half,
            )
        )
        if state.step % _TELL_EVERY == 0:
            pace = (state.crops - first) / (time.monotonic() - began)
            _tell(state.crops, losses, pace, run, sitting, console)
        stop.look(sitting, began)
        if stop.reason or time.monotonic() - saved > 60 * sitting.checkpoint_minutes:
            state.save_checkpoint(sitting.folder)
            saved = time.monotonic()
        if stop.reason:
            return
        if _passed(state.crops, run.batch, sitting.milestone_crops):
            state.save_checkpoint(sitting.folder)
            _milestone(state, sitting, console)
        while sitting.limits.machine_is_busy(sitting.workers) and not stop.look(sitting, began):
            time.sleep(_WAIT_S)
    state.save_checkpoint(sitting.folder)


def _batches(run: LongRun, sitting: Sitting, first: int) -> Iterator[Batch]:
    pool = MovingPool(run, sitting.folder / _SCENES, first)
    loader: DataLoader[Crop] = DataLoader(
        pool,
        batch_size=run.batch,
        num_workers=sitting.workers,
        collate_fn=collate,
        worker_init_fn=_quiet_worker,
        prefetch_factor=4 if sitting.workers else None,
        drop_last=True,
    )
    return iter(loader)


def _quiet_worker(_: int) -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    # The trainer alone answers a wish to end; its workers go with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _passed(crops: int, batch: int, every: int) -> bool:
    """Whether the last batch brought the run to a multiple of so many crops, or past it."""
    return crops // every > (crops - batch) // every


def _tell(
    crops: int, losses: list[float], pace: float, run: LongRun, sitting: Sitting, console: Console
) -> None:
    """Write the status file and print its line."""
    recent = losses[-_TELL_EVERY:]
    point = last_point(sitting.folder)
    status = {
        "crops": crops,
        "loss": round(sum(recent) / len(recent), 3),
        "crops_per_s": round(pace, 2),
        "strict_f1": point.get("strict_f1"),
        "strict_f1_at_crops": point.get("crops"),
        "hours_left": round((run.crops - crops) / max(pace, 1e-9) / 3600, 1),
    }
    write_text(sitting.folder / STATUS, json.dumps(status) + "\n")
    console.print(status_line(status))


def status_line(status: dict[str, float | None]) -> str:
    """Say how far the run is in one line."""
    f1 = status["strict_f1"]
    measured = (
        "F1 not measured yet" if f1 is None else f"F1 {f1:.3f} at {status['strict_f1_at_crops']:,} crops"
    )
    return (
        f"{status['crops']:,} crops seen, loss {status['loss']}, {measured}, "
        f"{status['crops_per_s']} crops/s, {status['hours_left']} hours left"
    )


def last_point(folder: Path) -> dict[str, float]:
    """Read the last measured point of the learning curve; empty where nothing was measured."""
    path = folder / CURVE
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return dict(json.loads(lines[-1])) if lines else {}


def _milestone(state: TrainState, sitting: Sitting, console: Console) -> None:
    """Export the moving average, and add its point to the learning curve where there is something to measure on."""
    path = sitting.folder / "weights.onnx"
    digest = export_onnx(state.average.cpu(), path)
    state.average.to(sitting.device)
    shutil.copyfile(path, sitting.folder / f"weights-{state.crops:08d}.onnx")
    for old in sorted(sitting.folder.glob("weights-*.onnx"))[:-2]:
        old.unlink()
    if sitting.shared is None:
        return
    point = {"crops": state.crops, **measured_point(sitting.shared, path, digest, sitting.models_dir)}
    with (sitting.folder / CURVE).open("a", encoding="utf-8") as curve:
        curve.write(json.dumps(point) + "\n")
    console.print(f"measured at {state.crops:,} crops: strict F1 {point['strict_f1']}")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="roadstead_lab.training.long_run", description=__doc__)
    parser.add_argument("--run", type=Path, default=run_folder(), help="folder of its state")
    parser.add_argument("--models-dir", type=Path, default=Path("models"), help="where the first weights lie")
    parser.add_argument("--shared", type=Path, help="folder of the real data, to measure on")
    parser.add_argument("--device", default="cpu", help="cpu, or cuda where there is a graphics processor")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw scenes and crops")
    parser.add_argument("--threads", type=int, default=2, help="of the network on a CPU")
    parser.add_argument("--batch", type=int, default=LongRun.batch)
    parser.add_argument("--minutes", type=float, help="how long this sitting lasts; default: until ended")
    parser.add_argument(
        "--milestone", type=int, default=Sitting.milestone_crops, help="crops between exports"
    )
    parser.add_argument("--least-memory", type=float, default=Limits.least_free_gb, help="GiB left to others")
    parser.add_argument("--most-load", type=float, default=Limits.most_load, help="load above which it waits")
    parser.add_argument("--status", action="store_true", help="say how far the run is, and end")
    options = parser.parse_args(arguments)
    console = Console(stderr=True)
    if options.shared is not None and not options.shared.is_dir():
        console.print(f"{options.shared} is no folder: nothing will be measured on real data")
    if options.status:
        path = options.run / STATUS
        print(status_line(json.loads(path.read_text())) if path.exists() else f"no run in {options.run} yet")
        return 0
    sitting = Sitting(
        options.run,
        options.models_dir,
        options.shared if options.shared and options.shared.is_dir() else None,
        options.device,
        options.workers,
        options.threads,
        options.minutes,
        milestone_crops=options.milestone,
        limits=Limits(options.least_memory, options.most_load),
    )
    run = replace(LongRun(), batch=options.batch)
    return exit_code_of(lambda: console.print(go_on(run, sitting, console)))


if __name__ == "__main__":
    sys.exit(main())
