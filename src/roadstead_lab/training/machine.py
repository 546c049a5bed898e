"""What the machine that trains can do, and what it must not be kept from doing."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from roadstead_lab.training.network import Detector

_MEMINFO: Final = Path("/proc/meminfo")
_TRIED_PX: Final = 96


def half_is_faster(architecture: str, device: str = "cpu") -> bool:
    """Tell by trying whether a forward and backward pass is faster in bfloat16: with AMX it is, else seldom."""
    if device != "cpu":
        return True
    network = Detector(architecture).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub omits it
    single, half = (min(_seconds(network, half) for _ in range(2)) for half in (False, True))
    return half < single


def _seconds(network: Detector, half: bool) -> float:
    """Time one pass by the processor's own clock, which other programs do not slow."""
    images = torch.zeros(1, 3, _TRIED_PX, _TRIED_PX).contiguous(memory_format=torch.channels_last)
    started = time.process_time()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
        maps = network(images)
    sum(maps[name].float().sum() for name in ("boxes", "scores", "angle") if name in maps).backward()
    network.zero_grad()
    return time.process_time() - started


@dataclass(frozen=True)
class Limits:
    """When a run that soaks up idle cores makes way for other work."""

    least_free_gb: float = 2.0
    """Memory that must stay available; below it the run writes its checkpoint and ends."""
    most_load: float = 12.0
    """Runnable processes of others (load average of one minute, less the run's own); above it the run waits."""

    def memory_is_short(self) -> bool:
        """Whether less memory is available than must stay so."""
        free = available_gb()
        return free is not None and free < self.least_free_gb

    def machine_is_busy(self, own: int = 0) -> bool:
        """Whether more processes want to run than a guest may join, beside so many of its own."""
        return os.getloadavg()[0] > self.most_load + own


def available_gb() -> float | None:
    """Memory that programs can still take, in GiB; None where the system does not tell."""
    if not _MEMINFO.exists():
        return None
    lines = dict(line.split(":", 1) for line in _MEMINFO.read_text(encoding="ascii").splitlines())
    return int(lines["MemAvailable"].split()[0]) / 1024**2
