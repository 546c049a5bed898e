"""Training runs, resumes where it stopped, and what it exports is what it trained."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
import yaml

from roadstead_lab.training import torchvision_schemas, train
from roadstead_lab.training.config import SIMULATED_ONLY, TrainConfig, learning_rate, simulated_share
from roadstead_lab.training.crops import Crop
from roadstead_lab.training.export import TILE_PX, export_onnx, sha256
from roadstead_lab.training.network import Detector, detection_loss
from roadstead_lab.training.places import PLACES
from roadstead_lab.training.scenes import TrainingScene
from roadstead_lab.training.stamps import simulated_stamp
from roadstead_lab.training.state import TrainState
from roadstead_lab.training.train import collate, main

MODELS = Path(__file__).parents[4] / "models"
CONFIG = TrainConfig(cycles=(20,), batch=2, warmup_steps=5)


@pytest.fixture(scope="module")
def batch() -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    rng = np.random.default_rng(0)
    corners = np.array([[[40, 40], [60, 40], [60, 45], [40, 45]]], np.float32)
    crops = [
        Crop(rng.integers(0, 255, (160, 160, 3)).astype(np.uint8), corners, np.array([k])) for k in (0, 1)
    ]
    return collate(crops)


def test_torchvision_imports_beside_a_cpu_only_torch() -> None:
    import torchvision

    assert torchvision.__version__
    assert torchvision_schemas.declare_missing_schemas() is None


def advance(state: TrainState, batch: tuple[torch.Tensor, dict[str, torch.Tensor]]) -> float:
    return state.advance(
        *batch, rate=learning_rate(state.step, CONFIG), ema_decay=CONFIG.ema_decay, half=False
    )


def test_steps_on_one_batch_lower_its_loss(
    tmp_path: Path, batch: tuple[torch.Tensor, dict[str, torch.Tensor]]
) -> None:
    torch.manual_seed(0)
    state = TrainState.start(CONFIG, tmp_path)
    losses = [advance(state, batch) for _ in range(8)]
    assert losses[-1] < losses[0]


def test_a_resumed_run_goes_on_as_the_unbroken_one(
    tmp_path: Path, batch: tuple[torch.Tensor, dict[str, torch.Tensor]]
) -> None:
    torch.manual_seed(0)
    state = TrainState.start(CONFIG, tmp_path)
    advance(state, batch)
    state.save(tmp_path)
    resumed = TrainState.start(CONFIG, tmp_path)
    assert resumed.step == 1
    assert advance(resumed, batch) == pytest.approx(advance(state, batch), rel=0.02)


def test_a_batch_without_ships_still_teaches(batch: tuple[torch.Tensor, dict[str, torch.Tensor]]) -> None:
    images, targets = batch
    empty = {key: value[:0] for key, value in targets.items()}
    network = Detector(CONFIG.architecture).train()
    assert torch.isfinite(detection_loss(network, images, empty, half=False))


def test_the_exported_graph_gives_what_the_network_gives(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Detector(CONFIG.architecture).eval()
    path = tmp_path / "weights.onnx"
    assert export_onnx(network, path) == sha256(path)
    assert path.stat().st_size < 15_000_000
    image = np.random.default_rng(0).random((2, 3, TILE_PX, TILE_PX), dtype=np.float32)
    (boxes,) = onnxruntime.InferenceSession(path).run(None, {"image": image})
    with torch.no_grad():
        expected = network(torch.from_numpy(image)).numpy()
    assert boxes.shape[:2] == (2, 8)
    np.testing.assert_allclose(boxes, expected, atol=2e-3)
    assert 0 <= boxes[:, 4:7].min() and boxes[:, 4:7].max() <= 1
    assert boxes[:, 0].max() <= TILE_PX * 1.1


def test_the_learning_rate_warms_up_and_ends_low() -> None:
    config = TrainConfig(cycles=(1000,), warmup_steps=100)
    rates = [learning_rate(step, config) for step in range(1000)]
    assert rates[0] < rates[50] < rates[99] == pytest.approx(max(rates), rel=0.05)
    assert rates[-1] < 0.02 * max(rates)


def test_each_cycle_begins_high_again_and_with_simulated_hulls() -> None:
    config = TrainConfig(cycles=(1000, 400), warmup_steps=100)
    assert config.steps == 1400
    rates = [learning_rate(step, config) for step in range(1400)]
    assert rates[:1000] == [learning_rate(step, replace(config, cycles=(1000,))) for step in range(1000)]
    assert rates[1100] > 20 * rates[999] > 20 * rates[1399] * 0.9
    shares = [simulated_share(step, config) for step in range(1400)]
    assert shares[999] == shares[1399] < shares[0] == shares[1000]


def test_a_run_starts_from_given_weights_and_a_begun_one_from_its_own(tmp_path: Path) -> None:
    torch.manual_seed(1)
    state = TrainState.start(CONFIG, tmp_path / "first")
    state.save(tmp_path / "first")
    weights = tmp_path / "first" / "average-000000.pt"
    other = TrainState.start(CONFIG, tmp_path / "second", weights)
    for name, value in state.network.state_dict().items():
        assert torch.equal(value, other.network.state_dict()[name])
        assert torch.equal(value, other.average.state_dict()[name])
    assert other.step == 0


def test_a_begun_run_is_not_gone_on_with_under_other_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("labels", "stac"):
        (tmp_path / "shared" / name).mkdir(parents=True)
    run = tmp_path / "run"
    (run / "fold-0").mkdir(parents=True)
    (run / "fold-0" / "checkpoint.pt").write_bytes(b"")
    stamp = yaml.safe_dump({"config": {**asdict(TrainConfig()), "steps": 1}, "folds": dict(PLACES)})
    (run / "train.yaml").write_text(stamp)
    assert main(["--shared", str(tmp_path / "shared"), "--run", str(run), "--cache", str(tmp_path)]) == 3
    assert "begun with other settings" in capsys.readouterr().err
    assert (run / "train.yaml").read_text() == stamp


def test_training_without_the_shared_data_says_so_and_exits_with_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(
        ["--shared", str(tmp_path / "none"), "--run", str(tmp_path / "run"), "--cache", str(tmp_path)]
    )
    assert code == 3
    assert "shared data" in capsys.readouterr().err


def test_every_fold_begins_with_the_committed_weights_unfolded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "STATISTICS_CROPS", 2)
    water = TrainingScene(
        "practice-0",
        np.full((200, 200, 3), 60, np.uint8),
        np.ones((200, 200), bool),
        np.zeros((0, 4, 2), np.float32),
        np.zeros(0, np.int64),
    )
    simulated = train.Simulated((water,), [simulated_stamp(np.random.default_rng(1))])
    path = train._first_weights(SIMULATED_ONLY, simulated, tmp_path, CONFIG, MODELS)
    begun = TrainState.start(CONFIG, tmp_path / "fold-0", path).average.eval()
    image = np.random.default_rng(0).random((1, 3, TILE_PX, TILE_PX), dtype=np.float32) * 0.4
    committed = onnxruntime.InferenceSession(MODELS / SIMULATED_ONLY / "weights.onnx")
    with torch.no_grad():
        np.testing.assert_allclose(
            begun(torch.from_numpy(image)), committed.run(None, {"image": image})[0], atol=5e-3
        )
    written = path.stat().st_mtime_ns
    assert (
        train._first_weights(SIMULATED_ONLY, simulated, tmp_path, CONFIG, MODELS).stat().st_mtime_ns
        == written
    )
