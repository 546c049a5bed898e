"""The functions that ``import roadstead`` offers: each calls what the command line and the flows call.

Times are UTC. A range is given as ISO 8601 text, `date` or `datetime`; an end given as a day includes that day.
Positions are longitude and latitude in degrees (EPSG:4326), lengths metres, angles degrees clockwise from true north.
All errors are `RoadsteadError`; a read that fails raises or is named, and is never "no ships".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import geopandas as gpd
import pandas as pd

from roadstead.ais import AisData, load_ais
from roadstead.core.detections_file import DetectionsHeader, write_detections
from roadstead.core.errors import EmptySearchError, UsageError
from roadstead.core.ports import Port
from roadstead.core.settings import settings
from roadstead.core.time_range import moment, time_range
from roadstead.core.wording import port_name
from roadstead.counting import counts
from roadstead.detection import Model, load_model
from roadstead.imagery import BANDS, Overpass, RasterHints
from roadstead.publish.charts import count_file
from roadstead.reconcile import cut_ais_window, read_stated, reconcile
from roadstead.store import Store
from roadstead.workflows.coverage import Coverage, span_of, thinning_of
from roadstead.workflows.coverage import coverage as hours_of
from roadstead.workflows.detect import detect_overpasses, detect_scenes
from roadstead.workflows.dossier import Asked, make_dossier
from roadstead.workflows.load_ais import load_around, widened
from roadstead.workflows.watch import Watched, finish
from roadstead.workflows.watch import watch as do_all
from roadstead.workflows.watch_search import Plan, WatchRequest, find, watch_request

Time = str | date
"""ISO 8601, a `date` or a `datetime`; UTC where it has no zone."""
Paths = str | Path | Sequence[str | Path]
Scene = str | Path | Overpass
_NAMES = ("start", "end")


@dataclass(frozen=True)
class Detections:
    """Hulls found in images, and what was searched for them."""

    table: gpd.GeoDataFrame
    """A row a hull: its oriented box (EPSG:4326), probabilities of each class, length with an 80 % interval and beam
    (m), axis (degrees); `roadstead.core.schemas.DETECTIONS` names every column."""
    header: DetectionsHeader
    """Scenes searched, where each was valid and clear, and in ``failures`` those that failed, with the reason."""
    model: Model
    """What detected; its recall is used by `reconcile_ais` and `count`."""

    def write(self, path: str | Path) -> Path:
        """Write the GeoJSON that ``roadstead detect`` writes, and return its path.

        Raises:
            StoreError: the file cannot be written.
        """
        write_detections(Path(path), self.table, self.header)
        return Path(path)


def search(port: Port, start: Time, end: Time, *, catalog: str | None = None) -> Plan:
    """Find the overpasses of a port in the catalogues, in the order in which those are asked.

    Args:
        port: its zones are what an image has to show.
        start: first day or moment.
        end: last day, or the first moment after the range.
        catalog: names, paths or URLs of STAC catalogues with commas; the settings' where None.

    Returns:
        ``overpasses`` in order of time; ``rejected``: items that cannot be used, with the reason; ``missing``: passes
        that the orbits tell of and no catalogue lists; ``unasked``: catalogues that did not answer.

    Raises:
        EmptySearchError: nothing is listed: the port was not observed, which is not zero ships.
        CatalogueError: no catalogue can be read.
        UsageError: ``start`` or ``end`` is no time, or the end is before the start.
    """
    plan = find(_request(port, start, end, catalog=catalog))
    if plan.empty:
        raise EmptySearchError(plan.empty)
    return plan


def detect(
    scenes: Paths | Overpass | Sequence[Overpass],
    port: Port | None = None,
    *,
    acquired: Time | None = None,
    bands: Mapping[str, int] | None = None,
    crs: str | None = None,
    model: str | Path | None = None,
    unfiltered: bool = False,
) -> Detections:
    """Find hulls in images: barges, bulk carriers and other vessels.

    Args:
        scenes: STAC items and saved searches (path or URL), GeoTIFFs, SAFE products, PNG or JPEG with a world file; or
            overpasses that `search` found. One or several, not both kinds.
        port: search its zones alone; the whole of each image where None.
        acquired: when a raster that carries no time was taken.
        bands: which band of a raster is which, from 1, such as ``{"red": 4, "green": 3, "blue": 2, "nir": 8}``.
        crs: CRS of a world file, such as ``EPSG:32651``.
        model: id or folder of a model; the settings' where None.
        unfiltered: also return what was dropped, with ``dropped_because``.

    Returns:
        The hulls and what was searched; ``header.failures`` names the scenes that failed beside others that did not.

    Raises:
        ReadError: pixels could not be read, in every scene given.
        SceneError: no scene given can be used; each is named with its reason.
        ModelError: an unknown or damaged model.
        UsageError: nothing was given, or paths beside overpasses, or an unknown band.
    """
    given = _listed(scenes)
    overpasses = [one for one in given if isinstance(one, Overpass)]
    names = [str(one) for one in given if not isinstance(one, Overpass)]
    if not given or (names and overpasses):
        raise UsageError("detect: give one or more scenes, either paths and URLs or overpasses")
    loaded = load_model(model or settings().model_id)
    if overpasses:
        table, header = detect_overpasses(overpasses, loaded, port, unfiltered=unfiltered)
    else:
        table, header = detect_scenes(
            names, loaded, port, hints=_hints(acquired, bands, crs), unfiltered=unfiltered
        )
    return Detections(table, header, loaded)


def read_ais(
    paths: Paths,
    *,
    port: Port | None = None,
    start: Time | None = None,
    end: Time | None = None,
    mapping: str | Path | None = None,
) -> AisData:
    """Read AIS files (NMEA, CSV, Parquet, packed or not) and stores that ``roadstead ais import`` made.

    Args:
        paths: files or store folders.
        port: keep what lies around it, 0.3 degrees on each side; all where None.
        start: with ``end``, keep what speaks for images of this range: some days more on both sides. Needs a port.
        end: last day, or the first moment after the range.
        mapping: TOML file that names the columns of an unknown CSV.

    Returns:
        ``positions``, ``vessels`` and ``stations``; ``quarantine`` holds each row that could not be used, with file,
        row, field and reason.

    Raises:
        AisError: a file cannot be used.
        UsageError: one end of the range is missing, or a range was given without a port.
    """
    if (start is None) != (end is None) or (start is not None and port is None):
        raise UsageError("read_ais: give start, end and port, or port alone, or none of them")
    files = [str(path) for path in _listed(paths)]
    place = None if mapping is None else Path(mapping)
    if port is not None and start is not None and end is not None:
        span = _range(start, end)
        return load_around(files, place, port.bounds, span, settings().ais_window_h)
    return load_ais(files, mapping=place, within=None if port is None else widened(port.bounds))


def coverage(
    ais: AisData,
    port: Port,
    start: Time | None = None,
    end: Time | None = None,
    *,
    stores: Paths = (),
) -> Coverage:
    """Ask in how many hours some AIS could support a statement about silence at a port, and why not in others.

    Args:
        ais: what was heard.
        port: its zones are the places asked about.
        start: first day or moment; with ``end`` the hours asked about, else those that the AIS covers.
        end: last day, or the first moment after the range.
        stores: folders of the AIS stores that it is from: they know how far apart their sources pass reports on.

    Returns:
        ``hours``: a row an hour, zone and transmitter class; ``summary()``: their share that supports a statement.

    Raises:
        AisError: the AIS holds no report near the port, and no hours were given.
        UsageError: one end of the range is missing.
    """
    if (start is None) != (end is None):
        raise UsageError("coverage: give both start and end, or neither")
    span = span_of(ais) if start is None or end is None else _range(start, end)
    thinning = thinning_of([str(path) for path in _listed(stores)])
    return hours_of(ais, port, *span, settings().ais_window_h, thinning)


def reconcile_ais(
    detections: Detections,
    ais: AisData | None,
    port: Port | None = None,
    *,
    reception: str | Path | None = None,
) -> gpd.GeoDataFrame:
    """Hold hulls against what vessels declared, all pairs of an overpass at once.

    Args:
        detections: what `detect` returned.
        ais: what `read_ais` returned; None: every hull is ``no_coverage``.
        port: its zones say which declared vessels get a row; those in the images where None.
        reception: file of statements on the reception of sources that cannot show it themselves.

    Returns:
        A row a hull, and a row a declared vessel that no hull took: points (EPSG:4326) with ``status``,
        ``probability``, ``reasons``, ``distance_m`` and ``dt_s`` (`roadstead.core.schemas.MATCHES`). What is a lead
        among them `roadstead.core.leads` says: a lead has a probability and is never a verdict.

    Raises:
        DetectionsError: a hull's overpass is not in the header.
        BadInputError: the file of statements cannot be used.
    """
    return reconcile(
        detections.table,
        detections.header,
        ais,
        port=port,
        window_h=settings().ais_window_h,
        recall_by_length=detections.model.recall_by_length,
        stated=() if reception is None else read_stated(Path(reception)),
    )


def count(
    detections: Detections, matches: gpd.GeoDataFrame, port: Port, ais: AisData | None = None
) -> pd.DataFrame:
    """Count hulls by zone, overpass, class and length, with 90 % intervals.

    Fixed structures that a store has learnt are not known here; `watch` leaves them out.

    Args:
        detections: what `detect` returned for this port.
        matches: what `reconcile_ais` returned for them.
        port: its zones are counted.
        ais: what `reconcile_ais` was given: where none speaks for an overpass, what was declared is null, never zero.

    Returns:
        `roadstead.core.schemas.COUNTS`: ``value`` is what was found, ``low`` to ``high`` how many hulls were there; all
        three are null where too little of a zone was seen.

    Raises:
        TableError: a row of ``matches`` is none of `reconcile_ais`.
    """
    base, header = settings(), detections.header
    tables = []
    for name in dict.fromkeys(scene.overpass_id for scene in header.scenes):
        scenes = tuple(scene for scene in header.scenes if scene.overpass_id == name)
        heard = cut_ais_window(ais, min(scene.acquired for scene in scenes), base.ais_window_h)
        tables.append(
            counts(
                detections.table[detections.table["overpass_id"] == name],
                matches[matches["overpass_id"] == name],
                replace(header, scenes=scenes),
                port,
                recall_by_length=detections.model.recall_by_length,
                min_visible_fraction=base.min_visible_fraction,
                with_ais=heard is not None,
            )
        )
    return pd.concat(tables, ignore_index=True)


def watch(
    port: Port,
    start: Time,
    end: Time,
    *,
    catalog: str | None = None,
    ais: Paths = (),
    mapping: str | Path | None = None,
    reception: str | Path | None = None,
    store: str | None = None,
    model: str | Path | None = None,
) -> Watched:
    """Search, read, detect, reconcile, count and store: the whole job for one port and time range.

    Doing it again changes nothing; an overpass that fails is stored and named as failed, and the others go on.

    Args:
        port: what to watch.
        start: first day or moment.
        end: last day, or the first moment after the range.
        catalog: as for `search`.
        ais: files or stores; none: counts only.
        mapping: as for `read_ais`.
        reception: as for `reconcile_ais`.
        store: SQLAlchemy URL such as ``sqlite:///my.sqlite``, which `Store.open` takes too; the settings' where None.
        model: as for `detect`.

    Returns:
        ``done``, ``failures`` (overpass or item -> reason), ``missing`` passes, ``quarantine``; the tables are in the
        store.

    Raises:
        EmptySearchError: nothing is listed: not observed, which is not zero ships.
        UpstreamError: no catalogue can be read, or every overpass failed.
        AisError: an AIS file cannot be used.
        UsageError: simulated data would take the place of real in the store, or real of simulated.
    """
    files = tuple(str(path) for path in _listed(ais))
    request = _request(
        port,
        start,
        end,
        catalog=catalog,
        ais=files,
        mapping=mapping,
        reception=reception,
        store=store,
        model=model,
    )
    watched = do_all(request)
    if not watched.done:
        finish(False, watched.failures)
    return watched


def chart(store: Store, port: Port, start: Time, end: Time) -> str:
    """Draw what was observed at a port over time, as the text of an SVG file.

    Args:
        store: where `watch` stored it.
        port: added up over its zones.
        start: first day or moment.
        end: last day, or the first moment after the range.

    Returns:
        Barges, bulk carriers and their sum with 90 % intervals; a band where nothing was observed.

    Raises:
        EmptySearchError: the store holds no pass of this port in this range.
    """
    span = _range(start, end)
    ledger = store.ledger(port.slug, *span)
    if ledger["acquired"].dropna().empty:
        raise EmptySearchError(f"the store holds nothing of {port.slug} in this range; `watch` it first")
    title = f"{port_name(port.slug)}: hulls observed at each pass"
    return count_file(store.counts(port.slug, *span), ledger, title)


def dossier(
    store: Store,
    findings: str | Sequence[str],
    path: str | Path,
    *,
    withhold_ais: Sequence[str] = (),
    imagery: bool = True,
) -> list[Path]:
    """Write all that is known of findings so that others can check it: page, PDF, pixels, AIS, reasons, checksums.

    Args:
        store: where `watch` stored them.
        findings: their ``detection_id``, one or several.
        path: a new folder, or a file that ends in ``.zip``.
        withhold_ais: AIS sources whose rows may not be passed on; ``all`` for every one.
        imagery: read the scenes again for their pixels and items.

    Returns:
        The files written, or the one zip.

    Raises:
        BadInputError: the store holds no such detection.
        UsageError: the folder holds something else.
        StoreError: a file cannot be written.
    """
    names = [findings] if isinstance(findings, str) else list(findings)
    return make_dossier(store, names, Path(path), Asked(tuple(withhold_ais), imagery))


def _request(
    port: Port,
    start: Time,
    end: Time,
    *,
    catalog: str | None = None,
    ais: tuple[str, ...] = (),
    mapping: str | Path | None = None,
    reception: str | Path | None = None,
    store: str | None = None,
    model: str | Path | None = None,
) -> WatchRequest:
    first, last = _range(start, end)
    return watch_request(
        port,
        first,
        last,
        catalog=catalog,
        model=model,
        ais=ais,
        ais_mapping=None if mapping is None else Path(mapping),
        reception=None if reception is None else Path(reception),
        store=store,
    )


def _hints(acquired: Time | None, bands: Mapping[str, int] | None, crs: str | None) -> RasterHints:
    if unknown := sorted(set(bands or ()) - set(BANDS)):
        raise UsageError(f"bands {', '.join(unknown)}: name {', '.join(BANDS)}")
    return RasterHints(None if acquired is None else moment(_text(acquired), "acquired"), bands, crs)


def _range(start: Time, end: Time) -> tuple[datetime, datetime]:
    return time_range(_text(start), _text(end), _NAMES)


def _text(time: Time) -> str:
    return time if isinstance(time, str) else time.isoformat()


def _listed(given: Scene | Sequence[Scene]) -> list[Scene]:
    return [given] if isinstance(given, (str, Path, Overpass)) else list(given)
