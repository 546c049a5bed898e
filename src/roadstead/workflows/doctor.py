"""Check the install and say how to mend what is wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pyogrio

from roadstead.core.errors import RoadsteadError
from roadstead.core.ports import known_ports, load_port
from roadstead.core.settings import Settings
from roadstead.detection import load_model, runtime_name
from roadstead.imagery import raster_drivers
from roadstead.store import Store

RASTER_DRIVERS = ("GTiff", "COG", "JP2OpenJPEG")
VECTOR_DRIVERS = ("GPKG", "GeoJSON")
MIN_FREE_GB = 2.0


@dataclass(frozen=True)
class Check:
    """One thing that was checked."""

    name: str
    ok: bool
    detail: str
    mend: str = ""
    """What to do about it; empty when all is well."""


def run_checks(settings: Settings) -> list[Check]:
    """Run every check; none of them changes the store."""
    checks: tuple[tuple[str, Callable[[Settings], str], str], ...] = (
        ("python", _python, "make a virtual environment with Python 3.11: rm -rf .venv; make setup"),
        ("weights", _weights, "restore the model folder: git checkout -- models, or install Roadstead again"),
        ("inference", _inference, "install the packages again: make clean setup"),
        ("ports", _ports, "mend the port file it names, or restore it: git checkout -- aoi"),
        (
            "raster formats",
            _raster,
            "install rasterio from its wheel: pip install --force-reinstall rasterio",
        ),
        ("vector formats", _vector, "install pyogrio from its wheel: pip install --force-reinstall pyogrio"),
        (
            "prefect server",
            _prefect,
            "it needs fastapi >=0.139,<0.151 and SQLAlchemy <2.1: make clean setup",
        ),
        ("store", _store, "set ROADSTEAD_STORE or ROADSTEAD_HOME to a place you may write to"),
        ("disk", _disk, f"free at least {MIN_FREE_GB:g} GB under ROADSTEAD_HOME"),
    )
    return [_one(name, check, mend, settings) for name, check, mend in checks]


def _one(name: str, check: Callable[[Settings], str], mend: str, settings: Settings) -> Check:
    try:
        return Check(name, True, check(settings))
    except (RoadsteadError, RuntimeError, OSError, ImportError) as error:
        return Check(name, False, str(error), mend)


def _python(_: Settings) -> str:
    if sys.version_info[:2] != (3, 11):
        raise RuntimeError(f"Python {sys.version.split()[0]}; Roadstead is tested on 3.11")
    return sys.version.split()[0]


def _weights(settings: Settings) -> str:
    model = load_model(settings.model_id, settings.models_dir)
    return f"{model.model_id}: sha256 {model.sha256[:12]}... as in model.json"


def _inference(settings: Settings) -> str:
    return f"{runtime_name()} loads; precision {settings.inference_precision}"


def _ports(settings: Settings) -> str:
    names = known_ports(settings.aoi_dir)
    if not names:
        raise RuntimeError(f"no port files in {settings.aoi_dir}")
    zones = sum(len(load_port(name, settings.aoi_dir).zones) for name in names)
    return f"{', '.join(names)}: {zones} zones"


def _missing(wanted: tuple[str, ...], have: set[str]) -> str:
    lacking = [name for name in wanted if name not in have]
    if lacking:
        raise RuntimeError(f"GDAL lacks {', '.join(lacking)}")
    return ", ".join(wanted)


def _raster(_: Settings) -> str:
    return _missing(RASTER_DRIVERS, set(raster_drivers()))


def _vector(_: Settings) -> str:
    return _missing(VECTOR_DRIVERS, set(pyogrio.list_drivers(write=True)))


def _prefect(_: Settings) -> str:
    """Import Prefect's server and have it schedule runs, in a process and a home of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
    done = subprocess.run(
        [sys.executable, "-m", "flows.check"], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"ended with code {done.returncode}"])[-1])
    return done.stdout.strip()


def _store(settings: Settings) -> str:
    if not settings.store:
        settings.home.mkdir(parents=True, exist_ok=True)
    with Store.open(settings.store_url):
        return settings.store_url


def _disk(settings: Settings) -> str:
    folder = settings.home if settings.home.exists() else settings.home.anchor
    free = shutil.disk_usage(folder).free / 1e9
    if free < MIN_FREE_GB:
        raise RuntimeError(f"{free:.1f} GB free under {folder}")
    return f"{free:.0f} GB free"
