"""Writing text files whole or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from roadstead.errors import StoreError


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
