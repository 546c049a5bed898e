"""How the commands of training end."""

from __future__ import annotations

import sys
from collections.abc import Callable

from roadstead.core.errors import RoadsteadError


def exit_code_of(work: Callable[[], None]) -> int:
    """Do a command's work; an error becomes one message on standard error and its exit code."""
    try:
        work()
    except RoadsteadError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0
