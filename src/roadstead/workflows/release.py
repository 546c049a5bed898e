"""Released findings to the outside: chosen, redacted, written; whoever takes them unredacted is written down."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd

from roadstead.ais.archive.store import sources_of
from roadstead.ais.archive.store_files import is_store
from roadstead.core.errors import BadInputError, StoreError, UsageError
from roadstead.core.ports import Port
from roadstead.publish.filters import EVERYTHING, Filters
from roadstead.publish.formats.flat import csv_text
from roadstead.publish.release.files import check_formats, geojson_text, write_outside
from roadstead.publish.release.redaction import Known
from roadstead.publish.release.released_findings import (
    DELAY,
    Spoken,
    Terms,
    chosen_releases,
    may_go,
    outside_layers,
)
from roadstead.reconcile import CONFLICTS, REASONS
from roadstead.store import (
    ROLES,
    Decisions,
    Leads,
    People,
    Person,
    Release,
    Releases,
    Store,
    current_evidence,
    fits,
    gate_of,
)

DEFAULT_FORMATS = ("geojson", "gpkg", "csv")


@dataclass(frozen=True)
class Taker:
    """Who takes files with identities in them, and how."""

    name: str
    by: str
    """``command line`` or ``browser``."""


@dataclass(frozen=True)
class Download:
    """Released findings as one file for the outside."""

    kind: str
    """``geojson`` or ``csv``."""
    user: str | None = None
    """Who takes it unredacted, which is written into the chain; None: redacted."""
    port: str | None = None
    hull_class: str | None = None
    status: str | None = None


@dataclass(frozen=True)
class Written:
    """What was written."""

    files: tuple[Path, ...]
    rows: int
    withheld: int
    """Findings left out of a redacted export because their image is younger than `outside.DELAY`."""


def identified(store: Store, name: str, password: str) -> Person:
    """Return whose password this is, where they may take identities out.

    Raises:
        UsageError: name or password is wrong, or the role does not reach.
    """
    people = People(store)
    person = people.named(name)
    if not fits(password, people.password_hash(name)) or person is None:
        raise UsageError("name or password is wrong")
    if person.role not in ROLES[1:]:
        raise UsageError(f"--unredacted is for analysts and admins; {person.name} is {person.role}")
    return person


def redistributable(ais_store: Path) -> frozenset[str]:
    """Return the AIS sources that every import of theirs says may be passed on; none where nothing is known."""
    if not is_store(ais_store):
        return frozenset()
    said: dict[str, set[Any]] = {}
    for row in sources_of(ais_store):
        said.setdefault(str(row["source"]), set()).add(row["redistribute"])
    return frozenset(name for name, answers in said.items() if answers == {True})


def export_released(
    store: Store,
    port: Port,
    folder: Path,
    formats: Sequence[str] = DEFAULT_FORMATS,
    *,
    now: datetime,
    between: tuple[datetime, datetime] | None = None,
    filters: Filters = EVERYTHING,
    taker: Taker | None = None,
    ais_store: Path | None = None,
) -> Written:
    """Write the released findings of a port; redacted where nobody takes them by name.

    Args:
        store: The store.
        port: Its zones and UTM zone are used.
        folder: Made where missing.
        formats: Of `outside_files.FORMATS`.
        now: UTC.
        between: [start, end) of the overpass; None: all.
        filters: As for the working export.
        taker: Who takes them unredacted; the chain says so before a file is there.
        ais_store: Folder whose sources say what may be passed on.

    Raises:
        UsageError: a format is not for released findings, or a zone is not the port's.
        BadInputError: nothing of the port was released.
        StoreError: a file cannot be written.
    """
    check_formats(formats)
    known = {zone.id for zone in port.zones}
    if wrong := [z for z in filters.zones if (z if "/" in z else f"{port.slug}/{z}") not in known]:
        raise UsageError(f"--zone {wrong[0]}: choose from {', '.join(sorted(known))}")
    spoken = _spoken(store, port.slug, None if taker is None else _allowed(ais_store))
    if not spoken:
        raise BadInputError(f"nothing of {port.slug} was released: it is asked for on a finding's page")
    fitting = [one for one in chosen_releases(spoken, filters) if _within(one.release, between)]
    shown, withheld = _of_age(fitting, now, redacted=taker is None)
    terms = _terms(store, [port], redacted=taker is None)
    layers = outside_layers(shown, terms)
    if taker is None:
        files = write_outside(folder, port.slug, layers, formats, port.crs)
        return Written(tuple(files), len(shown), withheld)
    files = _logged(store, port, folder, layers, formats, shown, taker, now, filters)
    return Written(tuple(files), len(shown), 0)


def download(
    store: Store, wanted: Download, ports: Mapping[str, Port], ais_store: Path, now: datetime | None = None
) -> bytes:
    """Return released findings as the bytes of one file; see `Download`.

    Raises:
        UsageError: an unknown kind, or who takes it may not.
    """
    writers = {"geojson": geojson_text, "csv": csv_text}
    if wanted.kind not in writers:
        raise UsageError(f"{wanted.kind}: choose from {', '.join(writers)}")
    moment = now or datetime.now(UTC)
    filters = Filters(
        classes=(wanted.hull_class,) if wanted.hull_class else (),
        statuses=(wanted.status,) if wanted.status else (),
    )
    redacted = wanted.user is None
    spoken = _spoken(store, wanted.port, None if redacted else _allowed(ais_store))
    shown, _ = _of_age(chosen_releases(spoken, filters), moment, redacted=redacted)
    layers = outside_layers(shown, _terms(store, ports.values(), redacted=redacted))
    content = writers[wanted.kind](layers["released"]).encode()
    if wanted.user is not None:
        name = f"released.{wanted.kind}"
        details = _details("browser", {name: content}, shown, filters)
        Releases(store).exported(wanted.port or "", details, _simulated(shown), wanted.user, moment)
    return content


def _allowed(ais_store: Path | None) -> frozenset[str]:
    return frozenset() if ais_store is None else redistributable(ais_store)


def _terms(store: Store, ports: Iterable[Port], *, redacted: bool) -> Terms:
    known = Known.of(Releases(store).names()) if redacted else Known()
    zones = {zone.id: zone.polygon for port in ports for zone in port.zones}
    return Terms({**REASONS, **CONFLICTS}, known, zones, redacted)


def _of_age(spoken: Sequence[Spoken], now: datetime, *, redacted: bool) -> tuple[list[Spoken], int]:
    """Return what may go out now, and how many may not yet; what has no content to show always may."""
    bare = [one.release.retraction is not None or bool(one.question) for one in spoken]
    shown = [
        one
        for one, empty in zip(spoken, bare, strict=True)
        if not redacted or empty or may_go(one.release, now)
    ]
    return shown, len(spoken) - len(shown)


def _within(release: Release, between: tuple[datetime, datetime] | None) -> bool:
    acquired = release.content.seen.get("acquired")
    if between is None or release.retraction is not None:
        return True
    return acquired is not None and between[0] <= datetime.fromisoformat(acquired) < between[1]


def _spoken(store: Store, port: str | None, allowed: frozenset[str] | None) -> list[Spoken]:
    """Return every release with what speaks against it, and with AIS of the sources allowed where any is asked for."""
    releases = [one for one in Releases(store).all() if port is None or one.first.port == port]
    keys = list(dict.fromkeys((one.first.port, one.first.finding) for one in releases))
    told = Decisions(store).about(keys) if keys else {}
    standing = current_evidence(Leads(store), keys)
    gates = {key: gate_of(told[key], standing.get(key)) for key in keys}
    spoken = []
    for release in releases:
        gate = gates[release.first.port, release.first.finding]
        out = gate.release is not None and gate.release.id == release.id
        question = gate.question if out else ""
        ais: dict[str, Any] = {} if allowed is None else _declared(store, release, allowed)
        spoken.append(Spoken(release, question, **ais))
    return spoken


def _declared(store: Store, release: Release, allowed: frozenset[str]) -> dict[str, Any]:
    """Return AIS of the vessels that a release names, of sources that may be passed on, and how much was left out."""
    content = release.content
    named = {content.seen["mmsi"], *(content.seen["candidates"] or "").split(",")} - {None, ""}
    acquired = content.seen["acquired"]
    if acquired is None or not named:
        return {}
    moment = datetime.fromisoformat(acquired)
    around = (moment, moment + timedelta(microseconds=1))
    kept, withheld = [], 0
    for table in (store.positions(content.port, *around), store.vessels(content.port, *around)):
        own = table[table["mmsi"].isin(named)]
        open_ = own["source"].isin(allowed)
        withheld += int((~open_).sum())
        kept.append(own[open_].reset_index(drop=True))
    return {"positions": kept[0], "vessels": kept[1], "withheld": withheld}


def _logged(
    store: Store,
    port: Port,
    folder: Path,
    layers: Mapping[str, gpd.GeoDataFrame],
    formats: Sequence[str],
    shown: Sequence[Spoken],
    taker: Taker,
    now: datetime,
    filters: Filters,
) -> list[Path]:
    """Write files aside, write down who takes them, then put them in place: no file without its row."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".unredacted-") as aside:
            made = write_outside(Path(aside), f"{port.slug}-unredacted", layers, formats, port.crs)
            contents = {path.name: path.read_bytes() for path in made}
            details = _details(taker.by, contents, shown, filters)
            Releases(store).exported(port.slug, details, _simulated(shown), taker.name, now)
            return [path.replace(folder / path.name) for path in made]
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written: {error.strerror or error}") from error


def _details(
    by: str, contents: Mapping[str, bytes], shown: Sequence[Spoken], filters: Filters
) -> dict[str, Any]:
    return {
        "by": by,
        "unredacted": True,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(contents.items())},
        "ids": [one.release.id for one in shown],
        "filters": filters.words,
    }


def _simulated(shown: Sequence[Spoken]) -> bool:
    return any(one.release.content.simulated for one in shown)


def told_of(written: Written) -> str:
    """Return what was written in words."""
    said = f"{written.rows} released {'finding' if written.rows == 1 else 'findings'}"
    if written.withheld:
        said += f"; {written.withheld} not yet: their images are younger than {DELAY.days} days"
    return said
