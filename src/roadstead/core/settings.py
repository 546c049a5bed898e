"""Frozen settings from ``ROADSTEAD_*`` variables or ``roadstead.toml``; builds no clients."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from roadstead.core.errors import UsageError
from roadstead.core.providers import DEFAULT_ORDER, PROVIDERS, Provider

DEFAULT_MODEL_ID = "s2-obb-n-4"


def _shipped(folder: str) -> Path:
    """Return the folder of data that ships with Roadstead, in a wheel or in a checkout."""
    packaged = Path(__file__).parents[1] / "_data" / folder
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / folder


def _home() -> Path:
    return Path(platformdirs.user_data_dir("roadstead"))


class Settings(BaseSettings):
    """Where things lie and which model and catalogue are used when a command does not say."""

    model_config = SettingsConfigDict(
        env_prefix="ROADSTEAD_", frozen=True, toml_file="roadstead.toml", extra="forbid"
    )

    home: Path = Field(default_factory=_home)
    """Store, quarantine files and caches; ``ROADSTEAD_HOME``."""
    aoi_dir: Path = Field(default_factory=lambda: _shipped("aoi"))
    models_dir: Path = Field(default_factory=lambda: _shipped("models"))
    model_id: str = DEFAULT_MODEL_ID
    store: str = ""
    """SQLAlchemy URL; empty means SQLite under ``home``."""
    catalog: str = DEFAULT_ORDER
    """Catalogues in the order in which they are asked, with commas: names of `providers`, URLs of STAC APIs, paths or
    URLs of static catalogues; ``ROADSTEAD_CATALOG``."""
    collection: str = "sentinel-2-l2a"
    """Collection asked of a STAC API that is no provider by name (a static catalogue is read whole)."""
    providers: dict[str, Provider] = Field(default_factory=dict, validate_default=True)
    """Rows of your own by name, a name of ours takes the place of that row; see `roadstead.core.providers`."""
    allowed_hosts: str = ""
    """Hosts that are not on the Internet and that catalogues elsewhere may name all the same, ``HOST`` or ``HOST:PORT``
    with commas; ``ROADSTEAD_ALLOWED_HOSTS``."""
    cache_gb: float = Field(default=5.0, gt=0.0)
    """Disk that pixels read over the network may take; the least recently used go first."""
    min_visible_fraction: float = Field(default=0.2, ge=0.0, le=1.0)
    """A zone seen for less than this share is "not observed", never zero."""
    ais_window_h: float = Field(default=6.0, gt=0.0)
    """AIS this many hours either side of an overpass is used."""
    inference_precision: Literal["f32", "bf16"] = "f32"
    """Of the network. With f32 an image gives the same ships on every processor. bf16 is faster where the processor has
    it (AVX512_BF16, AMX) and moves a few ships across the threshold; ``ROADSTEAD_INFERENCE_PRECISION``."""
    alert_after_days: float = Field(default=10.0, gt=0.0)
    """A port with no processed overpass for so many days is announced as unobserved;
    ``ROADSTEAD_ALERT_AFTER_DAYS``."""
    notify_block: str = ""
    """Prefect block that new leads and unobserved ports are sent to, e.g. ``slack-webhook/ops``; empty: nobody is
    told. ``ROADSTEAD_NOTIFY_BLOCK``."""

    watchlists: str = ""
    """Watchlists that the desk holds leads against, ``FILE[@DATE]`` with commas; ``ROADSTEAD_WATCHLISTS``."""
    oidc_issuer: str = ""
    """Address of an OpenID Connect provider that people of the desk may log in through; empty: nobody is asked.
    ``ROADSTEAD_OIDC_ISSUER``; see `roadstead.apps.desk.login.openid`."""
    oidc_client_id: str = ""
    """What the provider calls the desk."""
    oidc_client_secret_file: Path | None = None
    """File that holds the desk's secret there; none: a public client."""
    oidc_name_claim: str = "preferred_username"
    """Claim of the ID token that holds a person's name in the store. People must not be able to choose it."""
    oidc_domain: str = ""
    """Where that claim holds addresses: only those of this domain, by what stands before the @."""
    oidc_label: str = ""
    """What the log-in page calls the provider; empty: its host."""

    @field_validator("providers")
    @classmethod
    def _with_ours(cls, own: dict[str, Provider]) -> dict[str, Provider]:
        return {**own, **{name: row for name, row in PROVIDERS.items() if name not in own}}

    @property
    def cache(self) -> Path:
        """Folder of pixels read over the network."""
        return self.home / "cache" / "pixels"

    @property
    def allowed_host_names(self) -> tuple[str, ...]:
        """`allowed_hosts`, one by one, in lower case."""
        return tuple(part.strip().lower() for part in self.allowed_hosts.split(",") if part.strip())

    @property
    def watchlist_files(self) -> tuple[str, ...]:
        """`watchlists`, one by one."""
        return tuple(part.strip() for part in self.watchlists.split(",") if part.strip())

    @property
    def store_url(self) -> str:
        """SQLAlchemy URL of the store."""
        return self.store or f"sqlite:///{self.home / 'roadstead.sqlite'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments first, then the environment, then ``roadstead.toml``."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Return the settings of this process.

    Raises:
        UsageError: a variable or ``roadstead.toml`` holds an unknown or impossible setting.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UsageError(f"settings (ROADSTEAD_* or roadstead.toml): {faults}") from error
