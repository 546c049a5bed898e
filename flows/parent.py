"""A process that `roadstead serve` started ends with it, however that ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

SERVED_BY = "ROADSTEAD_SERVED_BY"
"""Environment variable: process id of the serve that started this process."""
PR_SET_PDEATHSIG = 1
"""https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html"""


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends (Linux; elsewhere nothing happens)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def follow_serve() -> None:
    """Tie this process to the serve that started it, if one did; end at once where that serve is gone."""
    served_by = os.environ.get(SERVED_BY)
    if served_by is None or served_by == str(os.getpid()):
        return
    die_with_parent()
    if str(os.getppid()) != served_by:
        os._exit(1)  # the serve ended between its start of this process and now; its successor does the work
