"""Writing files and folders whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from roadstead.errors import StoreError, UsageError

MARK: Final = ".roadstead-simulated"
"""Stands in every folder that a simulation made; only such a folder is ever replaced."""
_MADE: Final = frozenset(
    {
        MARK,
        "README.txt",
        "scenario.yaml",
        "catalog.json",
        "sentinel-2-c1-l2a",
        "sentinel-1-grd",
        "ais",
        "truth",
    }
    | {"detections"}
)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text under a temporary name, then rename it; line ends stay as they are.

    Raises:
        StoreError: the file cannot be written; an earlier one is as it was.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(text.encode())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from error


def refuse_foreign(out: Path) -> None:
    """Raise `UsageError` where ``out`` is no folder, or holds something that no simulation made."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is no folder: name one to write into")
    if out.exists() and any(out.iterdir()) and not (out / MARK).exists():
        raise UsageError(f"{out} holds files that no simulation made: name an empty or a new folder")
    if out.exists() and (added := sorted(p.name for p in out.iterdir() if not _made(p))):
        raise UsageError(f"{out} holds {', '.join(added)}, which no simulation made: move it elsewhere first")


def _made(path: Path) -> bool:
    """Tell whether a simulation writes a file or folder of this name at the top of its own."""
    return path.name in _MADE or (path.is_file() and path.suffix == ".geojson")


@contextmanager
def replaced(out: Path) -> Iterator[Path]:
    """Give a new folder to write into; at the end it takes the place of ``out``, an earlier simulation and all.

    Where writing fails, ``out`` is as it was and the new folder is gone.

    Raises:
        UsageError: ``out`` is no folder, or holds something that no simulation made.
        StoreError: the folder cannot be made or moved.
    """
    out = out.resolve()
    refuse_foreign(out)
    new, old = (out.with_name(f".{out.name}.{word}") for word in ("partial", "old"))
    try:
        for leftover in (new, old):
            shutil.rmtree(leftover, ignore_errors=True)
        new.mkdir(parents=True)
        (new / MARK).write_text(
            "Made by roadstead simulate, which may replace this folder.\n", encoding="utf-8"
        )
        yield new
        _take_place(new, old, out)
    except OSError as error:
        raise StoreError(f"{error.filename or out}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _take_place(new: Path, old: Path, out: Path) -> None:
    earlier = out.exists()
    if earlier:
        out.rename(old)
    try:
        new.rename(out)
    except OSError:
        if earlier:
            old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)
