from pathlib import Path

import pydantic
import pytest

from roadstead.core.errors import UsageError
from roadstead.core.settings import Settings, settings


@pytest.fixture(autouse=True)
def no_settings_of_mine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "STORE", "CATALOG"):
        monkeypatch.delenv(f"ROADSTEAD_{name}", raising=False)


def test_the_shipped_ports_and_models_are_found() -> None:
    assert (Settings().aoi_dir / "nampo.geojson").is_file()
    assert Settings().models_dir.is_dir()


def test_the_environment_beats_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Path("roadstead.toml").write_text('home = "/from/file"\ncatalog = "file.json"\n')
    monkeypatch.setenv("ROADSTEAD_HOME", str(tmp_path))
    assert Settings().home == tmp_path
    assert Settings().catalog == "file.json"


def test_the_store_lies_under_home_unless_said(tmp_path: Path) -> None:
    assert Settings(home=tmp_path).store_url == f"sqlite:///{tmp_path}/roadstead.sqlite"
    assert Settings(home=tmp_path, store="sqlite:///x").store_url == "sqlite:///x"


def test_a_misspelt_setting_is_refused() -> None:
    Path("roadstead.toml").write_text("catalogue = 'x'\n")
    with pytest.raises(pydantic.ValidationError, match="catalogue"):
        Settings()


def test_a_misspelt_setting_is_one_message_for_the_user() -> None:
    Path("roadstead.toml").write_text("catalogue = 'x'\n")
    settings.cache_clear()
    with pytest.raises(UsageError, match=r"roadstead\.toml.*catalogue"):
        settings()


def test_settings_are_frozen() -> None:
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        Settings().catalog = "other"  # type: ignore[misc]
