"""What is simulated at each port: the frame, the fleet, the overpasses with their weather, AIS reception.

Fleets follow the sizes that design notes give for the two ports (coasters of 90-165 m and barges of
50-130 m at Nampo; bulk carriers up to 300 m at Beilun); they are made up and stand for no real traffic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from roadstead.errors import PortError
from roadstead.simulate.fleet import FleetRow

Vector = tuple[float, float]
Spectrum = tuple[float, float, float, float]
"""Reflectance in red, green, blue, near infrared."""


@dataclass(frozen=True)
class Weather:
    """What lies between the sensor and the water."""

    cloud: Literal["none", "patches", "overcast"] = "none"
    haze: float = 0.0
    """Optical thickness of a uniform haze, 0 for none."""
    glint: float = 0.0
    """Reflectance that sun glint adds to water, 0-0.03."""


@dataclass(frozen=True)
class OverpassPlan:
    """One pass of a satellite over the port."""

    day: int
    """Days after the start of the simulated time."""
    clock: time
    """UTC."""
    platform: Literal["sentinel-2a", "sentinel-2b"]
    relative_orbit: int
    weather: Weather = Weather()
    no_data_wedge: bool = False
    """Whether the swath's edge cuts the frame."""

    def acquired(self, start: date) -> datetime:
        """Return the moment the frame is imaged, UTC."""
        return datetime.combine(start + timedelta(days=self.day), self.clock, UTC)


@dataclass(frozen=True)
class Structure:
    """A dam or breakwater that the coast outline lacks."""

    xy: tuple[Vector, ...]
    """Corners of its axis, metres of the port's UTM zone."""
    width_m: float


@dataclass(frozen=True)
class Reception:
    """What one AIS source hears."""

    source: str
    stations: tuple[Vector, ...]
    """Base stations, longitude/latitude."""
    station_mid: int
    heard: float = 0.93
    """Chance that a report is received at all."""
    outages: tuple[tuple[int, float, float], ...] = ()
    """(day, from hour, to hour) in which nothing at all is received."""
    format: Literal["nmea", "csv"] = "nmea"


@dataclass(frozen=True)
class PortScenario:
    """A fortnight at one port."""

    port: str
    name: str
    """What its ships are called after SIM."""
    bounds_xy: tuple[float, float, float, float]
    """Simulated frame (xmin, ymin, xmax, ymax), metres of the port's UTM zone."""
    entries: str
    """Sides of the frame that ships come in by, of "NESW"."""
    fleet: tuple[FleetRow, ...]
    overpasses: tuple[OverpassPlan, ...]
    reception: Reception
    clear_water: Spectrum
    turbid_water: Spectrum
    sun_elevation_deg: float
    """At the first overpass; it sinks 0.25 degrees a day in November."""
    sun_azimuth_deg: float
    structures: tuple[Structure, ...] = ()
    land_xy: tuple[tuple[Vector, ...], ...] | None = None
    """Outlines of a made-up port's land, metres; None takes the packaged coast outline."""
    days: int = 14


_DPRK, _CHINA, _HONG_KONG = 445, (412, 413, 414), 477

NAMPO = PortScenario(
    port="nampo",
    name="HAEDANG",
    bounds_xy=(675_000.0, 4_281_800.0, 713_200.0, 4_291_400.0),
    entries="W",
    fleet=(
        FleetRow(
            "bulk_carrier",
            (92.0, 163.0),
            ("at_berth", "call", "call", "call", "at_anchor", "call", "at_berth", "at_anchor"),
            (
                *("A honest", "A silent", "A honest", "A switched_off"),
                *("A wrong_length", "A honest", "A honest", "A switched_off"),
            ),
            (_DPRK, _DPRK, 412, _DPRK, _DPRK),
            berths=("coal-berths",),
            anchorages=("roads", "waiting-anchorage"),
        ),
        FleetRow(
            "barge",
            (52.0, 128.0),
            ("at_berth", "at_berth", "call", "call", "at_anchor", "at_anchor", "at_berth"),
            ("B honest", "B silent", "A honest", "B silent", "B honest", "B silent"),
            (412, 413, _DPRK, 412, _DPRK),
            berths=("coal-berths", "general-berths"),
            anchorages=("roads", "waiting-anchorage"),
            rafts=True,
        ),
        FleetRow(
            "general_cargo",
            (70.0, 120.0),
            ("at_berth", "call", "call"),
            ("A honest", "A honest", "A silent"),
            (_DPRK, 412, _DPRK),
            berths=("general-berths",),
            anchorages=("roads",),
        ),
        FleetRow(
            "container", (105.0, 140.0), ("call",), ("A honest",), (_DPRK,), berths=("container-berths",)
        ),
        FleetRow(
            "tanker",
            (70.0, 110.0),
            ("at_anchor", "at_anchor", "at_anchor", "at_anchor"),
            ("A honest",),
            (_DPRK, 412),
            anchorages=("waiting-anchorage", "roads"),
        ),
        FleetRow(
            "fishing",
            (22.0, 44.0),
            ("at_anchor", "at_anchor"),
            ("B silent",),
            (_DPRK,),
            anchorages=("roads", "waiting-anchorage"),
        ),
    ),
    overpasses=(
        OverpassPlan(1, time(2, 28, 31), "sentinel-2a", 46),
        OverpassPlan(4, time(2, 18, 53), "sentinel-2b", 3, Weather(haze=0.05)),
        OverpassPlan(6, time(2, 28, 35), "sentinel-2b", 46, Weather(cloud="patches")),
        OverpassPlan(9, time(2, 18, 57), "sentinel-2a", 3, Weather(cloud="overcast")),
        OverpassPlan(11, time(2, 28, 33), "sentinel-2a", 46, Weather(glint=0.012), no_data_wedge=True),
    ),
    reception=Reception(
        "SIM-NAMPO", ((125.15, 38.66), (125.39, 38.73)), _DPRK, outages=((3, 19.5, 33.0),), format="nmea"
    ),
    clear_water=(0.031, 0.052, 0.046, 0.013),
    turbid_water=(0.085, 0.098, 0.076, 0.030),
    sun_elevation_deg=34.0,
    sun_azimuth_deg=163.0,
    # The West Sea Barrage, which the coast outline lacks; its course is roughly that of public maps.
    structures=(
        Structure(((689_950.0, 4_285_300.0), (691_400.0, 4_287_200.0), (693_400.0, 4_288_750.0)), 40.0),
        Structure(((688_400.0, 4_282_850.0), (688_900.0, 4_282_200.0)), 40.0),
    ),
)

NINGBO_ZHOUSHAN = PortScenario(
    port="ningbo-zhoushan",
    name="HAITANG",
    bounds_xy=(373_700.0, 3_304_900.0, 426_800.0, 3_317_900.0),
    entries="ESN",
    fleet=(
        FleetRow(
            "bulk_carrier",
            (180.0, 300.0),
            ("at_berth", "call", "call", "at_anchor", "at_berth", "call", "at_anchor", "at_berth"),
            (
                *("A honest", "A honest", "A switched_off", "A wrong_length"),
                *("A honest", "A honest", "A switched_off", "A honest"),
            ),
            (_HONG_KONG, 413, 477, 412, 477),
            berths=("beilun-berths",),
            anchorages=("mazhi-anchorage", "beilun-anchorage"),
        ),
        FleetRow(
            "bulk_carrier",
            (110.0, 190.0),
            ("at_berth", "call", "call", "at_anchor"),
            ("A honest", "A honest", "A silent", "A honest"),
            _CHINA,
            berths=("zhenhai-berths", "daxie-berths"),
            anchorages=("mazhi-anchorage",),
        ),
        FleetRow(
            "barge",
            (52.0, 128.0),
            (
                *("at_berth", "at_berth", "call", "call", "at_anchor", "at_anchor"),
                *("at_berth", "call", "through", "at_anchor", "at_berth"),
            ),
            ("B honest", "B silent", "A honest", "B silent", "B honest", "B switched_off"),
            (413, 412, 414, 413),
            berths=("zhenhai-berths", "chuanshan-berths"),
            anchorages=("beilun-anchorage", "mazhi-anchorage"),
            rafts=True,
        ),
        FleetRow(
            "container",
            (170.0, 366.0),
            ("at_berth", "call", "call", "call", "at_berth"),
            ("A honest",),
            (477, 413, 477),
            berths=("chuanshan-berths", "beilun-berths"),
        ),
        FleetRow(
            "tanker",
            (90.0, 240.0),
            ("at_berth", "call", "at_anchor"),
            ("A honest", "A honest", "A switched_off"),
            (413, 477),
            berths=("daxie-berths",),
            anchorages=("mazhi-anchorage",),
        ),
        FleetRow(
            "general_cargo",
            (70.0, 125.0),
            ("call", "at_berth", "through"),
            ("A honest", "A silent", "A honest"),
            (412, 414),
            berths=("zhenhai-berths",),
        ),
        FleetRow("ro_ro", (110.0, 160.0), ("through",), ("A honest",), (413,)),
        FleetRow(
            "fishing", (24.0, 44.0), ("at_anchor",), ("B honest",), (412,), anchorages=("mazhi-anchorage",)
        ),
    ),
    overpasses=(
        OverpassPlan(0, time(2, 27, 41), "sentinel-2b", 89, Weather(cloud="patches")),
        OverpassPlan(3, time(2, 37, 49), "sentinel-2a", 132),
        OverpassPlan(8, time(2, 37, 45), "sentinel-2b", 132, Weather(cloud="overcast")),
        OverpassPlan(10, time(2, 27, 39), "sentinel-2a", 89, Weather(glint=0.008), no_data_wedge=True),
    ),
    reception=Reception(
        "SIM-NINGBO", ((121.74, 29.97), (122.05, 29.88)), 413, outages=((9, 19.5, 33.0),), format="csv"
    ),
    clear_water=(0.062, 0.084, 0.068, 0.022),
    turbid_water=(0.138, 0.138, 0.102, 0.050),
    sun_elevation_deg=43.0,
    sun_azimuth_deg=161.0,
)

SCENARIOS: Mapping[str, PortScenario] = {s.port: s for s in (NAMPO, NINGBO_ZHOUSHAN)}


def scenario_of(port: str) -> PortScenario:
    """Return the built-in scenario of a port.

    Raises:
        PortError: there is none.
    """
    if port not in SCENARIOS:
        raise PortError(
            f"no simulation is built in for port '{port}'; there is one for {', '.join(SCENARIOS)}"
        )
    return SCENARIOS[port]
