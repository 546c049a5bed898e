"""`roadstead doctor` and `roadstead ports`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from roadstead.core.settings import Settings
from tests.integration.conftest import Run


def test_a_sound_install_passes_every_check(roadstead: Run) -> None:
    done = roadstead("doctor", "--json")
    checks = json.loads(done.stdout)
    assert done.returncode == 0, checks
    names = {check["name"] for check in checks}
    assert {"weights", "prefect server", "raster formats", "vector formats", "store", "disk"} <= names


def test_doctor_names_damaged_weights_and_how_to_mend_them(
    roadstead: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(Settings().models_dir, tmp_path / "models")
    (tmp_path / "models" / Settings().model_id / "weights.onnx").write_bytes(b"damaged")
    monkeypatch.setenv("ROADSTEAD_MODELS_DIR", str(tmp_path / "models"))
    done = roadstead("doctor")
    assert done.returncode == 3
    assert "weights" in done.stdout
    assert "git checkout -- models" in done.stdout


def test_doctor_names_a_store_that_cannot_be_opened(roadstead: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROADSTEAD_STORE", "sqlite:////dev/null/s.sqlite")
    done = roadstead("doctor", "--json")
    assert done.returncode == 3
    assert [check["name"] for check in json.loads(done.stdout) if not check["ok"]] == ["store"]


def test_ports_lists_both_ports_with_source_and_confidence(roadstead: Run) -> None:
    zones = json.loads(roadstead("ports", "--json").stdout)
    assert {zone["port"] for zone in zones} == {"nampo", "ningbo-zhoushan"}
    assert all(zone["source"] and zone["confidence"] for zone in zones)
    assert "nampo/coal-berths" in {zone["zone"] for zone in zones}
