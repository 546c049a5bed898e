"""The run of days goes on from where it was, whatever ended it, and never shows the same scene twice."""

from __future__ import annotations

import json
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from rich.console import Console
from torch.utils.data import DataLoader

from roadstead.core.errors import BadInputError
from roadstead_lab.training import long_run
from roadstead_lab.training.config import LongRun
from roadstead_lab.training.long_run import STATUS, Sitting, go_on, last_point, main, status_line
from roadstead_lab.training.machine import Limits, available_gb
from roadstead_lab.training.network import Detector
from roadstead_lab.training.pool import MovingPool
from roadstead_lab.training.state import CHECKPOINT
from roadstead_lab.training.unfold import load_exported

MODELS = Path(__file__).parents[4] / "models"
BEFORE = 86_400
"""Crops that the committed weights have seen."""
TINY = LongRun(
    crops=BEFORE + 4,
    batch=2,
    scene_px=160,
    pool_scenes=1,
    crops_per_scene=3,
    stamps_per_scene=1,
    warmup_steps=1,
)
QUIET = Console(quiet=True)


@pytest.fixture(autouse=True)
def few_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_run, "STATISTICS_CROPS", 2)


def sitting(folder: Path, **settings: object) -> Sitting:
    generous = {"limits": Limits(0.0, 1e9), "milestone_crops": 10**9, "workers": 0, "threads": 1, **settings}
    return Sitting(folder, MODELS, None, **generous)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One sitting of one step: what goes on from it is copied, since drawing and loading take seconds."""
    folder = tmp_path_factory.mktemp("begun")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(long_run, "STATISTICS_CROPS", 2)
        assert go_on(TINY, sitting(folder, minutes=0.0), QUIET) == "0 minutes are over"
    return folder


@pytest.fixture
def run_folder(begun: Path, tmp_path: Path) -> Path:
    """A run that has done one step."""
    return Path(shutil.copytree(begun, tmp_path / "run"))


def checkpoint(folder: Path) -> dict[str, object]:
    return dict(torch.load(folder / CHECKPOINT, weights_only=True))


# Weights back from an exported file -----------------------------------------------------------------------


def test_exported_weights_come_back_as_the_same_function_in_either_mode() -> None:
    path, images = MODELS / LongRun().starts_from / "weights.onnx", torch.rand(2, 3, 320, 320) * 0.4
    network = Detector(LongRun().architecture)
    load_exported(network, path, images)
    exported = onnxruntime.InferenceSession(str(path)).run(None, {"image": images.numpy()})[0]
    with torch.no_grad():
        again = network.eval()(images).numpy()
        network.train()
        maps = network(
            images
        )  # batch statistics are those it was given, so training begins where the file ended
        network.eval().model.model[-1].training = True
        kept = network.model(torch.nn.functional.interpolate(images, scale_factor=2.0, mode="bilinear"))
    assert np.abs(again - exported).max() < 0.01
    assert float((maps["scores"] - kept["scores"]).abs().max()) < 0.01


def test_weights_of_another_architecture_are_refused() -> None:
    with pytest.raises(BadInputError, match="not of this network's architecture"):
        load_exported(
            Detector("yolo11s-obb.yaml"),
            MODELS / LongRun().starts_from / "weights.onnx",
            torch.rand(1, 3, 64, 64),
        )


# Scenes that move on --------------------------------------------------------------------------------------


def test_a_scene_is_left_behind_for_good_and_the_next_takes_its_place(tmp_path: Path) -> None:
    pool = MovingPool(TINY, tmp_path)
    shown = []
    for number in range(7):
        pool[number]
        shown.append(next(iter(tmp_path.glob("*.npz"))).name[-8:-4])
        assert len(list(tmp_path.glob("*.npz"))) == 1
    assert shown == ["0000"] * 3 + ["0001"] * 3 + ["0002"]


def test_a_run_that_goes_on_sees_the_crops_of_an_unbroken_one(tmp_path: Path) -> None:
    unbroken = MovingPool(TINY)
    seen = [unbroken[number] for number in range(5)]
    later = MovingPool(TINY, tmp_path, first=4)[0]
    assert np.array_equal(later.image, seen[4].image)
    assert np.array_equal(later.corners, seen[4].corners)
    assert not np.array_equal(seen[3].image, seen[4].image)


def test_with_two_processes_a_run_that_goes_on_sees_the_crops_of_an_unbroken_one_too() -> None:
    unbroken = [crop for batch in two_processes(0, 4) for crop in batch]
    later = [crop for batch in two_processes(TINY.batch, 3) for crop in batch]
    assert all(np.array_equal(a, b) for a, b in zip(unbroken[TINY.batch :], later, strict=True))


def two_processes(first: int, batches: int) -> list[list[np.ndarray]]:
    run = replace(TINY, crops=first + TINY.batch * batches)
    loader = DataLoader(
        MovingPool(run, first=first), batch_size=run.batch, num_workers=2, collate_fn=lambda crops: crops
    )
    return [[crop.image for crop in crops] for crops in loader]


# Sittings -------------------------------------------------------------------------------------------------


def test_a_second_sitting_goes_on_where_the_first_ended(run_folder: Path) -> None:
    first = checkpoint(run_folder)
    assert (first["step"], first["crops"]) == (1, BEFORE + 2)
    assert go_on(TINY, sitting(run_folder), QUIET) == "the run is done"
    assert (checkpoint(run_folder)["step"], checkpoint(run_folder)["crops"]) == (2, BEFORE + 4)
    assert first["network"].keys() == Detector(TINY.architecture).state_dict().keys()  # type: ignore[attr-defined]


def test_where_memory_runs_short_the_checkpoint_is_written_and_the_sitting_ends(run_folder: Path) -> None:
    hungry = Limits(least_free_gb=1e6, most_load=1e9)
    assert "GiB of memory are left" in go_on(TINY, sitting(run_folder, limits=hungry), QUIET)
    assert checkpoint(run_folder)["step"] == 2


def test_the_memory_that_is_left_is_read_from_the_system() -> None:
    free = available_gb()
    assert free is None or 0.01 < free < 100_000


class EndedWhileItWaits(Limits):
    def machine_is_busy(self, own: int = 0) -> bool:
        os.kill(os.getpid(), signal.SIGTERM)
        return True


def test_a_wish_to_end_is_met_even_while_the_run_waits_for_a_busy_machine(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_run, "_WAIT_S", 0.0)
    busy = sitting(run_folder, limits=EndedWhileItWaits(0.0, 0.0))
    assert go_on(TINY, busy, QUIET) == "ended by SIGTERM"
    assert checkpoint(run_folder)["crops"] == BEFORE + 4
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_two_trainers_never_share_a_run(tmp_path: Path) -> None:
    with long_run._alone(tmp_path) as alone:
        assert alone
        assert "another process trains" in go_on(TINY, sitting(tmp_path), QUIET)
    assert not (tmp_path / CHECKPOINT).exists()


def test_a_milestone_exports_weights_that_the_detector_can_read(run_folder: Path) -> None:
    go_on(TINY, sitting(run_folder, milestone_crops=4), QUIET)
    (kept,) = run_folder.glob("weights-*.onnx")
    assert kept.name == "weights-00086404.onnx"
    boxes = onnxruntime.InferenceSession(str(kept)).run(
        None, {"image": np.zeros((1, 3, 320, 320), np.float32)}
    )[0]
    assert boxes.shape == (1, 8, 8400)
    assert last_point(run_folder) == {}  # without the shared data nothing is measured


def test_the_status_line_tells_crops_loss_f1_and_hours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = {
        "crops": 1_000_000,
        "loss": 2.5,
        "crops_per_s": 20.0,
        "strict_f1": 0.71,
        "strict_f1_at_crops": 975_000,
        "hours_left": 27.8,
    }
    line = "1,000,000 crops seen, loss 2.5, F1 0.710 at 975,000 crops, 20.0 crops/s, 27.8 hours left"
    assert status_line(status) == line
    assert main(["--run", str(tmp_path), "--status"]) == 0
    assert "no run in" in capsys.readouterr().out
    (tmp_path / STATUS).write_text(json.dumps(status))
    assert main(["--run", str(tmp_path), "--status"]) == 0
    assert capsys.readouterr().out.strip() == line
