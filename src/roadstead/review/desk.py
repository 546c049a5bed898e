"""What the application is made of, given from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from ipaddress import ip_address
from typing import Protocol

import pandas as pd

from roadstead.ais.watchlist import Watchlist
from roadstead.aoi import Port
from roadstead.catalog import Attachments, Decisions, Leads, Nearby, People, Store, Vessels
from roadstead.words import zone_words

SESSION_LIFE = timedelta(hours=12)


class Look(Protocol):
    """How a class or status is shown."""

    @property
    def label(self) -> str:
        """Words for people."""

    @property
    def colour(self) -> str:
        """``#rrggbb``."""

    @property
    def marker(self) -> str:
        """circle, square, triangle, diamond, hex or x."""


@dataclass(frozen=True)
class Looks:
    """One look for each class and status."""

    classes: Mapping[str, Look]
    statuses: Mapping[str, Look]


def now() -> datetime:
    """Return the moment in UTC."""
    return datetime.now(UTC)


def is_loopback(host: str | None) -> bool:
    """Whether an address or name means this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Desk:
    """One desk over one store."""

    store: Store
    ports: Mapping[str, Port]
    """The ports whose zones are known, by slug; others are shown by their ids."""
    key: bytes
    """Signs cookies and forms."""
    looks: Looks
    host: str = "127.0.0.1"
    """Address that it is bound to."""
    allowed_hosts: tuple[str, ...] = ()
    """Further names under which browsers may ask for it; of loopback names only its own are allowed otherwise."""
    open: bool = False
    """Whether this machine may read without login."""
    setup_token: str | None = None
    """Lets the first admin in, once, while there is no user."""
    next_pass: Callable[[pd.DataFrame, datetime], datetime | None] = field(default=lambda *_: None)
    """Passes of a port (`tables.LEDGER`) and the time -> next pass expected."""
    watchlists: tuple[Watchlist, ...] = ()
    """Lists that vessels are held against, as of the day they were heard last."""
    clock: Callable[[], datetime] = now

    @cached_property
    def people(self) -> People:
        """Users and sessions."""
        return People(self.store)

    @cached_property
    def leads(self) -> Leads:
        """Findings."""
        return Leads(self.store)

    @cached_property
    def attachments(self) -> Attachments:
        """Files attached to findings."""
        return Attachments(self.store)

    @cached_property
    def vessels(self) -> Vessels:
        """Declared vessels."""
        return Vessels(self.store)

    @cached_property
    def nearby(self) -> Nearby:
        """What lies around findings."""
        return Nearby(self.store)

    @cached_property
    def decisions(self) -> Decisions:
        """The chain."""
        return Decisions(self.store)

    def zone_name(self, zone: str | None, port: str) -> str:
        """Return a zone as people call it."""
        known = self.ports.get(port)
        return zone_words(zone, {z.id: z.name for z in known.zones} if known else {})
