"""What the application is made of, given from outside."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Protocol, TypeVar

import pandas as pd
from cachetools import LRUCache

from roadstead.ais.identity.watchlists import Watchlist
from roadstead.apps.desk.login.openid import Client
from roadstead.apps.desk.ogc.query import FeatureSource
from roadstead.apps.desk.watchlist_hits import Listed
from roadstead.audit.precision import Judgements
from roadstead.core.errors import UsageError
from roadstead.core.ports import Port
from roadstead.core.wording import zone_words
from roadstead.store import Attachments, Decisions, Leads, Nearby, People, Queue, Releases, Store, Vessels
from roadstead.store.ledger import Version, version_of
from roadstead.workflows.release import Download

Made = TypeVar("Made")
SESSION_LIFE = timedelta(hours=12)


def now() -> datetime:
    """Return the moment in UTC."""
    return datetime.now(UTC)


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


def _no_files(_: Download) -> bytes:
    raise UsageError("this desk hands out no files: use 'roadstead export PORT --released'")


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
    next_passes: Callable[[pd.DataFrame, datetime], Sequence[datetime]] = field(default=lambda *_: ())
    """Passes of a port (`schemas.LEDGER`) and the time -> next passes expected, soonest first."""
    dossier: Callable[[str], bytes] | None = None
    """Detection id -> its dossier as a zip."""
    outside: Callable[[Download], bytes] = _no_files
    """Makes the file of a download."""
    clock: Callable[[], datetime] = now
    brief: Callable[[str, datetime], str | None] = field(default=lambda *_: None)
    """Port and time -> the brief of the week before it, as escaped HTML; None where nothing of it is known."""
    lists: Sequence[Watchlist] = ()
    """Lists that leads are held against as of the overpass, and vessels as of the day they were heard last."""
    log_in: Client | None = None
    """The provider that people may log in through beside their passwords; None: none is asked."""
    features: FeatureSource | None = None
    """What the OGC API serves; None: nothing."""

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
    def queue(self) -> Queue:
        """Leads in their order."""
        return Queue(self.store)

    @cached_property
    def listed(self) -> Listed:
        """Leads that name a vessel on a list."""
        return Listed(self.queue, self.lists)

    @cached_property
    def decisions(self) -> Decisions:
        """The chain."""
        return Decisions(self.store)

    @cached_property
    def judgements(self) -> Judgements:
        """What stands in the chain, in brief."""
        return Judgements(self.decisions)

    @cached_property
    def releases(self) -> Releases:
        """What goes to the outside."""
        return Releases(self.store)

    @cached_property
    def _kept(self) -> LRUCache[Any, tuple[tuple[Any, ...], Any]]:
        return LRUCache(maxsize=64)

    @cached_property
    def _lock(self) -> threading.Lock:
        return threading.Lock()

    def kept(self, key: tuple[str, ...], made: Callable[[], Made], version: Version | None = None) -> Made:
        """Return what is made of the store, made anew only once the store has changed.

        Decisions and audits do not count: what hangs on them is told by the key, or not kept.

        Args:
            key: what it is.
            made: makes it.
            version: of the store, where the page has read it already.
        """
        version = version or version_of(self.store)
        with self._lock:
            told = self._kept.get(key)
        if told is not None and told[0] == version:
            found: Made = told[1]
            return found
        new = made()
        with self._lock:
            self._kept[key] = version, new
        return new

    def zone_name(self, zone: str | None, port: str) -> str:
        """Return a zone as people call it."""
        known = self.ports.get(port)
        return zone_words(zone, {z.id: z.name for z in known.zones} if known else {})
