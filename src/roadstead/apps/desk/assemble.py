"""The analyst's desk over a store: where its pages, the ports and the looks of the report meet."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from roadstead.ais.identity.watchlist_files import read_watchlist
from roadstead.apps.desk.app import review_app
from roadstead.apps.desk.desk import Desk, Looks
from roadstead.apps.desk.login.openid import Client
from roadstead.apps.desk.ogc.features import CatalogFeatures
from roadstead.apps.desk.server import ReviewServer
from roadstead.core.errors import StoreError
from roadstead.core.ports import Port, ports_by_slug
from roadstead.publish.palette import CLASS_LOOKS, STATUS_LOOKS
from roadstead.store import People, Store
from roadstead.workflows.dossier import dossier_zip
from roadstead.workflows.export import week_brief
from roadstead.workflows.release import download
from roadstead.workflows.status import next_passes

KEY_BYTES = 32
PORT = 4202
"""Where the desk is served unless told otherwise."""


def desk(
    store: Store,
    home: Path,
    *,
    host: str = "127.0.0.1",
    allowed_hosts: Sequence[str] = (),
    open: bool = False,
    own_ports: Sequence[Port] = (),
    setup_token: str | None = None,
    watchlists: Sequence[str] = (),
    log_in: Client | None = None,
) -> Desk:
    """Return the desk of a store.

    Args:
        store: Stays open as long as the desk is used.
        home: Where the key that signs cookies lies; made where it is absent.
        host: Address that it is bound to.
        allowed_hosts: Further names that browsers may ask for.
        open: Whether this machine may read without login.
        own_ports: Ports beside those that ship.
        setup_token: Lets the first admin in.
        watchlists: Files of lists, ``FILE[@DATE]``, see `ais.identity.watchlist_files`.
        log_in: The provider that people may log in through, see `apps.desk.login.openid.client_of`.

    Raises:
        StoreError: the key cannot be read or made.
        BadInputError: a list cannot be read.
    """
    ports = ports_by_slug(own_ports)
    return Desk(
        store=store,
        ports=ports,
        key=secrets.token_bytes(KEY_BYTES) if store.read_only else signing_key(home / "review.key"),
        looks=Looks(CLASS_LOOKS, STATUS_LOOKS),
        host=host,
        allowed_hosts=tuple(allowed_hosts),
        open=open,
        setup_token=setup_token,
        next_passes=next_passes,
        dossier=partial(dossier_zip, store),
        features=CatalogFeatures(store, ports),
        outside=lambda wanted: download(store, wanted, ports, home / "ais"),
        brief=lambda port, end: week_brief(store, ports[port], end) if port in ports else None,
        lists=tuple(read_watchlist(path) for path in watchlists),
        log_in=log_in,
    )


@dataclass(frozen=True)
class Opened:
    """A desk that can be served."""

    server: ReviewServer
    setup_token: str | None
    """Lets the first admin in; None where somebody may log in already."""
    empty: bool
    """Whether the store holds no overpass."""
    read_only: bool = False
    """Whether the store lies where it can only be read."""
    lists: tuple[str, ...] = ()
    """What was read of each watchlist, in words."""

    @property
    def words(self) -> list[str]:
        """What to tell whoever started it."""
        address = self.server.address
        lines = [f"Review: {address}/", *(f"Watchlist {words}" for words in self.lists)]
        if self.empty:
            lines.append(
                "The store holds no overpass yet: 'roadstead watch' fills it, --store names another."
            )
        if self.read_only:
            lines.append(
                "The store may only be read here: nobody can log in or decide. --open lets this machine look at it."
            )
        if self.setup_token:
            lines.append(
                f"Nobody can log in yet. Make the first admin at {address}/setup with this token, from this machine, "
                f"once: {self.setup_token}"
            )
        return lines


@contextmanager
def opened_desk(
    store_url: str,
    home: Path,
    *,
    host: str = "127.0.0.1",
    port: int = PORT,
    allowed_hosts: Sequence[str] = (),
    open: bool = False,
    own_ports: Sequence[Port] = (),
    watchlists: Sequence[str] = (),
    log_in: Client | None = None,
) -> Iterator[Opened]:
    """Open a store and give its desk, to be run or started; see `desk`. `roadstead review` and `serve` begin here.

    Raises:
        StoreError: the store or the key cannot be read or made.
        UsageError: it is to be open to all and can be reached from elsewhere.
    """
    with Store.open(store_url, writes=False) as store:
        token = None if store.read_only or People(store).any() else secrets.token_urlsafe(18)
        made = desk(
            store,
            home,
            host=host,
            allowed_hosts=allowed_hosts,
            open=open,
            own_ports=own_ports,
            setup_token=token,
            watchlists=watchlists,
            log_in=log_in,
        )
        server = ReviewServer(review_app(made), host, port)
        try:
            lists = tuple(one.words for one in made.lists)
            yield Opened(server, token, not store.ports(), store.read_only, lists)
        finally:
            server.stop()


def signing_key(path: Path) -> bytes:
    """Return the secret in a file that only its owner reads; made where it is absent.

    Raises:
        StoreError: it cannot be read or made, or holds no key.
    """
    try:
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            key = _made_key(path)
    except OSError as error:
        raise StoreError(
            f"{path}: the key of the review pages cannot be read or made: {error.strerror}"
        ) from error
    if len(key) != KEY_BYTES:
        raise StoreError(f"{path}: holds no key; delete it, and everybody logs in again")
    return key


def _made_key(path: Path) -> bytes:
    """Make the key; whoever comes first wins, and no key is ever seen half-written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # read by its owner alone
    draft = Path(name)
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    return path.read_bytes()
