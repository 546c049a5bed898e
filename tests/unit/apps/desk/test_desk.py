"""What an analyst sees and decides."""

from __future__ import annotations

import html
import re
import sqlite3
import threading
from datetime import timedelta
from importlib import resources
from pathlib import Path

import pytest

from roadstead.reconcile import CONFLICTS, REASONS
from roadstead.store import Decisions, Store
from roadstead.workflows.export import week_brief
from tests.unit.apps.desk import builders as r
from tests.unit.builders import ACQUIRED, detection, detections
from tests.unit.publish import builders as e
from tests.unit.store import builders as b

REFUSED = ("illegal", "smuggling", "violation", "dark ship")
EVERY = [
    "/",
    "/leads?decided=all",
    "/finding/nampo/d0",
    "/finding/nampo/d1",
    "/vessel/412000001",
    "/precision",
    "/log",
]
EVIL = "</title><script>alert(1)</script><img src=x onerror=alert(2)>\" onfocus='alert(3)"


def listed(page: str) -> list[str]:
    """Return the findings of a queue page in order."""
    return re.findall(r'<h2><a href="/finding/nampo/([^"?]+)', page)


def test_no_word_accuses(ana: r.Browser) -> None:
    ana.decide("d0", kind="rejected:no_vessel")
    ana.decide("d1", kind="corrected", hull_class="other_vessel")
    folder = resources.files("roadstead.apps.desk") / "templates"
    templates = [file.read_text(encoding="utf-8") for file in folder.iterdir()]
    assert len(templates) > 10
    pages = [ana.get(path).text for path in [*EVERY, "/people"]]
    for text in [*templates, *pages]:
        for word in REFUSED:
            assert word not in text.lower()
    assert "never a verdict" in pages[0]


def test_simulated_is_written_on_every_page_that_shows_it(ana: r.Browser) -> None:
    ana.decide("d0", kind="accepted")
    for path in EVERY:
        page = ana.get(path).text
        assert "SIMULATED DATA" in page, path
        assert page.index("<title>SIMULATED") > 0
        assert 'class="sim"' in page, path


def test_real_data_is_not_called_simulated(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'real.sqlite'}") as store:
        scene = b.headers(b.overpass(), simulated=False)
        r.fill(
            store,
            header=scene,
            detections=e.real(r.hulls()),
            matches=e.real(r.matches()),
            counts=e.real(e.counts()[e.counts()["overpass_id"] == b.OVERPASS_ID]),
        )
        r.people(store)
        browser = r.Browser(r.desk(store))
        browser.log_in("ana")
        for path in EVERY[:4]:
            assert "SIMULATED" not in browser.get(path).text


def test_the_overview_tells_counts_gaps_and_what_is_new(store: Store) -> None:
    clock = r.Clock()
    desk = r.desk(store, clock=clock, next_passes=lambda *_: [ACQUIRED + timedelta(days=10)])
    browser = r.Browser(desk)
    browser.log_in("ana")
    page = browser.get("/").text
    assert "Your last visit" not in page
    for words in (
        "Dry cargo (barge + bulk carrier)",
        "[2–4]",
        "= 1 matched + 1 no AIS partner + 1 AIS cannot tell",
    ):
        assert words in page, words
    assert "not observed: too little of the zone was seen. This is not zero." in page
    assert "asset red: HTTP 403" in page
    assert "missing at the provider" in page
    assert "in no catalogue asked: x" in page
    assert "2020-11-13 02:25 UTC" in page
    assert f"{r.LEADS} undecided of {r.LEADS} leads" in page
    clock.pass_by(days=1)
    bob = r.Browser(desk, app=browser.app)
    bob.log_in("bob")
    bob.decide("d0", kind="accepted")
    clock.pass_by(days=1)
    browser.log_in("ana")
    page = browser.get("/").text
    assert "Your last visit began 2026-03-01 12:00 UTC. 1 decision by others since." in page
    assert f"{r.LEADS - 1} undecided of {r.LEADS} leads" in page
    assert re.search(
        r"<b>1</b><span>overpass stored since|<b>[02-9]</b><span>overpasses stored since your last visit",
        page,
    )


def test_a_port_that_was_never_observed_is_not_zero(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'blind.sqlite'}") as store:
        store.record_failure("nampo", "x", ACQUIRED, "HTTP 500")
        page = r.Browser(r.desk(store, open=True)).get("/").text
    assert "nothing is known of its ships. That is not zero." in page


def test_the_queue_holds_leads_alone_newest_and_likeliest_first(ana: r.Browser) -> None:
    assert listed(ana.get("/leads").text) == ["d1", r.UNSEEN, "d3", "d0", "d4", "d5", "d6"]


def test_an_ambiguous_hull_is_a_lead_where_the_probability_is_high(store: Store) -> None:
    given = [
        {
            "detection_id": "d0",
            "status": "ambiguous",
            "probability": 0.81,
            "candidates": "412000001,413000002",
        },
        {"detection_id": "d1", "status": "ambiguous", "probability": 0.79, "candidates": "412000001"},
        {"mmsi": "413000002", "status": "ambiguous", "probability": 0.95, "candidates": "d0"},
    ]
    r.fill(store, matches=b.matches(given))
    browser = r.Browser(r.desk(store, open=True))
    assert listed(browser.get("/leads").text) == ["d0"]
    page = browser.get("/finding/nampo/d0").text
    assert "412000001" in page
    assert "413000002" in page
    assert "candidate" in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("port=nampo", 7),
        ("port=other", 0),
        ("zone=nampo%2Froads", 7),
        ("zone=nampo%2Fquay", 0),
        ("class=barge", 1),
        ("class=bulk_carrier", 5),
        ("kind=no_ais_partner", 5),
        ("kind=conflict", 1),
        ("kind=unseen", 1),
        ("kind=ambiguous", 0),
        ("kind=hull", 0),
        ("code=no_vessel_fits", 5),
        ("code=length", 1),
        ("code=no_vessel", 0),
        ("code=%25", 0),
        ("from=2020-11-03&to=2020-11-03", 7),
        ("from=2020-11-04", 0),
        ("to=2020-11-02", 0),
        ("decided=yes", 1),
        ("decided=no", 6),
        ("decided=all", 7),
        ("decided=nonsense", 6),
        ("page=9999", 7),
    ],
)
def test_filters(ana: r.Browser, query: str, expected: int) -> None:
    if "decided" in query:
        ana.decide("d3", kind="accepted")
    assert len(listed(ana.get(f"/leads?{query}").text)) == expected


def test_the_list_reads_who_asks_and_the_state_of_the_store_once(ana: r.Browser, store: Store) -> None:
    ana.get("/leads")
    with b.asked(store) as statements:
        assert ana.get("/leads").status_code == 200
    asked = [table for statement, _ in statements for table in re.findall(r"FROM (\w+)", statement)]
    assert {name: asked.count(name) for name in ("users", "visits", "matches")} == {
        "users": 1,
        "visits": 1,
        "matches": 1,
    }


def test_days_the_wrong_way_round_are_no_empty_list(ana: r.Browser) -> None:
    answer = ana.get("/leads?from=2020-11-12&to=2020-11-01")
    assert answer.status_code == 400
    assert "to 2020-11-01 is before from 2020-11-12" in answer.text


def test_a_date_that_is_none_is_told(ana: r.Browser) -> None:
    answer = ana.get("/leads?from=yesterday")
    assert answer.status_code == 400
    assert "is no date" in answer.text


def test_a_finding_tells_all_that_is_known(ana: r.Browser) -> None:
    page = html.unescape(ana.get("/finding/nampo/d1").text)
    assert CONFLICTS["length"] in page
    for words in (
        "bulk carrier", "80 %", "140 m – 160 m", "cargo of any kind (70)", "MMSI issued by", "S2A_TEST",
        "served by test", "0" * 64, "a" * 64, "test-model", "Roadstead 0.1.0",
        "report 4 min after the overpass", "TEST",
    ):  # fmt: skip
        assert words in page, words
    page = html.unescape(ana.get("/finding/nampo/d0").text)
    assert REASONS["no_vessel_fits"] in page
    assert "A Class A transmitter here would have been heard with 97 %, a Class B one with 95 %" in page
    assert "This does not say that the ship had to transmit or switched off." in page


def test_the_box_lies_on_the_hull_of_the_cut_out(ana: r.Browser) -> None:
    page = ana.get("/finding/nampo/d0").text
    points = re.findall(r'<polygon points="([^"]+)" fill="none" stroke="#F0E442"', page)
    corners = [tuple(map(float, point.split(","))) for point in points[0].split()]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    # e.hull is 348 m long and 67 m broad, so 34.8 by 6.7 pixels, in the middle of 64; the grid's north is 1.4 degrees
    # off true north here, which adds 0.85 pixels to its height.
    assert max(xs) - min(xs) == pytest.approx(34.8, abs=0.6)
    assert max(ys) - min(ys) == pytest.approx(6.7 + 0.85, abs=0.1)
    assert (max(xs) + min(xs)) / 2 == pytest.approx(32.5, abs=0.51)
    assert (max(ys) + min(ys)) / 2 == pytest.approx(32.5, abs=0.51)
    assert "half a pixel off" not in page
    unknown = r.Browser(r.desk(ana.desk.store, open=True, ports={})).get("/finding/nampo/d0").text
    assert "half a pixel off" in unknown


def test_the_page_of_a_vessel_tells_its_history_sightings_and_positions(ana: r.Browser) -> None:
    page = ana.get("/vessel/412000001").text
    for words in (
        "TEST",
        "cargo of any kind (70)",
        "matched to AIS",
        "38.7000° N 125.3100° E",
        "under way using engine",
    ):
        assert words in page
    assert ana.get("/vessel/999999999").status_code == 404


def test_names_and_notes_are_shown_as_text_and_never_run(ana: r.Browser, store: Store) -> None:
    evil = b.vessels().assign(name=EVIL, destination=EVIL, callsign=EVIL, source=EVIL)
    r.fill(store, vessels=evil)
    ana.decide("d1", kind="corrected", note=EVIL)
    ana.decide("d0", kind="accepted", note="javascript:alert(1)")
    for path in ["/finding/nampo/d1", "/finding/nampo/d0", "/vessel/412000001", "/log", "/leads?decided=all"]:
        page = ana.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert not re.search(r"<[^>]*\sonfocus=", page)
        assert 'href="javascript' not in page
    assert html.escape(EVIL, quote=False)[:30] in ana.get("/log").text
    assert "alert(2)" in ana.get("/vessel/412000001").text
    wrong = ana.get("/leads?zone=" + "%3Cscript%3Ealert(1)%3C/script%3E&from=%3Cscript%3E").text
    assert "<script>" not in wrong


def test_deciding_leads_on_to_the_next_undecided_and_to_the_list_at_the_end(ana: r.Browser) -> None:
    told = []
    finding = "d0"
    for _ in range(r.LEADS):
        answer = ana.decide(finding, kind="accepted", back="port=nampo&decided=no")
        assert answer.status_code == 303
        told.append(r.path_of(answer))
        finding = told[-1].split("/")[-1]
    assert told == [f"/finding/nampo/{name}" for name in ("d4", "d5", "d6", "d1", r.UNSEEN, "d3")] + [
        "/leads"
    ]
    assert "No lead fits these filters." in ana.get("/leads?port=nampo").text


def test_a_decision_in_the_list_stays_in_the_list(ana: r.Browser) -> None:
    page = ana.get("/leads").text
    start = page.index('action="/finding/nampo/d3/decide"')
    fields = dict(
        r.fields_of(page[start : page.index("</form>", start)], "csrf", "seen", "after", "back", "from", "at")
    )
    answer = ana.post("/finding/nampo/d3/decide", {**fields, "kind": "rejected"})
    assert answer.headers["location"] == "/leads?did=1&at=2"
    page = ana.get(answer.headers["location"]).text
    assert listed(page) == ["d1", r.UNSEEN, "d0", "d4", "d5", "d6"]
    assert "Decision 1 is written." in page
    assert 'data-at="2"' in page


def test_a_correction_needs_something_and_holds_it(ana: r.Browser) -> None:
    assert ana.decide("d0", kind="corrected").status_code == 400
    assert ana.decide("d0", kind="corrected", linked_mmsi="12").status_code == 400
    assert ana.decide(
        "d0", kind="corrected", hull_class="barge", linked_mmsi="413000002", note="two\r\nlines"
    )
    page = ana.get("/finding/nampo/d0").text
    assert "class barge" in page
    assert "/vessel/413000002" in page
    (row,) = ana.desk.decisions.standing()
    assert (row.hull_class, row.linked_mmsi, row.note) == ("barge", "413000002", "two\nlines")


def test_undo_leaves_both_rows_and_the_finding_undecided(ana: r.Browser) -> None:
    ana.decide("d0", kind="accepted")
    assert 'data-key="u"' in ana.get("/finding/nampo/d0").text
    assert r.path_of(ana.undo(1)) == "/finding/nampo/d0"
    assert "Undecided." in ana.get("/finding/nampo/d0").text
    assert [row.kind for row in ana.desk.decisions.newest(9)] == ["undone", "accepted"]
    assert ana.undo(1).status_code == 409
    assert ana.undo(99).status_code == 409


def test_another_analyst_cannot_undo_and_an_admin_can(ana: r.Browser) -> None:
    ana.decide("d0", kind="accepted")
    bob = r.Browser(ana.desk, app=ana.app)
    bob.log_in("bob")
    assert "/undo" not in bob.get("/finding/nampo/d0?did=1").text
    assert bob.undo(1).status_code == 400
    ada = r.Browser(ana.desk, app=ana.app)
    ada.log_in("ada")
    assert ada.undo(1).status_code == 303


def test_of_two_who_look_at_one_finding_the_second_is_told(ana: r.Browser) -> None:
    bob = r.Browser(ana.desk, app=ana.app)
    bob.log_in("bob")
    held = dict(r.fields_of(bob.get("/finding/nampo/d0").text, "csrf", "seen", "after", "back"))
    ana.decide("d0", kind="accepted")
    late = bob.post("/finding/nampo/d0/decide", {**held, "kind": "rejected"})
    assert late.status_code == 409
    assert "ana accepted this finding at 2026-03-01 12:00:00 UTC" in late.text
    assert len(ana.desk.decisions.newest(9)) == 1


def test_many_at_once_write_one_whole_chain(ana: r.Browser, store: Store) -> None:
    browsers = []
    for name in ("ana", "bob", "ada"):
        browser = r.Browser(ana.desk, app=ana.app)
        browser.log_in(name)
        browsers.append(browser)
    start, codes = threading.Barrier(3), []

    def work(browser: r.Browser) -> None:
        start.wait()
        for finding in ("d0", "d3", "d4"):
            codes.append(browser.decide(finding, kind="accepted", after="0").status_code)

    threads = [threading.Thread(target=work, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [303] * 3 + [409] * 6
    found = Decisions(store).verify()
    assert (found.rows, found.faults) == (3, ())


def test_what_was_made_anew_while_one_looked_is_not_decided(ana: r.Browser, store: Store) -> None:
    held = dict(r.fields_of(ana.get("/finding/nampo/d0").text, "csrf", "seen", "after", "back"))
    changed = r.matches()
    changed.loc[0, "probability"] = 0.2
    r.fill(store, matches=changed)
    answer = ana.post("/finding/nampo/d0/decide", {**held, "kind": "accepted"})
    assert answer.status_code == 409
    assert "made anew while you looked" in answer.text


def test_a_decision_outlives_its_finding_and_a_change_of_it_is_told(ana: r.Browser, store: Store) -> None:
    ana.decide("d0", kind="accepted", note="seen before")
    changed = r.matches()
    changed.loc[0, "status"] = "no_coverage"
    r.fill(store, matches=changed)
    assert (
        "Made anew since it was decided: status: no_ais_partner → no_coverage."
        in ana.get("/finding/nampo/d0").text
    )
    b.put(store, detections=detections([detection(7)]), matches=b.matches([{"detection_id": "d7"}]))
    page = ana.get("/finding/nampo/d0").text
    assert "No longer in the store" in page
    assert "seen before" in page
    assert "SIMULATED" in page
    assert ana.get("/finding/nampo/d9").status_code == 404


def test_precision_has_n_and_interval_by_model_and_class(ana: r.Browser) -> None:
    ana.decide("d0", kind="accepted")
    ana.decide("d3", kind="rejected:no_vessel")
    ana.decide("d4", kind="rejected")
    ana.decide("d5", kind="corrected", hull_class="other_vessel")
    ana.decide("d1", kind="corrected", note="only a note")
    page = re.sub(r"<[^>]+>", " ", ana.get("/precision").text)
    page = re.sub(r"\s+", " ", page)
    assert "bulk carrier 67 % [21–94 %] 2 of 3 50 % [9–91 %] 1 of 2" in page
    assert "barge 100 % [21–100 %] 1 of 1 none judged" in page
    assert "no AIS partner simulated 25 % [5–70 %] 1 of 4" in page
    assert "Of the 5 decisions that stand." in page


def test_the_log_shows_the_head(ana: r.Browser) -> None:
    ana.decide("d0", kind="accepted")
    assert ana.desk.decisions.verify().head in ana.get("/log").text


def test_a_broken_store_is_told_and_not_shown_as_nothing(ana: r.Browser, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "store.sqlite") as connection:
        connection.execute("DROP TABLE matches")
    connection.close()
    answer = ana.get("/leads")
    assert answer.status_code == 503
    assert "The store does not answer" in answer.text


def test_the_start_page_shows_the_series_with_intervals_gaps_and_the_next_passes(ana: r.Browser) -> None:
    page = ana.get("/").text
    rows = re.findall(r"<title>[^<]*: (?:barge|bulk carrier|dry cargo) [\d.]+ \[[\d.]+–[\d.]+\]", page)
    assert rows, "each point says its count and interval"
    assert re.findall(r"<title>[^<]*: failed</title><rect", page), "a pass that failed is a band"
    assert "The same as a table, with the parts" in page and "which is not zero" in page
    coming = [ACQUIRED + timedelta(days=10), ACQUIRED + timedelta(days=15)]
    desk = r.desk(ana.desk.store, next_passes=lambda *_: coming)
    browser = r.Browser(desk)
    browser.log_in()
    assert all(f"{time:%Y-%m-%d %H:%M} UTC" in browser.get("/").text for time in coming)


def test_the_start_page_names_what_was_stored_since_the_last_visit(ana: r.Browser) -> None:
    assert "New since your last visit" not in ana.get("/").text
    browser = r.Browser(r.desk(ana.desk.store, clock=r.Clock(r.NOW - timedelta(days=9000))))
    browser.log_in("bob")
    browser.desk.clock.pass_by(hours=1)
    again = r.Browser(browser.desk)
    again.log_in("bob")
    page = again.get("/").text
    assert "New since your last visit" in page and "new since your last visit" in again.get("/leads").text


def test_the_brief_of_the_week_is_a_page_of_the_desk(ana: r.Browser) -> None:
    store = ana.desk.store
    desk = r.desk(store, brief=lambda port, end: week_brief(store, e.port(), end))
    browser = r.Browser(desk)
    browser.log_in()
    page = browser.get(f"/brief/nampo?to={ACQUIRED:%Y-%m-%d}").text
    assert "Newest observed overpass" in page and "Leads of these days" in page
    assert "SIMULATED DATA: nothing" in page and "/quicklook/nampo/" in page and "data:" not in page
    empty = browser.get("/brief/nampo?to=2001-01-01").text
    newest = max(store.ledger("nampo")["acquired"].dropna())
    assert "That is not zero" in empty and f"/brief/nampo?to={newest:%Y-%m-%d}" in empty
    assert browser.get("/brief/elsewhere").status_code == 404
    assert browser.get("/brief/nampo?to=monday").status_code == 400


def test_who_is_logged_in_keeps_the_menu_on_a_page_that_is_none(ana: r.Browser) -> None:
    gone = ana.get("/finding/nampo/none")
    assert gone.status_code == 404 and 'href="/leads"' in gone.text and "Log out" in gone.text
    assert "Log out" not in r.Browser(ana.desk).get("/finding/nampo/none").text


def test_a_finding_leads_to_the_map_the_dossier_and_back(ana: r.Browser) -> None:
    page = ana.get("/finding/nampo/d0").text
    assert "/map?port=nampo&amp;finding=d0" in page and "/dossier/nampo/d0.zip" in page
    shown = ana.get("/map?port=nampo&finding=d0").text
    second = int(ACQUIRED.timestamp())
    assert f'data-from="{second}" data-to="{second}"' in shown
    assert f'data-from="{second}"' not in ana.get("/map?port=nampo").text


def test_no_form_stands_in_a_paragraph_where_a_browser_would_tear_it_out(ana: r.Browser) -> None:
    ana.decide("d0", kind="accepted")
    for path in ("/finding/nampo/d0", "/leads?did=1", "/", "/people", "/audit"):
        for paragraph in re.findall(r"<p[ >].*?</p>", ana.get(path).text, re.DOTALL):
            assert "<form" not in paragraph, (path, paragraph)


def test_a_finding_reads_each_thing_once(ana: r.Browser, store: Store) -> None:
    ana.get("/finding/nampo/d1")
    with b.asked(store) as statements:
        assert ana.get("/finding/nampo/d1").status_code == 200
    asked = [table for statement, _ in statements for table in re.findall(r"FROM (\w+)", statement)]
    # Of scenes its own, those before and after; of matches itself and those around it; of reports those of the vessel
    # named and those nearby before and after the overpass; of decisions its own and what is new in the chain.
    several = {"scenes": 3, "matches": 2, "positions": 3, "decisions": 2}
    assert {name: asked.count(name) for name in asked} == {name: several.get(name, 1) for name in asked}
    assert {"users", "vessels", *several} <= set(asked)
