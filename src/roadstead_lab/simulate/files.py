"""The folder of a simulation: replaced whole or not at all, and only where a simulation made it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from roadstead.core.errors import StoreError, UsageError

MARK: Final = ".roadstead-simulated"
"""Stands in every folder that a simulation made and names what it made there; nothing else is ever replaced."""


def refuse_foreign(out: Path) -> None:
    """Raise `UsageError` where ``out`` is no folder, or holds something that no simulation made."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is no folder: name one to write into")
    if not out.exists() or not any(out.iterdir()):
        return
    if not (out / MARK).exists():
        raise UsageError(f"{out} holds files that no simulation made: name an empty or a new folder")
    made = {MARK, *(out / MARK).read_text(encoding="utf-8").splitlines()}
    if added := sorted(path.name for path in out.iterdir() if path.name not in made):
        raise UsageError(f"{out} holds {', '.join(added)}, which no simulation made: move it elsewhere first")


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
        yield new
        made = sorted(path.name for path in new.iterdir())
        (new / MARK).write_text("".join(f"{name}\n" for name in made), encoding="utf-8")
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
