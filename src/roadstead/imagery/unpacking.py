"""The folder for what has to be unpacked or converted before it is read; it goes when the process ends."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def folder() -> Path:
    """Return the folder of this process."""
    made = Path(tempfile.mkdtemp(prefix="roadstead-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def fresh() -> Path:
    """Return a new folder in it."""
    return Path(tempfile.mkdtemp(dir=folder()))


def unpacked(archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo]) -> Path:
    """Unpack members of a zip into a new folder and return it; no name leads out of it.

    Raises:
        OSError: they do not fit, or cannot be written.
    """
    target = fresh()
    wanted = sum(member.file_size for member in members)
    free = shutil.disk_usage(target).free
    if wanted > free:
        raise OSError(
            f"{wanted / 1e9:.1f} GB are to be unpacked into {target}, where {free / 1e9:.1f} GB are free"
        )
    for member in members:
        archive.extract(member, target)
    return target
