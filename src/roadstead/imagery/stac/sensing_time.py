"""The granule's SENSING_TIME from its own metadata, where an item gives the datatake's start alone."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

from roadstead.core.errors import ReadError
from roadstead.imagery.remote.address_rules import AddressError, is_remote, local_path
from roadstead.imagery.remote.byte_cache import byte_cache
from roadstead.imagery.remote.range_request import PartError, fetch
from roadstead.imagery.remote.signing import access_of
from roadstead.imagery.scene import Scene
from roadstead.imagery.stac.acquisition_time import SIGMA_S

TOP = 8192
"""Bytes of MTD_TL.xml that are read: SENSING_TIME stands in its General_Info, within the first 3,000."""
_TIME = re.compile(rb"<SENSING_TIME[^>]*>\s*([0-9T:.Z+-]+)\s*</SENSING_TIME>")


def with_sensing_time(scene: Scene) -> Scene:
    """Return a scene at its granule's SENSING_TIME, as it is where that is known already or cannot be read.

    Source: ESA, Sentinel-2 Products Specification Document, MTD_TL.xml, General_Info/SENSING_TIME.
    """
    if scene.acquired_source == "granule_sensing" or scene.granule_metadata is None:
        return scene
    when = _sensing_time(scene.granule_metadata, scene.assets["red"].home)
    if when is None:
        return scene
    return replace(
        scene, acquired=when, acquired_source="granule_sensing", acquired_sigma_s=SIGMA_S["granule_sensing"]
    )


def _sensing_time(href: str, home: str | None) -> datetime | None:
    if not is_remote(href):
        return _read(href, home)
    key = ("sensing-time", href.partition("?")[0], home or "")
    known: str | None = byte_cache().get(key)
    when = _read(href, home) if known is None else datetime.fromisoformat(known)
    if known is None and when is not None:
        byte_cache().set(key, when.isoformat())
    return when


def _read(href: str, home: str | None) -> datetime | None:
    """Return the time that the metadata give; None where they cannot be read or give none."""
    try:
        found = _TIME.search(_top(href, home))
        when = datetime.fromisoformat(found.group(1).decode()) if found else None
    except (AddressError, PartError, ReadError, OSError, ValueError):
        return None  # the scene keeps its own time, whose standard error says how far to trust it
    return when.replace(tzinfo=UTC) if when is not None and when.tzinfo is None else when


def _top(href: str, home: str | None) -> bytes:
    if is_remote(href):
        return fetch(access_of(href), href, 0, TOP, home, text=True).body
    if home is not None:
        raise AddressError(f"{href}: is a path of this machine, and its catalogue is read over HTTP")
    with open(local_path(href), "rb") as file:
        return file.read(TOP)
