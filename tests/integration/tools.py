"""Programs that some tests open files with (``apt.txt``)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, sync_playwright

DEBIAN_PYTHON = "/usr/bin/python3"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Chromium asks nobody for anything by itself."""


def _absent(package: str) -> NoReturn:
    """Skip for a user who may not install packages; fail where ``make apt`` has done so or could have."""
    hint = f"{package} is not installed: run `make apt` as root, or install {package}"
    if os.geteuid() == 0:
        pytest.fail(hint)
    pytest.skip(hint)


def chromium() -> str:
    """Return the path of the system's Chromium."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or _absent("chromium")


@contextmanager
def browsing() -> Iterator[Browser]:
    """Run the system's Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


def qgis_python() -> str:
    """Return the Python that has QGIS's bindings."""
    found = shutil.which(DEBIAN_PYTHON)
    probe = [DEBIAN_PYTHON, "-c", "import qgis.core"]
    if found is None or subprocess.run(probe, capture_output=True, check=False).returncode:
        _absent("python3-qgis")
    return found
