"""Where a ship's antenna is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from roadstead.core.geo import Array
from roadstead_lab.simulate.traffic.fleet import Vessel
from roadstead_lab.simulate.traffic.tracks import Motions, Track


def antenna_motions(vessel: Vessel, track: Track, times: Array) -> Motions:
    """Return a ship's antenna, in the place of the hull centre, at times of its track (seconds since 1970)."""
    hull = track.at_many(times)
    heading = np.radians(hull.heading_deg)
    ahead = np.column_stack([np.sin(heading), np.cos(heading)])
    right = np.column_stack([np.cos(heading), -np.sin(heading)])
    forward, starboard = vessel.antenna_m
    return replace(hull, xy=hull.xy + forward * ahead + starboard * right)
