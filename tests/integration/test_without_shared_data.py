"""What needs the real data says so where it is absent."""

from pathlib import Path

import pytest

from roadstead_lab.training.train import main as train
from tests.integration.conftest import Run


def test_evaluate_says_that_the_real_data_is_absent(roadstead: Run, tmp_path: Path) -> None:
    done = roadstead("evaluate", "--shared", tmp_path / "nowhere")
    assert (done.returncode, "nowhere" in done.stderr) == (3, True)


def test_train_says_that_the_real_data_is_absent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(["--shared", str(tmp_path / "nowhere")]) == 3
    assert "nowhere" in capsys.readouterr().err
