"""Where the ground lies in a radar image: a ground-range frame seen from a straight orbit over a sphere.

Rows run along the flight (azimuth, time increasing), columns away from the track (range), as in Sentinel-1 GRD
products of a right-looking radar. The map's metres are taken as ground metres on a sphere of the Earth's mean
radius; over a port's 50 km both errors stay below 0.1 % of the distance from the frame's corner. Pixel
coordinates are (col, row) floats with (0, 0) at the outer corner of the first pixel, as in `roadstead.core.geo`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np

from roadstead.core.geo import Array, Grid, convergence_deg, xy_to_lonlat

GRD_PIXEL_M = 10.0
"""GRDH pixel spacing in ground range and azimuth."""
EARTH_M = 6_371_000.0
ALTITUDE_M = 693_000.0
"""Sentinel-1's mean altitude (ESA, Sentinel-1 mission page)."""
ORBIT_M = EARTH_M + ALTITUDE_M
PLATFORM_M_S = 7_590.0
"""Orbital speed along a 98.7 minute orbit of 7,064 km radius is 7.5 km/s; Earth-fixed state vectors give 7.59 km/s."""
GROUND_M_S = PLATFORM_M_S * EARTH_M / ORBIT_M
_INCLINATION_DEG = 98.18
_PERIOD_S = 98.74 * 60.0
_SIDEREAL_DAY_S = 86_164.1

OrbitState = Literal["ascending", "descending"]


@dataclass(frozen=True)
class RadarPass:
    """One pass of Sentinel-1 over a port."""

    platform: Literal["sentinel-1a", "sentinel-1b"]
    acquired: datetime
    """UTC, when the middle row was seen."""
    orbit_state: OrbitState
    relative_orbit: int
    """1-175."""
    incidence_deg: float = 38.0
    """At sea level in the frame's middle; IW spans 29-46 degrees."""
    wind_speed_m_s: float = 6.0
    """10 m neutral wind."""
    wind_from_deg: float = 315.0
    """Clockwise from true north."""


@dataclass(frozen=True)
class RadarGeometry:
    """The frame of a ground-range image and its exact relation to the map."""

    crs: str
    """Metric CRS of the map."""
    corner_xy: tuple[float, float]
    """Map point at sea level of pixel coordinate (0, 0)."""
    heading_deg: float
    """Direction of flight at the frame, clockwise from grid north."""
    near_range_m: float
    """Ground range from the track on the ground to column 0."""
    width: int
    height: int

    @property
    def look_deg(self) -> float:
        """Direction away from the radar, clockwise from grid north; Sentinel-1 looks right."""
        return self.heading_deg + 90.0

    def colrow_to_xy(self, colrow: Array, height_m: Array | float = 0.0) -> Array:
        """Map (n, 2) pixel coordinates to the (n, 2) map points at heights that are imaged there.

        Raised ground appears nearer the radar, at the pixel of the sea-level point of the same slant range.
        """
        slant = slant_range_m(self.near_range_m + GRD_PIXEL_M * colrow[:, 0])
        across = ground_range_m(slant, height_m) - self.near_range_m
        return self._from_axes(across, GRD_PIXEL_M * colrow[:, 1])

    def xy_to_colrow(self, xy: Array, height_m: Array | float = 0.0) -> Array:
        """Map (n, 2) map points at heights (metres) to (n, 2) pixel coordinates, the inverse of the other."""
        across, along = self._to_axes(xy)
        slant = slant_range_m(self.near_range_m + across, height_m)
        return np.column_stack([ground_range_m(slant) - self.near_range_m, along]) / GRD_PIXEL_M

    def slant_range_m(self, col: Array) -> Array:
        """Return the distance from the radar to sea level at columns."""
        return slant_range_m(self.near_range_m + GRD_PIXEL_M * col)

    def incidence_deg(self, col: Array) -> Array:
        """Return the incidence angle at sea level at columns."""
        return incidence_deg(self.near_range_m + GRD_PIXEL_M * col)

    def azimuth_shift_m(self, col: Array, speed_m_s: Array | float, course_deg: Array | float) -> Array:
        """Return how far a moving target is imaged from its place, positive along the flight.

        ``-(R / V) v sin(incidence) cos(course - look)``: Doppler of the motion away from the radar is read as
        azimuth (Raney 1971, "Synthetic aperture imaging radar and moving targets", IEEE Trans. AES 7).

        Args:
            col: Columns of the targets.
            speed_m_s: Over ground.
            course_deg: Clockwise from grid north.
        """
        away = speed_m_s * np.cos(np.radians(course_deg - self.look_deg))
        incidence = np.radians(self.incidence_deg(col))
        shift = -self.slant_range_m(col) / PLATFORM_M_S * np.sin(incidence) * away
        return np.asarray(shift, np.float64)

    def row_time(self, acquired: datetime, row: float) -> datetime:
        """Return when a row was seen, given when the middle one was."""
        return acquired + timedelta(seconds=(row - self.height / 2) * GRD_PIXEL_M / GROUND_M_S)

    def _from_axes(self, across: Array, along: Array) -> Array:
        sine, cosine = self._turn
        x, y = self.corner_xy
        return np.column_stack([x + along * sine + across * cosine, y + along * cosine - across * sine])

    def _to_axes(self, xy: Array) -> tuple[Array, Array]:
        sine, cosine = self._turn
        x, y = xy[:, 0] - self.corner_xy[0], xy[:, 1] - self.corner_xy[1]
        return x * cosine - y * sine, x * sine + y * cosine

    @property
    def _turn(self) -> tuple[float, float]:
        heading = math.radians(self.heading_deg)
        return math.sin(heading), math.cos(heading)


def slant_range_m(ground_m: Array, height_m: Array | float = 0.0) -> Array:
    """Return the radar's distance to points at a ground range and height, by the law of cosines."""
    radius = EARTH_M + height_m
    cosine = np.cos(ground_m / EARTH_M)
    return np.sqrt(radius**2 + ORBIT_M**2 - 2 * radius * ORBIT_M * cosine)


def ground_range_m(slant_m: Array, height_m: Array | float = 0.0) -> Array:
    """Return the ground range of points at a slant range and height, the inverse of `slant_range_m`."""
    radius = EARTH_M + height_m
    cosine = (radius**2 + ORBIT_M**2 - slant_m**2) / (2 * radius * ORBIT_M)
    return EARTH_M * np.arccos(cosine)


def incidence_deg(ground_m: Array) -> Array:
    """Return the incidence angle at sea level at a ground range."""
    sine = ORBIT_M * np.sin(ground_m / EARTH_M) / slant_range_m(ground_m)
    return np.degrees(np.arcsin(sine))


def track_heading_deg(lat: float, orbit_state: OrbitState) -> float:
    """Return the ground track's direction at a latitude, clockwise from true north.

    A circular orbit of Sentinel-1's inclination and period over a turning Earth; about -13.5 degrees ascending
    and -166.5 descending at 38.7 N.
    """
    angle = math.asin(math.cos(math.radians(_INCLINATION_DEG)) / math.cos(math.radians(lat)))
    east = math.sin(angle) - _PERIOD_S / _SIDEREAL_DAY_S * math.cos(math.radians(lat))
    north = math.cos(angle) if orbit_state == "ascending" else -math.cos(angle)
    return math.degrees(math.atan2(east, north))


def geometry_of(grid: Grid, radar_pass: RadarPass) -> RadarGeometry:
    """Return the smallest frame of this pass that covers a map grid."""
    xmin, ymin, xmax, ymax = grid.bounds_xy
    middle = np.array([[(xmin + xmax) / 2, (ymin + ymax) / 2]])
    lon, lat = xy_to_lonlat(middle, grid.crs)[0]
    true = track_heading_deg(float(lat), radar_pass.orbit_state)
    heading = true - convergence_deg(float(lon), float(lat), grid.crs)
    unplaced = RadarGeometry(grid.crs, (0.0, 0.0), heading, 0.0, 1, 1)
    corners = np.array([[xmin, ymin], [xmin, ymax], [xmax, ymin], [xmax, ymax]])
    across, along = unplaced._to_axes(corners)
    corner = unplaced._from_axes(across.min(keepdims=True), along.min(keepdims=True))[0]
    near = _ground_range_of(radar_pass.incidence_deg) - float(np.ptp(across)) / 2
    size = (math.ceil(float(np.ptp(side)) / GRD_PIXEL_M) for side in (across, along))
    return RadarGeometry(grid.crs, (float(corner[0]), float(corner[1])), heading, near, *size)


def _ground_range_of(incidence: float) -> float:
    angle = math.radians(incidence)
    return EARTH_M * (angle - math.asin(EARTH_M / ORBIT_M * math.sin(angle)))
