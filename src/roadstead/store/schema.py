"""The tables of the store, for SQLite and PostGIS alike.

Everything hangs on `Acquisition`, one row per port and overpass tried; deleting it deletes the rest of that
overpass. Columns are those of :mod:`roadstead.core.schemas`; geometry is EPSG:4326.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from shapely.geometry.base import BaseGeometry
from sqlalchemy import (
    JSON,
    CheckConstraint,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import SchemaItem

from roadstead.core.schemas import ACQUISITION_STATES, MISSING_STATES
from roadstead.store.column_types import Geometry, UtcTime

SCHEMA_VERSION = "0001"
"""Newest Alembic revision in ``migrations/versions``."""


class Base(DeclarativeBase):
    """Base of all tables; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        float: Double(),
        int: Integer(),
        bytes: LargeBinary(),
        datetime: UtcTime(),
        BaseGeometry: Geometry(),
        dict[str, Any]: JSON(),
    }


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """Return the check that a column holds one of these values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class Acquisition(Base):
    """One overpass of a port that was tried, with its one state and what it was processed with."""

    __tablename__ = "acquisitions"
    __table_args__ = (one_of("state", ACQUISITION_STATES), Index(None, "port", "acquired"))

    port: Mapped[str] = mapped_column(primary_key=True)
    overpass_id: Mapped[str] = mapped_column(primary_key=True)
    """Of an item that could not be used: its item id."""
    acquired: Mapped[datetime | None]
    acquired_sigma_s: Mapped[float | None]
    state: Mapped[str]
    reason: Mapped[str | None]
    """Why it failed or was not observed; of one that was processed, why nothing of it supports a lead."""
    later_failure: Mapped[str | None]
    """Why a later attempt failed; the result of the earlier one stands."""
    model_id: Mapped[str | None]
    model_sha256: Mapped[str | None]
    threshold: Mapped[float | None]
    roadstead_version: Mapped[str]
    simulated: Mapped[bool | None]
    """Null where nothing could be read."""
    with_ais: Mapped[bool | None]
    """Whether any AIS report lay around it; null where it failed."""
    stored: Mapped[datetime | None]
    """When the result was stored."""
    inputs_sha256: Mapped[str | None]
    """Of everything that the result was made from; the same again need not be made again."""
    provider: Mapped[str | None]
    """Who served the pixels; several, with commas, where scenes come from several."""
    tried: Mapped[str | None]
    """Who was asked before and why it could not serve them."""


class Missing(Base):
    """One pass that the orbits say took place and that no catalogue lists: not observed, never zero."""

    __tablename__ = "missing"
    __table_args__ = (one_of("state", MISSING_STATES), Index(None, "port", "expected"))

    port: Mapped[str] = mapped_column(primary_key=True)
    platform: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[str] = mapped_column(primary_key=True)
    """UTC date; a satellite sees a port once a day at most."""
    expected: Mapped[datetime]
    state: Mapped[str]
    reason: Mapped[str]


def _of_acquisition() -> tuple[SchemaItem, ...]:
    """Tie a row to its acquisition, which takes it along when it is deleted."""
    return (
        ForeignKeyConstraint(
            ["port", "overpass_id"],
            ["acquisitions.port", "acquisitions.overpass_id"],
            ondelete="CASCADE",
        ),
    )


class Boxed:
    """A geometry and its bounding box in degrees, indexed, for databases without a spatial index."""

    geometry: Mapped[BaseGeometry]
    west: Mapped[float]
    south: Mapped[float]
    east: Mapped[float]
    north: Mapped[float]


def _boxed() -> Index:
    return Index(None, "west", "east", "south", "north")


class Scene(Boxed, Base):
    """One image product of an overpass (`schemas.SCENES`); the geometry is its footprint."""

    __tablename__ = "scenes"
    __table_args__ = (*_of_acquisition(), Index(None, "port", "overpass_id"), _boxed())

    port: Mapped[str] = mapped_column(primary_key=True)
    scene_id: Mapped[str] = mapped_column(primary_key=True)
    overpass_id: Mapped[str]
    platform: Mapped[str | None]
    sensor: Mapped[str]
    acquired: Mapped[datetime]
    acquired_source: Mapped[str]
    acquired_sigma_s: Mapped[float]
    provider: Mapped[str]
    item_href: Mapped[str | None]
    processing_baseline: Mapped[str | None]
    sun_azimuth_deg: Mapped[float | None]
    sun_elevation_deg: Mapped[float | None]
    cloud: Mapped[str]
    simulated: Mapped[bool]
    item_sha256: Mapped[str | None]
    valid_area: Mapped[BaseGeometry]
    """Where it was searched."""
    visible_fraction: Mapped[dict[str, Any]]
    """Zone id -> share of its area that was searched."""


class Detection(Boxed, Base):
    """One hull (`schemas.DETECTIONS`); the geometry is its oriented box."""

    __tablename__ = "detections"
    __table_args__ = (
        *_of_acquisition(),
        Index(None, "port", "overpass_id"),
        Index(None, "port", "acquired"),
        _boxed(),
    )

    port: Mapped[str] = mapped_column(primary_key=True)
    detection_id: Mapped[str] = mapped_column(primary_key=True)
    scene_id: Mapped[str]
    overpass_id: Mapped[str]
    acquired: Mapped[datetime]
    acquired_sigma_s: Mapped[float]
    zone: Mapped[str | None]
    lon: Mapped[float]
    lat: Mapped[float]
    p_vessel: Mapped[float]
    p_barge: Mapped[float]
    p_bulk_carrier: Mapped[float]
    p_other_vessel: Mapped[float]
    hull_class: Mapped[str] = mapped_column("class")
    length_m: Mapped[float]
    length_low_m: Mapped[float]
    length_high_m: Mapped[float]
    beam_m: Mapped[float]
    axis_deg: Mapped[float]
    bow_deg: Mapped[float | None]
    p_bow: Mapped[float | None]
    moving: Mapped[bool | None]
    p_moving: Mapped[float | None]
    flags: Mapped[str]
    dropped_because: Mapped[str | None]
    simulated: Mapped[bool]
    model_id: Mapped[str]


class Match(Boxed, Base):
    """One detection, or one declared vessel that no detection took (`schemas.MATCHES`); a point."""

    __tablename__ = "matches"
    __table_args__ = (*_of_acquisition(), Index(None, "port", "detection_id"), Index(None, "mmsi"), _boxed())

    port: Mapped[str] = mapped_column(primary_key=True)
    overpass_id: Mapped[str] = mapped_column(primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    """Place in the table as it was put."""
    detection_id: Mapped[str | None]
    mmsi: Mapped[str | None]
    zone: Mapped[str | None]
    status: Mapped[str]
    candidates: Mapped[str]
    probability: Mapped[float]
    p_kinematic: Mapped[float | None]
    conflicts: Mapped[str]
    reasons: Mapped[str]
    p_heard_class_a: Mapped[float | None]
    p_heard_class_b: Mapped[float | None]
    carriage_expected: Mapped[str]
    distance_m: Mapped[float | None]
    dt_s: Mapped[float | None]
    simulated: Mapped[bool]


class Count(Base):
    """One quantity of one class and length bin in one zone (`schemas.COUNTS`)."""

    __tablename__ = "counts"
    __table_args__ = (*_of_acquisition(), Index(None, "port", "acquired"))

    port: Mapped[str] = mapped_column(primary_key=True)
    overpass_id: Mapped[str] = mapped_column(primary_key=True)
    zone: Mapped[str] = mapped_column(primary_key=True)
    hull_class: Mapped[str] = mapped_column("class", primary_key=True)
    length_bin: Mapped[str] = mapped_column(primary_key=True)
    quantity: Mapped[str] = mapped_column(primary_key=True)
    acquired: Mapped[datetime]
    value: Mapped[float | None]
    low: Mapped[float | None]
    high: Mapped[float | None]
    visible_fraction: Mapped[float]
    observed_at_all: Mapped[bool]
    simulated: Mapped[bool]


class Position(Base):
    """One position report near an overpass, kept as evidence (`schemas.POSITIONS`)."""

    __tablename__ = "positions"
    __table_args__ = (
        *_of_acquisition(),
        Index(None, "mmsi", "time"),
        Index(None, "port", "overpass_id", "mmsi", "time", "lon", "lat"),
    )

    port: Mapped[str] = mapped_column(primary_key=True)
    overpass_id: Mapped[str] = mapped_column(primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    mmsi: Mapped[str]
    time: Mapped[datetime]
    lon: Mapped[float]
    lat: Mapped[float]
    sog_kn: Mapped[float | None]
    cog_deg: Mapped[float | None]
    heading_deg: Mapped[float | None]
    nav_status: Mapped[str | None]
    ais_class: Mapped[str | None]
    source: Mapped[str]
    simulated: Mapped[bool]


class Vessel(Base):
    """Static data as declared, kept with the overpass it was used for (`schemas.VESSELS`)."""

    __tablename__ = "vessels"
    __table_args__ = (*_of_acquisition(), Index(None, "mmsi", "time"))

    port: Mapped[str] = mapped_column(primary_key=True)
    overpass_id: Mapped[str] = mapped_column(primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    mmsi: Mapped[str]
    time: Mapped[datetime]
    imo: Mapped[str | None]
    name: Mapped[str | None]
    callsign: Mapped[str | None]
    flag: Mapped[str | None]
    ship_type: Mapped[int | None]
    to_bow_m: Mapped[float | None]
    to_stern_m: Mapped[float | None]
    to_port_m: Mapped[float | None]
    to_starboard_m: Mapped[float | None]
    length_m: Mapped[float | None]
    beam_m: Mapped[float | None]
    draught_m: Mapped[float | None]
    destination: Mapped[str | None]
    source: Mapped[str]
    simulated: Mapped[bool]


class Chip(Base):
    """A cut-out around one hull, for looking at only."""

    __tablename__ = "chips"
    __table_args__ = _of_acquisition()

    port: Mapped[str] = mapped_column(primary_key=True)
    overpass_id: Mapped[str] = mapped_column(primary_key=True)
    detection_id: Mapped[str] = mapped_column(primary_key=True)
    image: Mapped[bytes]
    """WebP, RGB, on the port's 10 m grid, north up, the hull in the middle."""


class Quicklook(Base):
    """A small picture of an overpass, for looking at only."""

    __tablename__ = "quicklooks"
    __table_args__ = _of_acquisition()

    port: Mapped[str] = mapped_column(primary_key=True)
    overpass_id: Mapped[str] = mapped_column(primary_key=True)
    image: Mapped[bytes]
    """WebP, RGB, EPSG:4326, north up."""
    west: Mapped[float]
    south: Mapped[float]
    east: Mapped[float]
    north: Mapped[float]
