"""Where the sun stands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Light:
    """Where the sun stands."""

    sun_azimuth_deg: float = 150.0
    sun_elevation_deg: float = 50.0
