"""A port that nobody knows is a usage error, with the one that was meant, in every command that takes a port."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from roadstead.apps.cli.main import main
from roadstead.core.settings import settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ROADSTEAD_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def said(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["roadstead", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0), capfd.readouterr().err


DAYS = ["--from", "2024-05-01", "--to", "2024-05-02"]


@pytest.mark.parametrize(
    "words",
    [
        ["status", "Nampo"],
        ["counts", "Nampo"],
        ["ports", "Nampo"],
        ["watch", "Nampo", *DAYS],
        ["export", "Nampo", *DAYS, "-o", "out"],
        ["ais", "coverage", "Nampo"],
        ["ais", "events", "Nampo", "-o", "e.geojson"],
        ["ais", "import", "-", "--port", "Nampo"],
        ["audit", "draw", "Nampo"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_an_unknown_port_is_a_usage_error_that_names_the_one_meant(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code, told = said(words, monkeypatch, capfd)
    assert code == 2
    assert "unknown port 'Nampo'; did you mean 'nampo'?" in told
    assert "ningbo-zhoushan" in told


def test_a_port_like_no_other_gets_no_guess(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code, told = said(["status", "atlantis"], monkeypatch, capfd)
    assert (code, "did you mean" in told) == (2, False)
    assert "unknown port 'atlantis'. Known: nampo, ningbo-zhoushan." in told
