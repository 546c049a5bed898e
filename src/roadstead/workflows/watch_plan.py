"""What there is to watch: the overpasses that the catalogues list, in order, and the passes that none of them lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from roadstead.core.errors import CatalogueError, EmptySearchError
from roadstead.core.ports import Port
from roadstead.core.settings import Settings
from roadstead.detection import Model
from roadstead.imagery import (
    REACH,
    SAME_PASS,
    Overpass,
    Pass,
    Scene,
    Sighting,
    Source,
    covers,
    expected_passes,
    fill,
    group_overpasses,
    lists_passes,
    same_pass,
    search,
    sources,
    with_sensing_time,
)
from roadstead.reconcile.declared_reception import StatedReception
from roadstead.store import MissingPass

MOST_ASKED = 20
"""Passes that no catalogue lists are looked for along their track at most so many times a run."""
AROUND = timedelta(minutes=40)
"""Where another catalogue lists the same overpass: it may give the datatake's start (`orbits.SAME_SERIES`), and we the
granule's time, or the other way about."""


@dataclass(frozen=True)
class WatchRequest:
    """What to watch and with what."""

    port: Port
    start: datetime
    """First moment, UTC."""
    end: datetime
    """First moment after the range, UTC."""
    catalog: str
    """Catalogues in the order in which they are asked, with commas (`settings.Settings.catalog`)."""
    model: Model
    settings: Settings
    store_url: str
    """SQLAlchemy URL."""
    ais: tuple[str, ...] = ()
    """AIS files or Parquet stores; empty: counts only, every detection is `no_coverage`."""
    ais_mapping: Path | None = None
    stated: tuple[StatedReception, ...] = ()
    """What a person states of the reception of sources that cannot show it themselves."""


@dataclass(frozen=True)
class Plan:
    """What the catalogues list."""

    overpasses: tuple[Overpass, ...]
    rejected: Mapping[str, str]
    """Item id -> why it cannot be used; listed as failed, never as empty."""
    missing: tuple[MissingPass, ...] = ()
    """Passes that the orbits tell of and no catalogue asked lists."""
    unasked: Mapping[str, str] = field(default_factory=dict)
    """Name of a catalogue -> why it could not be asked."""
    empty: str = ""
    """Why there is nothing to do, where there is not."""


@dataclass
class _Found:
    """What the catalogues asked so far list, those asked first before the others."""

    request: WatchRequest
    sources: tuple[Source, ...]
    """All that may be asked, in order."""
    scenes: list[Scene] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)
    sightings: list[Sighting] = field(default_factory=list)
    by: dict[str, set[str]] = field(default_factory=dict)
    """Name of a catalogue -> ids of the scenes that it gave; empty where it lists nothing."""
    unasked: dict[str, str] = field(default_factory=dict)
    """Name of a catalogue -> why it could not be asked."""
    down: bool = False
    """One of those was asked and did not answer."""
    nothing: list[str] = field(default_factory=list)
    """What catalogues said that list nothing."""

    def ask(self, source: Source) -> None:
        """Search a little further on both sides, so that no overpass is cut in half by the range."""
        request, self.by[source.name] = self.request, set()
        try:
            result = search(
                source.href, request.port, request.start, request.end, source.collection, SAME_PASS, REACH
            )
        except EmptySearchError as error:
            self.nothing.append(str(error))
            return
        except CatalogueError as error:
            del self.by[source.name]
            self.unasked[source.name], self.down = str(error), True
            return
        new = fill(self.scenes, result.scenes)
        self.by[source.name] = {scene.scene_id for scene in new}
        self.scenes += new
        self.rejected.update(result.rejected)
        self.sightings += result.sightings

    def passes(self) -> list[Pass]:
        request = self.request
        return expected_passes(self.sightings, request.start, request.end, datetime.now(UTC))

    def is_whole(self) -> bool:
        """Return whether there is nothing to ask another catalogue for."""
        passes = self.passes()
        tiles = all(one.tiles <= self._tiles(one) for one in passes)
        return bool(self.scenes) and not self.rejected and tiles and not self.unlisted(passes)

    def unlisted(self, passes: Sequence[Pass]) -> list[Pass]:
        """Return the passes of which nothing is listed."""
        return [one for one in passes if not any(covers(one, s.platform, s.acquired) for s in self.sightings)]

    def _tiles(self, one: Pass) -> set[str | None]:
        return {scene.mgrs_tile for scene in self.scenes if covers(one, scene.platform, scene.acquired)}


def find(request: WatchRequest) -> Plan:
    """Ask the catalogues in order, each next one for what those before it lack, and group what they list.

    Raises:
        CatalogueError: none of them could be asked, or those that could list nothing.
    """
    found = _Found(request, sources(request.settings, request.catalog))
    for source in found.sources:
        if source.lacks:
            found.unasked[source.name] = source.lacks
            continue
        found.ask(source)
        if found.is_whole():
            break
    if not found.by:
        raise CatalogueError(_lines("no catalogue could be asked", found.unasked))
    scenes = [with_sensing_time(scene) for scene in found.scenes]
    whole = group_overpasses(scenes, request.port)
    inside = tuple(_told(o, found) for o in whole if request.start <= o.acquired < request.end)
    if not inside and not found.rejected and found.down:
        raise CatalogueError(_lines("nothing is listed by the catalogues that could be asked", found.unasked))
    empty = "" if inside or found.rejected else _empty(found)
    return Plan(inside, dict(found.rejected), _missing(found), dict(found.unasked), empty)


def _empty(found: _Found) -> str:
    request = found.request
    return "; ".join(found.nothing) or (
        f"{request.catalog}: nothing of {request.port.slug} from {request.start:%Y-%m-%d %H:%M} to "
        f"{request.end:%Y-%m-%d %H:%M} UTC: not observed, which is not zero ships"
    )


def _lines(head: str, reasons: Mapping[str, str]) -> str:
    return f"{head}:\n" + "\n".join(f"  {name}: {reason}" for name, reason in reasons.items())


def _told(overpass: Overpass, found: _Found) -> Overpass:
    """Note on an overpass which catalogues lacked it, or part of it: one line for each before the one it is from."""
    ids = {scene.scene_id for scene in overpass.scenes}
    asked = [source.name for source in found.sources]
    last = max((asked.index(name) for name, given in found.by.items() if given & ids), default=0)
    tried = []
    for name in asked[:last]:
        held = len(found.by.get(name, set()) & ids)
        why = found.unasked.get(name) or (
            f"lists {held} of {len(ids)} scenes" if held else "does not list it"
        )
        tried.append(f"{name}: {why}")
    return replace(overpass, tried=tuple(tried))


def _missing(found: _Found) -> tuple[MissingPass, ...]:
    unlisted = found.unlisted(found.passes())
    asked = [source for source in found.sources if source.name in found.by]
    names = ", ".join(source.name for source in asked)
    unasked = "".join(f" ({name} could not be asked)" for name in found.unasked)
    nowhere = _nowhere(found.request, unlisted[:MOST_ASKED], asked)
    told = []
    for one in unlisted:
        if one in nowhere:
            state = "not_acquired"
            reason = f"no image of this pass is listed anywhere along its track by {names}{unasked}"
        else:
            state, reason = "missing", f"in no catalogue asked: {names}{unasked}"
        told.append(MissingPass(one.platform, one.expected, state, reason))
    return tuple(told)


def _nowhere(request: WatchRequest, passes: Sequence[Pass], asked: Sequence[Source]) -> set[Pass]:
    """Return the passes of which every catalogue says that it lists no image; none where one cannot say."""
    nowhere = set(passes)
    for source in asked:
        left = sorted(nowhere, key=lambda one: one.expected)
        if not left:
            break
        try:
            listed = lists_passes(source, request.port, left)
        except CatalogueError:
            listed = None
        if listed is None:
            return set()
        nowhere -= {one for one, is_listed in zip(left, listed, strict=True) if is_listed}
    return nowhere


def alternates(request: WatchRequest, overpass: Overpass, why: str) -> Iterator[Overpass]:
    """Yield the same overpass as the catalogues asked after its own have it, nothing of it lacking."""
    listed = sources(request.settings, request.catalog)
    own = len(overpass.tried)
    tried = (*overpass.tried, f"{listed[own].name}: {why}")
    for source in listed[own + 1 :]:
        try:
            other = None if source.lacks else _same(request, overpass, source)
        except (EmptySearchError, CatalogueError) as error:
            tried = (*tried, f"{source.name}: {error}")
            continue
        if other is None:
            tried = (*tried, f"{source.name}: {source.lacks or 'does not list all of it'}")
            continue
        yield replace(other, overpass_id=overpass.overpass_id, tried=tried)
        tried = (*tried, f"{source.name}: could not be read")


def _same(request: WatchRequest, overpass: Overpass, source: Source) -> Overpass | None:
    when = overpass.acquired
    result = search(source.href, request.port, when, when, source.collection, AROUND)
    scenes = [with_sensing_time(scene) for scene in result.scenes]
    wanted = {scene.mgrs_tile for scene in overpass.scenes}
    for other in group_overpasses(scenes, request.port):
        tiles = {scene.mgrs_tile for scene in other.scenes}
        if same_pass(other.scenes[0], overpass.scenes[0]) and wanted <= tiles:
            return other
    return None
