"""What a scenario says: ports, fleets, overpasses with their weather, AIS receivers, and runs between ports.

A scenario is read from YAML (`roadstead_lab.simulate.scenario.file`). Fleets, rates and weather are made up and stand
for no real traffic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.hulls.spec import Kind
from roadstead_lab.simulate.light import Light

Vector = tuple[float, float]
Spectrum = tuple[float, float, float, float]
"""Reflectance in red, green, blue, near infrared."""
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0, le=20_000)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
"""Lower-case words joined by hyphens."""
Mid = Annotated[int, Field(ge=201, le=775)]
"""Maritime identification digits (ITU): the first three of an MMSI."""


def _utc(clock: time) -> time:
    if clock.tzinfo is not None:
        raise ValueError("is UTC and is written without a time zone, e.g. 02:28:31")
    return clock


Clock = Annotated[time, AfterValidator(_utc)]
"""Time of day, UTC."""
Cloud = Literal["none", "patches", "thin", "overcast"]
Pattern = Literal["call", "at_berth", "at_anchor", "through"]
Behaviour = Literal[
    "honest",
    "silent",
    "switched_off",
    "cloned_mmsi",
    "borrowed_identity",
    "false_flag",
    "wrong_type",
    "wrong_length",
    "stale_destination",
    "position_spoofing",
    "gnss_circles",
]
AisClass = Literal["A", "B"]
_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


@dataclass(frozen=True, config=_STRICT)
class Weather:
    """What lies between the sensor and the water, and what the wind does to the water."""

    cloud: Cloud = "none"
    haze: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Optical thickness of a uniform haze, 0 for none."""
    glint: Annotated[float, Field(ge=0, le=0.3)] = 0.0
    """Reflectance that sun glint adds to water."""
    swell: Annotated[float, Field(ge=0, le=0.02)] = 0.0
    """Amplitude of the swell's light and shade in reflectance."""
    plumes: Share = 0.3
    """Share of the water that sediment plumes reach."""


@dataclass(frozen=True, config=_STRICT)
class OverpassPlan:
    """One pass of a Sentinel-2 satellite over the port."""

    day: Annotated[int, Field(ge=0)]
    """Days after the start of the simulated time."""
    clock: Clock
    """UTC."""
    platform: Literal["sentinel-2a", "sentinel-2b", "sentinel-2c"]
    relative_orbit: Annotated[int, Field(ge=1, le=143)]
    weather: Weather = field(default_factory=Weather)
    no_data_wedge: bool = False
    """Whether the swath's edge cuts the frame."""
    baseline: Literal["02.14", "03.01", "05.00", "05.11"] = "05.00"
    """Processing baseline; from 04.00 on digital numbers carry an offset of 1000."""

    def acquired(self, start: date) -> datetime:
        """Return the moment the frame is imaged, UTC."""
        return datetime.combine(start + timedelta(days=self.day), self.clock, UTC)


@dataclass(frozen=True, config=_STRICT)
class Orbit:
    """Sentinel-2 passes that repeat; their skies are drawn by chance."""

    clock: Clock
    """UTC."""
    relative_orbit: Annotated[int, Field(ge=1, le=143)]
    first_day: Annotated[int, Field(ge=0)] = 0
    every_days: Annotated[int, Field(ge=1, le=30)] = 5
    platforms: tuple[Literal["sentinel-2a", "sentinel-2b", "sentinel-2c"], ...] = (
        "sentinel-2a",
        "sentinel-2b",
    )
    """Take turns."""
    skies: Mapping[Cloud, Share] = field(default_factory=lambda: {"none": 1.0})
    """Share of passes under each sky; scaled to a sum of 1."""


@dataclass(frozen=True, config=_STRICT)
class RadarPlan:
    """One pass of a Sentinel-1 satellite over the port."""

    day: Annotated[int, Field(ge=0)]
    clock: Clock
    """UTC."""
    platform: Literal["sentinel-1a", "sentinel-1b"] = "sentinel-1a"
    orbit_state: Literal["ascending", "descending"] = "ascending"
    relative_orbit: Annotated[int, Field(ge=1, le=175)] = 1
    wind_speed_m_s: Annotated[float, Field(ge=0, le=25)] = 5.0
    wind_from_deg: Annotated[float, Field(ge=0, lt=360)] = 315.0

    def acquired(self, start: date) -> datetime:
        """Return the moment the frame is imaged, UTC."""
        return datetime.combine(start + timedelta(days=self.day), self.clock, UTC)


@dataclass(frozen=True, config=_STRICT)
class Structure:
    """A dam or breakwater that the coast outline lacks."""

    xy: tuple[Vector, ...]
    """Corners of its axis, metres of the port's UTM zone."""
    width_m: Annotated[float, Field(gt=0, le=500)]


@dataclass(frozen=True, config=_STRICT)
class Outage:
    """Hours of one day in which a source receives nothing at all."""

    day: Annotated[int, Field(ge=0)]
    from_hour: Annotated[float, Field(ge=0, le=24)]
    hours: Annotated[float, Field(gt=0, le=240)]


@dataclass(frozen=True, config=_STRICT)
class Receiver:
    """One AIS source: what it hears and how it writes it down."""

    source: Annotated[str, Field(pattern=r"^SIM-[A-Z0-9-]{1,11}$")]
    """Begins with SIM-; at most 15 characters, as a tag block's source field has it."""
    kind: Literal["terrestrial", "satellite"] = "terrestrial"
    stations: tuple[Vector, ...] = ()
    """Base stations of a terrestrial source, longitude/latitude."""
    station_mid: Mid = 412
    range_nm: Annotated[float, Field(gt=0, le=200)] = 40.0
    """Terrestrial range for Class A; Class B reaches half as far (2 W against 12.5 W)."""
    heard: Share = 0.93
    """Chance that a report within reach is received."""
    pass_every_min: Annotated[float, Field(gt=0, le=1440)] = 95.0
    """Satellite: time from one pass to the next."""
    pass_min: Annotated[float, Field(gt=0, le=60)] = 12.0
    """Satellite: how long the port is in view."""
    outages: tuple[Outage, ...] = ()
    dropouts_per_day: Annotated[float, Field(ge=0, le=48)] = 0.0
    """Mean number of short failures (exponential, 20 minutes on average) a day, drawn by chance."""
    thin_s: Annotated[int, Field(ge=0, le=86_400)] = 0
    """The archive keeps one position report of a ship in so many seconds; 0 keeps all."""
    formats: tuple[Literal["nmea", "csv"], ...] = ("nmea", "csv")


@dataclass(frozen=True, config=_STRICT)
class FleetRow:
    """Ships of one kind in a port's fleet."""

    kind: Kind
    length_m: tuple[float, float]
    """Length overall, from and to."""
    ships: Mapping[Pattern, Count]
    """How many ships move how: call (arrive, wait, berth, leave), at_berth or at_anchor all the time, through."""
    hulls: Count = 0
    """How many different hulls make the calls; 0 for one each."""
    ais_class: Mapping[AisClass, Share] = field(default_factory=lambda: {"A": 1.0})
    """Share of ships with each class of transmitter; scaled to a sum of 1 and dealt out exactly."""
    behaviours: Mapping[Behaviour, Share] = field(default_factory=lambda: {"honest": 1.0})
    """Share of ships that behave so; scaled to a sum of 1 and dealt out exactly."""
    flags: tuple[Mid, ...] = (412,)
    """Maritime identification digits, dealt out in turn."""
    berths: tuple[Name, ...] = ()
    """Zones (without the port's slug) it may berth in."""
    anchorages: tuple[Name, ...] = ()
    """Zones it may anchor in."""
    rafts: Share = 0.0
    """Chance to lie alongside a ship of its kind where one is there."""
    tows: Share = 0.0
    """Share of ships that are pushed or towed by a tug (barges alone)."""

    @property
    def calls(self) -> int:
        """How many calls its ships make."""
        return self.ships.get("call", 0)

    @property
    def callers(self) -> int:
        """How many different hulls make them."""
        return min(self.hulls or self.calls, self.calls)

    @property
    def residents(self) -> int:
        """How many ships lie in the port all the time."""
        return self.ships.get("at_berth", 0) + self.ships.get("at_anchor", 0)

    @property
    def different_hulls(self) -> int:
        """How many different hulls there are."""
        return self.callers + self.ships.get("through", 0) + self.residents


@dataclass(frozen=True, config=_STRICT)
class PortScenario:
    """What happens at one port."""

    port: Name
    """Slug of a port we know, or of the port in `aoi`."""
    fleet: tuple[FleetRow, ...]
    receivers: tuple[Receiver, ...] = ()
    name: Annotated[str, Field(pattern=r"^[A-Z]{1,10}$")] = "HARBOUR"
    """What its ships are called after SIM."""
    aoi: str | None = None
    """GeoJSON file of a port of one's own, from the scenario's folder."""
    bounds_xy: tuple[float, float, float, float] | None = None
    """Simulated frame (xmin, ymin, xmax, ymax), metres of the port's UTM zone; by default the port's own grid."""
    entries: Annotated[str, Field(pattern=r"^[NESW]{1,4}$")] = "NESW"
    """Sides of the frame that ships come in by."""
    overpasses: tuple[OverpassPlan, ...] = ()
    """Sentinel-2 passes one by one."""
    orbits: tuple[Orbit, ...] = ()
    """Sentinel-2 passes that repeat."""
    radar: tuple[RadarPlan, ...] = ()
    """Sentinel-1 passes."""
    clear_water: Spectrum = (0.031, 0.052, 0.046, 0.013)
    turbid_water: Spectrum = (0.085, 0.098, 0.076, 0.030)
    sun_elevation_deg: Annotated[float, Field(ge=10, le=85)] = 40.0
    """On the first day; it changes by `sun_sinks_deg_a_day`."""
    sun_azimuth_deg: Annotated[float, Field(ge=90, le=270)] = 160.0
    sun_sinks_deg_a_day: Annotated[float, Field(ge=-0.5, le=0.5)] = 0.25
    structures: tuple[Structure, ...] = ()
    land_xy: tuple[tuple[Vector, ...], ...] | None = None
    """Outlines of a made-up port's land, metres; by default the packaged coast outline."""
    moored_craft: Count = 0
    """Small craft moored along the shore outside the zones; they carry no AIS."""
    gear_buoys: Count = 0
    """Fishing gear with AIS beacons, named as such gear is."""
    tide_flats: Share = 0.0
    """How much of the shallow shore falls dry."""

    def light_on(self, day: int) -> Light:
        """Return where the sun stands at the passes of a day."""
        elevation = self.sun_elevation_deg - self.sun_sinks_deg_a_day * day
        return Light(self.sun_azimuth_deg, min(max(elevation, 5.0), 90.0))

    def plans(self, days: int, seed: int) -> tuple[OverpassPlan, ...]:
        """Return all Sentinel-2 passes of the simulated time, in order; repeated ones with drawn skies."""
        drawn = [plan for orbit in self.orbits for plan in _repeated(self.port, orbit, days, seed)]
        return tuple(sorted((*self.overpasses, *drawn), key=lambda plan: (plan.day, plan.clock)))


def _repeated(port: str, orbit: Orbit, days: int, seed: int) -> list[OverpassPlan]:
    skies, weights = list(orbit.skies), list(orbit.skies.values())
    shares = [weight / sum(weights) for weight in weights]
    plans = []
    for number, day in enumerate(range(orbit.first_day, days, orbit.every_days)):
        rng = generator(seed, port, "orbit", orbit.relative_orbit, number)
        weather = Weather(cloud=skies[int(rng.choice(len(skies), p=shares))], haze=float(rng.uniform(0, 0.1)))
        platform = orbit.platforms[number % len(orbit.platforms)]
        plans.append(OverpassPlan(day, orbit.clock, platform, orbit.relative_orbit, weather))
    return plans


@dataclass(frozen=True, config=_STRICT)
class Route:
    """Deliveries from one port to another, or between two ships at sea."""

    kind: Literal["dprk_delivery", "direct_run", "transfer_at_sea"]
    loads_at: Name
    """Port where the cargo is loaded."""
    delivers_at: Name
    """Port in whose zones it is delivered."""
    occasions: Count
    """How many deliveries in the simulated time."""
    hulls: Annotated[int, Field(ge=1, le=2_000)]
    """How many different ships make them."""
    ship_kind: Kind
    length_m: tuple[float, float]
    flags: tuple[Mid, ...]
    ais_class: Mapping[AisClass, Share] = field(default_factory=lambda: {"A": 1.0})
    behaviours: Mapping[Behaviour, Share] = field(default_factory=lambda: {"honest": 1.0})
    loading_berths: tuple[Name, ...] = ()
    loading_anchorages: tuple[Name, ...] = ()
    delivery_berths: tuple[Name, ...] = ()
    delivery_anchorages: tuple[Name, ...] = ()
    sea_nm: Annotated[float, Field(gt=0, le=5_000)] = 576.0
    """Length of the sea route between the two ports, nautical miles."""
    speed_kn: tuple[float, float] = (6.0, 11.0)


@dataclass(frozen=True, config=_STRICT)
class Scenario:
    """A world to simulate."""

    name: Name
    title: Annotated[str, Field(min_length=1, max_length=200)]
    """One line on what it is for."""
    start: date
    """First day, UTC."""
    days: Annotated[int, Field(ge=1, le=800)]
    ports: Annotated[tuple[PortScenario, ...], Field(min_length=1)]
    routes: tuple[Route, ...] = ()
    mode: Literal["images", "detections"] = "images"
    """What is made unless the command says otherwise."""
