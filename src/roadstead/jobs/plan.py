"""What there is to watch: the overpasses that the catalogues list, in order, and the passes that none of them lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from roadstead.aoi import Port
from roadstead.catalog import MissingPass
from roadstead.detection import Model
from roadstead.errors import CatalogueError, EmptySearchError
from roadstead.imagery import (
    REACH,
    SAME_PASS,
    Overpass,
    Pass,
    Scene,
    SearchResult,
    Sighting,
    Source,
    covers,
    expected_passes,
    fill,
    group_overpasses,
    lacks_keys,
    lists_pass,
    needs_keys,
    same_pass,
    search,
    sources,
    with_sensing_time,
)
from roadstead.reconcile.stated import StatedReception
from roadstead.settings import Settings

MOST_ASKED = 20
"""Passes that no catalogue lists are looked for along their track at most so many times a run."""


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
    scenes: list[Scene] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)
    sightings: list[Sighting] = field(default_factory=list)
    by: dict[str, set[str]] = field(default_factory=dict)
    """Name of a catalogue -> ids of the scenes that it gave."""
    unasked: dict[str, str] = field(default_factory=dict)
    nothing: list[str] = field(default_factory=list)
    """What catalogues said that list nothing."""

    def add(self, source: Source, result: SearchResult) -> None:
        new = fill(self.scenes, result.scenes)
        self.by[source.name] = {scene.scene_id for scene in new}
        self.scenes += new
        self.rejected.update(result.rejected)
        self.sightings += result.sightings

    def passes(self) -> list[Pass]:
        request = self.request
        return expected_passes(self.sightings, request.start, request.end, datetime.now(UTC))

    def holes(self) -> list[Pass]:
        """Return the passes of which something is not listed yet."""
        return [one for one in self.passes() if not one.tiles <= self._tiles(one) or not self._listed(one)]

    def unlisted(self) -> list[Pass]:
        """Return the passes of which nothing is listed."""
        return [one for one in self.passes() if not self._listed(one)]

    def _listed(self, one: Pass) -> bool:
        return any(covers(one, seen.platform, seen.acquired) for seen in self.sightings)

    def _tiles(self, one: Pass) -> set[str | None]:
        return {scene.mgrs_tile for scene in self.scenes if covers(one, scene.platform, scene.acquired)}


def find(request: WatchRequest) -> Plan:
    """Ask the catalogues in order, each next one for what those before it lack, and group what they list.

    Raises:
        CatalogueError: none of them could be asked, or those that could list nothing.
    """
    found = _Found(request)
    for source in sources(request.settings, request.catalog):
        if source.provider is not None and lacks_keys(source.provider):
            found.unasked[source.name] = needs_keys(source.name, source.provider)
            continue
        _ask(found, source)
        if source.name in found.by and not found.rejected and not found.holes():
            break
    if not found.by and not found.nothing:
        raise CatalogueError(_lines("no catalogue could be asked", found.unasked))
    scenes = [with_sensing_time(scene) for scene in found.scenes]
    whole = group_overpasses(scenes, request.port)
    inside = tuple(_told(o, found) for o in whole if request.start <= o.acquired < request.end)
    plan = Plan(inside, dict(found.rejected), _missing(found), dict(found.unasked))
    if inside or found.rejected:
        return plan
    if any(source.provider is None or not lacks_keys(source.provider) for source in _failed(found)):
        raise CatalogueError(_lines("nothing is listed by the catalogues that could be asked", found.unasked))
    return replace(plan, empty=_empty(found))


def _ask(found: _Found, source: Source) -> None:
    """Search a little further on both sides, so that no overpass is cut in half by the range."""
    request = found.request
    try:
        result = _search(request, source, SAME_PASS)
    except EmptySearchError:
        try:
            result = _search(request, source, timedelta(0))
        except EmptySearchError as error:
            found.nothing.append(str(error))
            return
    except CatalogueError as error:
        found.unasked[source.name] = str(error)
        return
    found.add(source, result)


def _search(request: WatchRequest, source: Source, margin: timedelta) -> SearchResult:
    start, end = request.start - margin, request.end + margin
    return search(source.href, request.port, start, end, source.collection, REACH)


def _failed(found: _Found) -> list[Source]:
    every = sources(found.request.settings, found.request.catalog)
    return [source for source in every if source.name in found.unasked]


def _empty(found: _Found) -> str:
    request = found.request
    return "; ".join(found.nothing) or (
        f"{request.catalog}: nothing of {request.port.slug} from {request.start:%Y-%m-%d %H:%M} to "
        f"{request.end:%Y-%m-%d %H:%M} UTC: not observed, which is not zero ships"
    )


def _lines(head: str, reasons: Mapping[str, str]) -> str:
    return f"{head}:\n" + "\n".join(f"  {name}: {reason}" for name, reason in reasons.items())


def _told(overpass: Overpass, found: _Found) -> Overpass:
    """Note on an overpass which catalogues lacked it, or part of it."""
    ids = {scene.scene_id for scene in overpass.scenes}
    asked = [s.name for s in sources(found.request.settings, found.request.catalog)]
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
    request = found.request
    asked = [s for s in sources(request.settings, request.catalog) if s.name not in found.unasked]
    names = ", ".join(source.name for source in asked)
    unasked = "".join(f" ({name} could not be asked)" for name in found.unasked)
    told = []
    for index, one in enumerate(found.unlisted()):
        elsewhere = _elsewhere(request, one, asked) if index < MOST_ASKED else None
        if elsewhere is False:
            reason = f"no image of this pass is listed anywhere along its track by {names}{unasked}"
            told.append(MissingPass(one.platform, one.expected, "not_acquired", reason))
        else:
            reason = f"in no catalogue asked: {names}{unasked}"
            told.append(MissingPass(one.platform, one.expected, "missing", reason))
    return tuple(told)


def _elsewhere(request: WatchRequest, one: Pass, asked: Sequence[Source]) -> bool | None:
    """Return whether any catalogue lists the pass near the port; None where one could not be asked."""
    answers = []
    for source in asked:
        try:
            answers.append(lists_pass(source, request.port, one.platform, one.expected))
        except CatalogueError:
            answers.append(None)
        if answers[-1]:
            return True
    return None if None in answers or not answers else False


def alternates(request: WatchRequest, overpass: Overpass, why: str) -> Iterator[Overpass]:
    """Yield the same overpass as the catalogues asked after its own have it, nothing of it lacking."""
    own = {scene.provider for scene in overpass.scenes}
    listed = sources(request.settings, request.catalog)
    rank = max((i for i, source in enumerate(listed) if source.name in own), default=0)
    tried = (*overpass.tried, f"{listed[rank].name}: {why}")
    for source in listed[rank + 1 :]:
        if source.provider is not None and lacks_keys(source.provider):
            tried = (*tried, f"{source.name}: {needs_keys(source.name, source.provider)}")
            continue
        try:
            other = _same(request, overpass, source)
        except (EmptySearchError, CatalogueError) as error:
            tried = (*tried, f"{source.name}: {error}")
            continue
        if other is None:
            tried = (*tried, f"{source.name}: does not list all of it")
            continue
        yield replace(other, overpass_id=overpass.overpass_id, tried=tried)


def _same(request: WatchRequest, overpass: Overpass, source: Source) -> Overpass | None:
    around = timedelta(minutes=40)
    result = search(
        source.href,
        request.port,
        overpass.acquired - around,
        overpass.acquired + around,
        source.collection,
    )
    scenes = [with_sensing_time(scene) for scene in result.scenes]
    first = overpass.scenes[0]
    for other in group_overpasses(scenes, request.port):
        tiles = {scene.mgrs_tile for scene in other.scenes}
        if same_pass(other.scenes[0], first) and {scene.mgrs_tile for scene in overpass.scenes} <= tiles:
            return other
    return None
