"""One rule for a lead: every page, file, message and count holds the same list, by kind."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point
from sqlalchemy import select
from typer.testing import CliRunner

from flows import alerts
from roadstead.apps.cli.main import app
from roadstead.apps.desk.ogc.features import CatalogFeatures
from roadstead.core.atomic_files import text_of_cell
from roadstead.core.leads import (
    LEAD_KINDS,
    LEAD_WORDS,
    SURE_AMBIGUOUS,
    WITHOUT_AIS,
    leads_by_kind,
    leads_of,
    with_lead_kind,
    without_ais,
)
from roadstead.core.schemas import STATUSES
from roadstead.publish import ReportData
from roadstead.publish.brief.compose import brief_of
from roadstead.publish.formats.cues import cue_table
from roadstead.publish.report.rows import leads as report_leads
from roadstead.reconcile import CONFLICTS, REASONS
from roadstead.store import LeadFilter, Leads, Queue, Store
from roadstead.store.feature_pages import FeatureQuery
from roadstead.store.leads import FINDING, is_lead, lead_kind
from roadstead.workflows.export import export_ports, port_report
from roadstead.workflows.status import metrics_text, port_status
from tests.unit.apps.desk import builders as r
from tests.unit.publish import builders as e
from tests.unit.store import builders as b
from tests.unit.workflows.requests import request as watch_request

START, END = e.START, e.END
HULLS = 7


def as_text(cell: object) -> object:
    """Return a cell without the mark by which spreadsheets leave it as text."""
    return text_of_cell(cell) if isinstance(cell, str) else cell


def row(hull: int | None, status: str, **more: Any) -> dict[str, Any]:
    """Return a match: of a hull, or of a vessel that no hull took."""
    seen = {"detection_id": None if hull is None else f"d{hull}", "reasons": "", "zone": e.ROADS}
    place = Point(125.26 + (hull or 0) / 100, 38.71)
    return {**seen, "status": status, "geometry": place, **more}


EVERY_KIND = [
    row(0, "no_ais_partner", probability=0.9, reasons="no_vessel_fits"),
    row(1, "matched", mmsi="412000001", conflicts="length,flag", probability=0.99),
    row(2, "ambiguous", probability=0.8, candidates="412000001,413000002"),
    row(3, "no_coverage", probability=1.0, reasons="no_ais_in_window"),
    row(None, "unseen", mmsi="413000002", probability=0.9, reasons="clear_no_detection"),
    row(None, "not_visible", mmsi="414000003", probability=0.9, reasons="too_small", conflicts="two_places"),
    # No leads: a match without conflict, an unsure pair, too little reception, and the vessels' side of an ambiguity.
    row(4, "matched", mmsi="415000004", probability=0.99),
    row(5, "ambiguous", probability=0.79, candidates="412000001"),
    row(6, "no_coverage", probability=0.97, reasons="reception_low"),
    row(None, "ambiguous", mmsi="416000005", probability=0.95, candidates="d5"),
]
EXPECTED = {
    "d0": "no_ais_partner",
    "d1": "conflict",
    "d2": "ambiguous",
    "d3": "hull",
    f"413000002@{b.OVERPASS_ID}": "unseen",
    f"414000003@{b.OVERPASS_ID}": "conflict",
}
BLIND = [row(hull, "no_coverage", probability=1.0, reasons="no_ais_given") for hull in range(HULLS)]
BLIND_EXPECTED = {f"d{hull}": "hull" for hull in range(HULLS)}


@dataclass(frozen=True)
class World:
    """A store, and the leads that it holds."""

    store: Store
    url: str
    expected: dict[str, str]
    """Finding -> kind."""

    @property
    def by_kind(self) -> dict[str, int]:
        counted = Counter(self.expected.values())
        return {kind: counted[kind] for kind in LEAD_KINDS}


@pytest.fixture(scope="module", params=["every kind", "no AIS"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    heard = request.param == "every kind"
    url = f"sqlite:///{tmp_path_factory.mktemp('leads') / 'store.sqlite'}"
    with Store.open(url) as store:
        r.fill(store, matches=b.matches(EVERY_KIND if heard else BLIND), with_ais=heard)
        yield World(store, url, EXPECTED if heard else BLIND_EXPECTED)


def key(row: Any) -> str:
    """Return what a finding is known by."""
    return row["detection_id"] or f"{row['mmsi']}@{row['overpass_id']}"


def test_the_world_has_all_five_kinds() -> None:
    assert set(EXPECTED.values()) == set(LEAD_KINDS) == set(LEAD_WORDS)
    assert len(LEAD_KINDS) == 5


def test_the_queue_of_the_desk(world: World) -> None:
    ranked = Queue(world.store).ranked(LeadFilter())
    held = {ranked.key(i).finding for i in range(len(ranked))}
    assert held == set(world.expected)
    for kind in LEAD_KINDS:
        assert len(Queue(world.store).ranked(LeadFilter(kind=kind))) == world.by_kind[kind]
    page = r.Browser(r.desk(world.store, open=True)).get("/leads?decided=all").text
    shown = re.findall(r'<h2><a href="/finding/nampo/([^"?]+)', page)
    assert sorted(name.replace("%40", "@") for name in shown) == sorted(world.expected)
    assert f"{len(world.expected)} undecided of {len(world.expected)} with these filters" in page


def test_the_report_the_brief_and_the_cues(world: World) -> None:
    report = port_report(world.store, e.port(), START, END)
    listed = report_leads(report, ReportData((report,), START, END, REASONS, CONFLICTS, {}))
    assert {lead.key.replace(" ", "@"): lead.kind for lead in listed} == world.expected
    told = {LEAD_WORDS[kind]: n for kind, n in world.by_kind.items() if n}
    assert dict(brief_of(report, START, END).leads) == told
    cues = cue_table(report)
    assert {key(cue): cue["kind"] for cue in cues.to_dict("records")} == world.expected


def test_notifications(world: World) -> None:
    wanted = replace(watch_request(), port=e.port(), store_url=world.url, start=START, end=END)
    told = alerts.leads(wanted)
    assert {key(one): one["lead"] for one in told.to_dict("records")} == world.expected
    assert all(alerts.lead_words(one) for one in told.to_dict("records"))
    assert list(told["lead"].eq("hull")) == sorted(told["lead"].eq("hull")), "hulls without AIS come last"


def test_files_and_the_ogc_api(world: World, tmp_path: Path) -> None:
    export_ports(world.store, [e.port()], START, END, tmp_path, ("geojson", "gpkg", "csv", "geoparquet"))
    written = json.loads((tmp_path / "nampo-matches.geojson").read_text())["features"]
    served = CatalogFeatures(world.store, {"nampo": e.port()})
    page = served.page("matches", FeatureQuery(limit=1000)).features
    tables = [
        [one["properties"] for one in written],
        [one["properties"] for one in page],
        gpd.read_file(tmp_path / "nampo.gpkg", layer="matches").to_dict("records"),
        gpd.read_parquet(tmp_path / "nampo-matches.parquet").to_dict("records"),
        pd.read_csv(tmp_path / "nampo-matches.csv", dtype=str).map(as_text).to_dict("records"),
    ]
    for rows in tables:
        leads = [
            {name: None if pd.isna(v) else v for name, v in one.items() if name != "geometry"} for one in rows
        ]
        assert {key(one): one["lead"] for one in leads if one["lead"]} == world.expected


def test_the_status_and_its_metrics(world: World) -> None:
    status = port_status(world.store, "nampo")
    assert status.leads == world.by_kind == Leads(world.store).counted("nampo")
    assert status.document()["leads"] == world.by_kind
    page = metrics_text([status]).decode()
    for kind, n in world.by_kind.items():
        assert f'roadstead_leads{{kind="{kind}",port="nampo"}} {n}.0' in page
    said = CliRunner().invoke(app, ["status", "nampo", "--store", world.url, "--json"])
    assert json.loads(said.stdout)[0]["leads"] == world.by_kind


@pytest.mark.parametrize("world", ["no AIS"], indirect=True)
def test_where_there_was_no_ais_nothing_is_said_of_vessels_heard(world: World, tmp_path: Path) -> None:
    browser = r.Browser(r.desk(world.store, open=True))
    export_ports(world.store, [e.port()], START, END, tmp_path, ("report", "kmz", "brief"))
    told = alerts.leads(replace(watch_request(), port=e.port(), store_url=world.url, start=START, end=END))
    texts = [
        *(browser.get(path).text for path in ("/", "/leads", "/finding/nampo/d0", "/map/card/nampo/d0")),
        re.sub(r"<script.*?</script>", "", (tmp_path / "report.html").read_text(), flags=re.DOTALL),
        *(alerts.lead_words(one) for one in told.to_dict("records")),
    ]
    for text in texts:
        assert "no vessel heard fits" not in text
        assert "no AIS coverage" not in text
        assert "over 99 %" not in text
    finding = browser.get("/finding/nampo/d0").text
    assert "Chance that it is a vessel at all; there was no AIS to hold it against" in finding
    assert "<b>90 %</b>" in finding, "p_vessel of the hull"


def some(words: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(words), max_size=3, unique=True).map(",".join)


ANY_ROW = st.fixed_dictionaries(
    {
        "detection_id": st.booleans(),
        "status": st.sampled_from(STATUSES),
        "conflicts": some(tuple(CONFLICTS)),
        "reasons": some((*REASONS, "xno_ais_given", "no_ais_given_")),
        "probability": st.sampled_from([0.0, 0.5, 0.79999, SURE_AMBIGUOUS, 0.80001, 1.0]),
    }
)


@pytest.fixture(scope="module")
def any_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('any') / 'store.sqlite'}") as store:
        yield store


@settings(max_examples=20)
@given(rows=st.lists(ANY_ROW, max_size=30))
def test_the_store_asks_for_the_same_rows_by_the_same_rule(
    any_store: Store, rows: list[dict[str, Any]]
) -> None:
    table = [
        row(None, "unseen")
        | one
        | {"detection_id": f"d{i}" if one["detection_id"] else None, "mmsi": f"{i:09d}"}
        for i, one in enumerate(rows)
    ]
    matches = b.matches(table)
    b.put(any_store, matches=matches, with_ais=True)
    with any_store.transaction(writes=False) as connection:
        kinds = {name: kind for name, kind in connection.execute(select(FINDING, lead_kind()))}
        leads = set(connection.scalars(select(FINDING).where(is_lead())))
    named = with_lead_kind(matches).to_dict("records")
    assert kinds == {key(one): one["lead"] for one in named}
    assert leads == {key(one) for one in leads_of(matches).to_dict("records")}
    assert leads_by_kind(matches) == {kind: list(kinds.values()).count(kind) for kind in LEAD_KINDS}


def test_a_hull_without_ais_is_told_by_its_reason() -> None:
    for reason in WITHOUT_AIS:
        assert without_ais("no_coverage", f"contested,{reason}")
        assert not without_ais("no_ais_partner", reason)
    assert not without_ais("no_coverage", "reception_unknown")


def test_a_table_without_rows_has_no_leads() -> None:
    assert list(leads_of(b.matches([])).columns) == list(with_lead_kind(b.matches([])).columns)
    assert leads_by_kind(b.matches([])) == dict.fromkeys(LEAD_KINDS, 0)
