"""Where a ship's antenna is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from roadstead.geo import Array
from roadstead.simulate.traffic.fleet import Vessel
from roadstead.simulate.traffic.tracks import Motion, Motions, Track, moved


def antenna_motions(vessel: Vessel, track: Track, times: Array) -> Motions:
    """Return a ship's antenna, in the place of the hull centre, at times of its track (seconds since 1970)."""
    hull = track.at_many(times)
    heading = np.radians(hull.heading_deg)
    ahead = np.column_stack([np.sin(heading), np.cos(heading)])
    right = np.column_stack([np.cos(heading), -np.sin(heading)])
    forward, starboard = vessel.antenna_m
    return replace(hull, xy=hull.xy + forward * ahead + starboard * right)


def antenna_xy(vessel: Vessel, motion: Motion) -> tuple[float, float]:
    """Return where a ship's antenna is, map metres."""
    forward, starboard = vessel.antenna_m
    return moved(moved(motion.xy, motion.heading_deg, forward), motion.heading_deg + 90.0, starboard)
