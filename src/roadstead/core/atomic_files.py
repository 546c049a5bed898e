"""Writing files whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from roadstead.core.errors import StoreError


def refuse_special(path: Path) -> None:
    """Raise `StoreError` where a path is a device, pipe or folder: renaming onto it would destroy it."""
    if path.exists() and not path.is_file():
        raise StoreError(f"{path}: is no regular file; name a file to write")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name to write to, in a folder that is made; at the end it takes the file's place.

    Where writing fails nothing is left of it, and an earlier file is as it was. The temporary name keeps the suffix.

    Raises:
        StoreError: the file cannot be written, or is no regular file.
    """
    refuse_special(path)
    temporary = path.with_name(f".{path.stem}.tmp{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes.

    Raises:
        StoreError: the file cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text; line ends stay as they are.

    Raises:
        StoreError: the file cannot be written.
    """
    write_bytes(path, text.encode())
