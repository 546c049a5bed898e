"""The order of leads, what lists add to it, and that the queue in memory never differs from the store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from roadstead.ais.identity.watchlists import Entry, Watchlist
from roadstead.apps.desk.watchlist_hits import HIT, MMSI_ALONE, Listed, Told
from roadstead.store import Attachment, LeadFilter, Queue, Store
from tests.unit.apps.desk import builders as r
from tests.unit.apps.desk import releasing as q
from tests.unit.builders import ACQUIRED, detections
from tests.unit.publish import builders as e
from tests.unit.store import builders as b

DAY = ACQUIRED.date()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        yield opened


def one_of(index: int, probability: float, length: float, **match: object) -> tuple[dict, dict]:
    hull = e.hull(
        index, 125.2 + index / 100, 38.7, length_m=length, length_low_m=length - 5, length_high_m=length + 5
    )
    row = {"detection_id": f"d{index}", "status": "no_ais_partner", "probability": probability, **match}
    return hull, row


def put(store: Store, *pairs: tuple[dict, dict], **changes: object) -> None:
    hulls, rows = zip(*pairs, strict=True)
    b.put(store, detections=detections(list(hulls)), matches=b.matches(list(rows)), chips={}, **changes)


def order(store: Store, sort: str = "matters", **given: object) -> list[str]:
    ranked = Queue(store).ranked(LeadFilter(), sort, **given)
    return [ranked.key(i).finding for i in range(len(ranked))]


def test_the_likelier_comes_first_and_of_about_equal_ones_the_longer(store: Store) -> None:
    put(store, one_of(0, 0.91, 80), one_of(1, 0.94, 60), one_of(2, 0.97, 50), one_of(3, 0.81, 240))
    assert order(store) == ["d2", "d0", "d1", "d3"]
    assert order(store, "likeliest") == ["d2", "d1", "d0", "d3"]
    assert order(store, "longest") == ["d3", "d0", "d1", "d2"]
    assert order(store, "newest") == ["d2", "d1", "d0", "d3"]


def test_what_is_on_a_list_and_what_is_new_come_before(store: Store) -> None:
    put(store, one_of(0, 0.97, 80), one_of(1, 0.85, 60))
    later = b.overpass("nampo_s2_20201108T022541", b.scene("S2B_LATER", ACQUIRED + timedelta(days=5)))
    key = {"overpass_id": later.overpass_id}
    hull, row = one_of(7, 0.82, 50, **key)
    made = detections([{**hull, **key}])
    b.put(store, later, detections=made, matches=b.matches([row]), chips={}, counts=e.counts().iloc[:0])
    since = store.acquisitions("nampo")["stored"].max().to_pydatetime()
    assert order(store) == ["d0", "d1", "d7"]
    assert order(store, since=since) == ["d7", "d0", "d1"]
    assert order(store, since=since, ranks={("nampo", "d1"): 1}) == ["d1", "d7", "d0"]


def test_the_queue_follows_the_store_and_the_chain(store: Store) -> None:
    put(store, one_of(0, 0.97, 80), one_of(1, 0.85, 60))
    r.people(store)
    browser = r.Browser(r.desk(store))
    browser.log_in()
    queue = browser.desk.queue
    assert len(queue.ranked(LeadFilter()).undecided) == 2
    browser.decide("d0", kind="accepted")
    browser.decide("d1", kind="rejected")
    assert queue.ranked(LeadFilter()).decided == {("nampo", "d0"): "accepted", ("nampo", "d1"): "rejected"}
    browser.undo(2)
    assert queue.ranked(LeadFilter()).decided == {("nampo", "d0"): "accepted"}
    assert [queue.ranked(LeadFilter()).key(i).decided for i in (0, 1)] == ["accepted", None]
    put(store, one_of(5, 0.9, 70))
    assert [key for _, key in queue.ranked(LeadFilter()).table.keys] == ["d5"]


def test_files_and_rows_on_the_way_out_decide_nothing(store: Store) -> None:
    """The queue reads the chain by itself, so it has to agree with `Decisions.standing` after rows of every kind."""
    put(store, one_of(0, 0.97, 80), one_of(1, 0.85, 60))
    r.people(store)
    ana, bob = q.browsers(r.desk(store), "ana", "bob")
    queue = Queue(store)

    def agree() -> dict[tuple[str, str], str]:
        standing = {(row.port, row.finding): row.kind for row in ana.desk.decisions.standing()}
        assert queue.ranked(LeadFilter()).decided == Queue(store).ranked(LeadFilter()).decided == standing
        return standing

    attached = {"port": "nampo", "overpass_id": b.OVERPASS_ID, "finding": "d1", "evidence": {}}
    file = Attachment("a.txt", "text/plain", b"a", None, "CC0 1.0", True, "")
    ana.desk.attachments.add(file, **attached, simulated=True, user="ana", now=r.NOW)
    details = {"by": "browser", "ids": [], "filters": "none", "sha256": {}}
    assert agree() == {}, "a file attached leaves it undecided"
    name = q.release(ana, bob, "d0")
    assert agree() == {("nampo", "d0"): "accepted"}
    ana.desk.releases.retract(name, "the length was wrong", "ana", r.NOW)
    ana.desk.releases.exported("nampo", details, True, "ana", r.NOW)
    assert agree() == {("nampo", "d0"): "accepted"}
    decided = next(row for row in ana.desk.decisions.of("nampo", "d0") if row.kind == "accepted")
    ana.undo(decided.seq)
    assert agree() == {}
    assert ana.desk.decisions.verify().faults == ()


def conflicting(store: Store, **vessel: object) -> None:
    """Store a match with a conflict to 412000001, which declared an IMO number."""
    given = {"status": "matched", "mmsi": "412000001", "conflicts": "length", "reasons": "position_fits"}
    declared = b.vessels().assign(**{"imo": "9074729", "name": "TEST", **vessel})
    put(store, one_of(0, 0.97, 80), one_of(1, 0.85, 60, **given), vessels=declared)


def listed(store: Store, *entries: Entry, retrieved: date = date(2021, 1, 1)) -> Told:
    queue = Queue(store)
    return Listed(queue, [Watchlist("UN 1718", retrieved, "told", entries)]).of(queue.table())


def test_a_hit_by_imo_number_comes_first_and_says_so_in_words(store: Store) -> None:
    conflicting(store)
    r.people(store)
    entry = Entry(("OTHER NAME",), imo="9074729", listed=date(2018, 3, 30))
    lists = (Watchlist("UN 1718", date(2021, 1, 1), "told", (entry,)),)
    browser = r.Browser(r.desk(store, lists=lists))
    browser.log_in()
    page = browser.get("/leads").text
    assert re.findall(r'<h2><a href="/finding/nampo/([^"?]+)', page) == ["d1", "d0"]
    assert (
        "Names a vessel on a list as of the overpass: UN 1718 (list of 2021-01-01, listed 2018-03-30)" in page
    )
    assert "on a list as of the overpass" in browser.get("/finding/nampo/d1").text
    assert "on a list" not in browser.get("/finding/nampo/d0").text


def test_a_page_made_of_an_older_state_takes_nothing_from_one_of_the_newer(store: Store) -> None:
    queue = Queue(store)
    lists = [
        Watchlist(
            "UN 1718", date(2021, 1, 1), "told", (Entry(("X",), imo="9074729", listed=date(2018, 3, 30)),)
        )
    ]
    on_lists, older = Listed(queue, lists), queue.table()
    conflicting(store)
    newer = on_lists.of(queue.table())
    assert on_lists.of(older).found == {}
    assert newer.ranks == {("nampo", "d1"): HIT} and newer.words(("nampo", "d1"))
    assert on_lists.of(queue.table()).ranks == newer.ranks


def test_an_mmsi_alone_counts_less_than_an_imo_number(store: Store) -> None:
    conflicting(store, imo=None)
    found = listed(store, Entry(("X",), mmsi="412000001", listed=date(2018, 3, 30)))
    assert found.ranks == {("nampo", "d1"): MMSI_ALONE}
    assert "one identifier, which another ship may use" in found.words(("nampo", "d1"))[0]
    found = listed(store, Entry(("TEST",), mmsi="412000001", listed=date(2018, 3, 30)))
    assert found.ranks == {("nampo", "d1"): HIT}


@pytest.mark.parametrize(
    "entry",
    [
        Entry(("X",), imo="9074729", listed=DAY + timedelta(days=1)),
        Entry(("X",), imo="9074729", listed=date(2017, 1, 1), delisted=DAY),
        Entry(("TEST",), listed=date(2017, 1, 1)),
        Entry(("TEST",), imo="9176187", mmsi="412000001", listed=date(2017, 1, 1)),
    ],
    ids=["listed later", "delisted by then", "a name alone", "another hull's IMO number"],
)
def test_what_did_not_stand_on_the_day_or_means_another_hull_is_no_hit(store: Store, entry: Entry) -> None:
    conflicting(store)
    assert listed(store, entry).ranks == {}


def test_what_was_declared_after_the_overpass_is_not_looked_at(store: Store) -> None:
    conflicting(store, imo=None)
    late = b.vessels().assign(imo="9074729", time=b.vessels()["time"] + timedelta(days=9))
    taken = b.overpass("nampo_s2_20201112T022541", b.scene("S2B_LATER", ACQUIRED + timedelta(days=9)))
    b.put(
        store,
        taken,
        detections=detections([]),
        matches=b.matches([]),
        chips={},
        vessels=late,
        counts=e.counts().iloc[:0],
    )
    assert listed(store, Entry(("X",), imo="9074729", listed=date(2018, 1, 1))).ranks == {}


def test_an_older_list_says_that_it_is_older(store: Store) -> None:
    conflicting(store)
    found = listed(store, Entry(("X",), imo="9074729"), retrieved=date(2019, 1, 1))
    assert "older than the overpass" in found.words(("nampo", "d1"))[0]
    assert "listing date not given" in found.words(("nampo", "d1"))[0]


def test_an_unknown_order_is_taken_as_the_usual_one(store: Store) -> None:
    put(store, one_of(0, 0.91, 80), one_of(1, 0.97, 60))
    r.people(store)
    browser = r.Browser(r.desk(store))
    browser.log_in()
    pages = [browser.get(f"/leads{query}").text for query in ("", "?sort=nonsense", "?sort=longest")]
    found = [re.findall(r'<h2><a href="/finding/nampo/([^"?]+)', page) for page in pages]
    assert found == [["d1", "d0"], ["d1", "d0"], ["d0", "d1"]]
