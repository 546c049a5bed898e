"""What there is to watch: the overpasses that the catalogues list, in order, and the passes that none of them lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from roadstead.core.errors import CatalogueError, EmptySearchError
from roadstead.core.ports import Port, named_port
from roadstead.core.settings import Settings, settings
from roadstead.detection import Model, load_model
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
from roadstead.reconcile import StatedReception, read_stated
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


def watch_request(
    port: str | Port,
    start: datetime,
    end: datetime,
    *,
    aoi: Path | None = None,
    catalog: str | None = None,
    model: str | Path | None = None,
    ais: Sequence[str] = (),
    ais_mapping: Path | None = None,
    reception: Path | None = None,
    store: str | None = None,
) -> WatchRequest:
    """Return what to watch; what is not given comes from the settings.

    Args:
        port: a port, or the name of one of ours or of the one in ``aoi``.
        start: first moment, UTC.
        end: first moment after the range, UTC.
        aoi: port file of your own that holds ``port``.
        catalog: catalogues in the order in which they are asked, with commas.
        model: id or folder of a model.
        ais: AIS files or Parquet stores.
        ais_mapping: what the columns of AIS files are called.
        reception: file of statements on the reception of sources (`reconcile.reception`).
        store: SQLAlchemy URL.

    Raises:
        PortError: no such port, or its file breaks a rule.
        ModelError: the model cannot be loaded.
        AisError: the statements on reception cannot be used.
    """
    base = settings()
    return WatchRequest(
        port=port if isinstance(port, Port) else named_port(port, aoi),
        start=start,
        end=end,
        catalog=catalog or base.catalog,
        model=load_model(model or base.model_id),
        settings=base,
        store_url=store or base.store_url,
        ais=tuple(ais),
        ais_mapping=ais_mapping,
        stated=read_stated(reception) if reception else (),
    )


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
class _Listed:
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
    listed = _Listed(request, sources(request.settings, request.catalog))
    for source in listed.sources:
        if source.lacks:
            listed.unasked[source.name] = source.lacks
            continue
        listed.ask(source)
        if listed.is_whole():
            break
    if not listed.by:
        raise CatalogueError(_lines("no catalogue could be asked", listed.unasked))
    scenes = [with_sensing_time(scene) for scene in listed.scenes]
    whole = group_overpasses(scenes, request.port)
    inside = tuple(_with_tried(o, listed) for o in whole if request.start <= o.acquired < request.end)
    if not inside and not listed.rejected and listed.down:
        raise CatalogueError(
            _lines("nothing is listed by the catalogues that could be asked", listed.unasked)
        )
    empty = "" if inside or listed.rejected else _empty(listed)
    return Plan(inside, dict(listed.rejected), _missing(listed), dict(listed.unasked), empty)


def _empty(listed: _Listed) -> str:
    request = listed.request
    return "; ".join(listed.nothing) or (
        f"{request.catalog}: nothing of {request.port.slug} from {request.start:%Y-%m-%d %H:%M} to "
        f"{request.end:%Y-%m-%d %H:%M} UTC: not observed, which is not zero ships"
    )


def _lines(head: str, reasons: Mapping[str, str]) -> str:
    return f"{head}:\n" + "\n".join(f"  {name}: {reason}" for name, reason in reasons.items())


def _with_tried(overpass: Overpass, listed: _Listed) -> Overpass:
    """Note on an overpass which catalogues lacked it, or part of it: one line for each before the one it is from."""
    ids = {scene.scene_id for scene in overpass.scenes}
    asked = [source.name for source in listed.sources]
    last = max((asked.index(name) for name, given in listed.by.items() if given & ids), default=0)
    tried = []
    for name in asked[:last]:
        held = len(listed.by.get(name, set()) & ids)
        why = listed.unasked.get(name) or (
            f"lists {held} of {len(ids)} scenes" if held else "does not list it"
        )
        tried.append(f"{name}: {why}")
    return replace(overpass, tried=tuple(tried))


def _missing(listed: _Listed) -> tuple[MissingPass, ...]:
    unlisted = listed.unlisted(listed.passes())
    asked = [source for source in listed.sources if source.name in listed.by]
    names = ", ".join(source.name for source in asked)
    unasked = "".join(f" ({name} could not be asked)" for name in listed.unasked)
    nowhere = _nowhere(listed.request, unlisted[:MOST_ASKED], asked)
    missing = []
    for one in unlisted:
        if one in nowhere:
            state = "not_acquired"
            reason = f"no image of this pass is listed anywhere along its track by {names}{unasked}"
        else:
            state, reason = "missing", f"in no catalogue asked: {names}{unasked}"
        missing.append(MissingPass(one.platform, one.expected, state, reason))
    return tuple(missing)


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
