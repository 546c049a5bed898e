"""Nothing goes out that two people have not looked at."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from roadstead.core.wording import accuses
from roadstead.reconcile import REASONS
from roadstead.store import Decisions, People, Store
from tests.unit.apps.desk import builders as r
from tests.unit.apps.desk import releasing as q
from tests.unit.builders import detections
from tests.unit.publish import builders as e

ID = re.compile(r"RS-2026-[2-9A-HJ-KM-NP-Z]{7}")


@pytest.fixture
def clock() -> r.Clock:
    return r.Clock()


@pytest.fixture
def crew(store: Store, tmp_path: Path, clock: r.Clock) -> dict[str, r.Browser]:
    """Return browsers of two analysts, a viewer and an admin."""
    names = ("ana", "bob", "vic", "ada")
    opened = q.browsers(q.desk(store, tmp_path / "ais", clock=clock), *names)
    return dict(zip(names, opened, strict=True))


def kinds(store: Store) -> list[str]:
    return [row.kind for row in reversed(Decisions(store).newest(100))]


def text(answer: Any) -> str:
    return html.unescape(answer.text)


def test_two_people_release_a_finding(store: Store, crew: dict[str, r.Browser]) -> None:
    ana, bob = crew["ana"], crew["bob"]
    page = text(ana.get("/finding/nampo/d0"))
    assert "<b>Draft.</b>" in page
    ana.decide("d0", kind="accepted")
    assert "<b>Reviewed.</b>" in text(ana.get("/finding/nampo/d0"))
    assert q.ask(ana).status_code == 303
    assert "ana asks for release" in text(bob.get("/finding/nampo/d0"))
    shown = text(bob.get("/finding/nampo/d0/release"))
    for words in (q.SUMMARY, REASONS["no_vessel_fits"], "cannot be ruled out", "looked at the image"):
        assert words in shown
    done = q.answer(bob)
    name = r.path_of(done).removeprefix("/released/")
    assert ID.fullmatch(name)
    assert kinds(store) == ["accepted", "asked_release", "released"]
    page = text(ana.get(f"/released/{name}"))
    assert q.SUMMARY in page
    assert "asked for by ana" in page
    assert "<b>Released.</b>" in text(crew["vic"].get("/finding/nampo/d0"))
    assert name in text(crew["vic"].get("/released"))
    assert name in text(crew["vic"].get("/log"))
    found = Decisions(store).verify()
    assert (found.rows, found.faults) == (3, ())


@pytest.mark.parametrize("who", ["ana", "ada"])
def test_whoever_asked_cannot_release_not_even_by_a_forged_post_or_as_admin(
    store: Store, crew: dict[str, r.Browser], who: str
) -> None:
    one = crew[who]
    one.decide("d0", kind="accepted")
    q.ask(one)
    page = text(one.get("/finding/nampo/d0/release"))
    assert "You can't release it: you asked for it yourself" in page
    assert "/release/release" not in page
    refused = q.answer(one)
    assert refused.status_code == 400
    assert "a second person releases" in text(refused)
    assert "released" not in kinds(store)


def test_a_viewer_neither_asks_nor_releases(store: Store, crew: dict[str, r.Browser]) -> None:
    ana, vic = crew["ana"], crew["vic"]
    ana.decide("d0", kind="accepted")
    q.ask(ana)
    csrf = r.tokens(vic.get("/log").text)["csrf"]
    for how in ("ask", "release", "send-back"):
        posted = vic.post(f"/finding/nampo/d0/release/{how}", {"csrf": csrf, "asked": "2", "words": "no"})
        assert posted.status_code == 403
    assert "<button" not in vic.get("/finding/nampo/d0/release").text.split("<main")[1].split("</main")[0]


def test_the_one_whose_decision_alone_stands_cannot_release_what_another_asked(
    store: Store, crew: dict[str, r.Browser]
) -> None:
    ana, bob, ada = crew["ana"], crew["bob"], crew["ada"]
    bob.decide("d0", kind="accepted")
    q.ask(ana)
    refused = q.answer(bob)
    assert refused.status_code == 400
    assert "the only decision that stands is your own" in text(refused)
    assert q.answer(ada).status_code == 303


def test_after_an_undo_the_request_lapses_and_nobody_releases_it(
    store: Store, crew: dict[str, r.Browser]
) -> None:
    ana, bob = crew["ana"], crew["bob"]
    ana.decide("d0", kind="accepted")
    q.ask(ana)
    ana.undo(1)
    assert "lapsed" in text(bob.get("/finding/nampo/d0"))
    for _ in range(2):
        refused = q.answer(bob, asked="2")
        assert refused.status_code == 409
        assert "the request lapsed" in text(refused)
        ana.decide("d0", kind="accepted")  # the same words again are another decision
    assert "released" not in kinds(store)
    q.ask(ana)
    assert q.answer(bob).status_code == 303


def test_bob_cannot_release_on_anas_decision_that_she_took_back(
    store: Store, crew: dict[str, r.Browser]
) -> None:
    """ana decides, bob decides over it and asks, ana takes hers back: bob's alone stands, and ana may release it."""
    ana, bob, ada = crew["ana"], crew["bob"], crew["ada"]
    ana.decide("d0", kind="accepted")
    bob.decide("d0", kind="accepted")
    ana.undo(1)
    q.ask(ada)
    assert "the only decision that stands is your own" in text(q.answer(bob))
    assert q.answer(ana).status_code == 303


def test_a_rerun_that_changes_the_finding_makes_the_request_lapse(
    store: Store, crew: dict[str, r.Browser]
) -> None:
    ana, bob = crew["ana"], crew["bob"]
    ana.decide("d0", kind="accepted")
    q.ask(ana)
    held = dict(r.fields_of(bob.get("/finding/nampo/d0/release").text, "csrf", "asked"))
    table = r.matches()
    table.loc[table["detection_id"] == "d0", "probability"] = 0.72
    r.fill(store, matches=table)
    refused = bob.post("/finding/nampo/d0/release/release", held)
    assert refused.status_code == 409
    assert "lapsed" in text(bob.get("/finding/nampo/d0/release"))
    assert "released" not in kinds(store)


def test_a_finding_that_a_rerun_took_away_is_not_released(store: Store, crew: dict[str, r.Browser]) -> None:
    ana, bob = crew["ana"], crew["bob"]
    ana.decide("d3", kind="accepted")
    q.ask(ana, "d3")
    keep = r.matches()
    r.fill(
        store,
        matches=keep[keep["detection_id"] != "d3"],
        detections=detections([e.hull(i, 125.26 + i / 100, 38.71) for i in (0, 1, 2, 4, 5, 6)]),
        chips={},
    )
    assert q.answer(bob, "d3", asked="2").status_code == 409


def test_an_account_made_after_the_request_does_not_release_it(
    store: Store, crew: dict[str, r.Browser], clock: r.Clock
) -> None:
    ada = crew["ada"]
    ada.decide("d0", kind="accepted")
    q.ask(ada)
    clock.pass_by(minutes=1)
    People(store).add("ada2", "analyst", r.password_hash(), clock())
    (second,) = q.browsers(ada.desk, "ada2")
    refused = q.answer(second)
    assert refused.status_code == 400
    assert "your account was made after the request" in text(refused)
    People(store).add("ada", "analyst", r.password_hash(), clock(), replace=True)
    (again,) = q.browsers(ada.desk, "ADA")
    assert "you asked for it yourself" in text(q.answer(again))


def test_a_forged_request_for_a_finding_nobody_decided_is_refused(
    store: Store, crew: dict[str, r.Browser]
) -> None:
    ana = crew["ana"]
    ana.decide("d3", kind="accepted")
    fields = {**q.form(ana, "d3"), "after": "0"}
    fields |= dict(r.fields_of(ana.get("/finding/nampo/d0").text, "seen"))
    refused = ana.post("/finding/nampo/d0/release/ask", fields)
    assert refused.status_code == 400
    assert "no decision stands" in text(refused)
    ana.decide("d4", kind="rejected:no_vessel")
    fields |= dict(r.fields_of(ana.get("/finding/nampo/d4").text, "seen", "after"))
    assert "no decision stands" in text(ana.post("/finding/nampo/d4/release/ask", fields))


def test_each_code_and_each_explanation_has_to_be_ticked(store: Store, crew: dict[str, r.Browser]) -> None:
    ana = crew["ana"]
    ana.decide("d1", kind="accepted")
    given = q.form(ana, "d1")
    assert "ack.length" in given
    for name in [key for key in given if key.startswith(("ack.", "said.", "why."))] + ["summary"]:
        left = {key: value for key, value in given.items() if key != name}
        refused = ana.post("/finding/nampo/d1/release/ask", left)
        assert refused.status_code == 400, name
        assert 'role="alert"' in refused.text
        assert html.escape(given["why.timing"] if name != "why.timing" else given["summary"]) in refused.text
    assert kinds(store) == ["accepted"]


@pytest.mark.parametrize(
    "words",
    [
        "It was smuggled in here, they say.",
        "A dark vessel, plainly seen here.",
        "This violates a resolution, we think.",
    ],
)
def test_words_that_accuse_are_refused_kindly(store: Store, crew: dict[str, r.Browser], words: str) -> None:
    ana, bob = crew["ana"], crew["bob"]
    ana.decide("d0", kind="accepted")
    for field in ("summary", "why.timing"):
        refused = q.ask(ana, **{field: words})
        assert refused.status_code == 400
        assert "say what was seen" in text(refused)
    name = q.release(ana, bob)
    refused = q.ask(ana, changed=words)
    assert refused.status_code == 400
    csrf = r.tokens(ana.get("/log").text)["csrf"]
    refused = ana.post(f"/released/{name}/retract", {"csrf": csrf, "words": words})
    assert refused.status_code == 400
    assert words in text(refused), "what was written is still there"


def test_a_request_goes_back_with_words_and_can_be_asked_anew(
    store: Store, crew: dict[str, r.Browser]
) -> None:
    ana, bob = crew["ana"], crew["bob"]
    ana.decide("d0", kind="accepted")
    q.ask(ana)
    assert "ana has asked already" in text(bob.post("/finding/nampo/d0/release/ask", _forged(bob, ana)))
    assert q.answer(bob, how="send-back", words=" ").status_code == 400
    assert q.answer(bob, how="send-back", words="say how sure the length is").status_code == 303
    assert "say how sure the length is" in text(ana.get("/finding/nampo/d0"))
    assert q.answer(bob, asked="2").status_code == 409
    q.ask(ana)
    assert q.answer(bob).status_code == 303
    assert kinds(store)[1:] == ["asked_release", "sent_back", "asked_release", "released"]


def _forged(bob: r.Browser, ana: r.Browser) -> dict[str, str]:
    page = bob.get("/finding/nampo/d0").text
    filled = {f"said.{key}": "open" for key in q.EXPLANATIONS} | {
        f"why.{key}": "seen" for key in q.EXPLANATIONS
    }
    given = dict(r.fields_of(page, "csrf", "seen", "after"))
    return {**given, **filled, "ack.no_vessel_fits": "yes", "summary": q.SUMMARY}


def test_a_release_that_was_asked_twice_at_once_is_released_once(
    store: Store, crew: dict[str, r.Browser]
) -> None:
    ana, bob, ada = crew["ana"], crew["bob"], crew["ada"]
    ana.decide("d0", kind="accepted")
    q.ask(ana)
    assert q.answer(bob).status_code == 303
    assert q.answer(ada, asked="2").status_code == 409
    assert kinds(store).count("released") == 1


def test_rows_on_the_way_out_are_no_decisions(store: Store, crew: dict[str, r.Browser]) -> None:
    ana, bob = crew["ana"], crew["bob"]
    name = q.release(ana, bob)
    chain = Decisions(store)
    assert [row.kind for row in chain.standing()] == ["accepted"]
    assert (
        "0 undecided of 1 leads" in ana.get("/leads?code=nothing").text or "decided" in ana.get("/leads").text
    )
    for seq in (2, 3):
        assert bob.undo(seq).status_code == 409, "no row of release is taken back like a decision"
    assert ana.undo(1).status_code == 303
    page = text(ana.get("/finding/nampo/d0"))
    assert "in question: the decision that it was released on was taken back" in page
    assert "Correct or retract it." in page
    assert "in question" in text(ana.get("/released?state=in_question"))
    assert name in text(ana.get("/released?state=in_question"))


def test_another_decision_and_a_changed_status_put_a_release_in_question(
    store: Store, crew: dict[str, r.Browser]
) -> None:
    ana, bob = crew["ana"], crew["bob"]
    q.release(ana, bob)
    ana.decide("d0", kind="accepted", note="still so")
    assert "in question" not in text(ana.get("/finding/nampo/d0"))
    bob.decide("d0", kind="corrected", hull_class="barge")
    assert "in question: it was decided otherwise since" in text(ana.get("/finding/nampo/d0"))
    q.release(ana, bob)
    assert "in question" not in text(ana.get("/finding/nampo/d0")), "the correction says so now"
    table = r.matches()
    table.loc[table["detection_id"] == "d0", "status"] = "no_coverage"
    r.fill(store, matches=table)
    assert "a rerun changed its status" in text(ana.get("/finding/nampo/d0"))
    bob.decide("d0", kind="rejected")
    assert "it was rejected since" in text(ana.get("/finding/nampo/d0"))


def test_a_correction_needs_two_people_and_keeps_the_id(store: Store, crew: dict[str, r.Browser]) -> None:
    ana, bob = crew["ana"], crew["bob"]
    name = q.release(ana, bob)
    other = "A hull of about 140 m lay in the roads; no vessel heard fits it."
    assert q.ask(ana, summary=other).status_code == 303
    assert q.SUMMARY in text(ana.get(f"/released/{name}")), "until it is released the old words stand"
    assert q.answer(ana).status_code == 400
    assert r.path_of(q.answer(bob)) == f"/released/{name}"
    page = text(ana.get(f"/released/{name}"))
    assert other in page
    assert "the length was read from the wrong box" in page
    assert "released, corrected since" in page
    forged = {**q.form(ana), "corrects": "", "changed": ""}
    assert f"it is out as {name}" in text(ana.post("/finding/nampo/d0/release/ask", forged))


def test_a_box_drawn_anew_is_what_is_released_and_every_page_says_so(
    crew: dict[str, r.Browser], store: Store
) -> None:
    ana, bob = crew["ana"], crew["bob"]
    first = q.release(ana, bob)
    as_found = text(bob.get(f"/released/{first}"))
    assert "as drawn" not in as_found and ", 80 %]" in as_found
    drawn = [{"box": [[10, 30], [40, 30], [40, 34], [10, 34]], "class": "barge"}]
    assert ana.decide("d0", kind="corrected", boxes=json.dumps(drawn)).status_code == 303
    assert "in question" in text(bob.get(f"/released/{first}")), "it is out with the box as found"
    shown = text(ana.get("/finding/nampo/d0/release"))
    assert re.search(r"goes out as drawn: \d+ × \d+ m.* → 300 × 40 m", shown)
    assert q.ask(ana).status_code == 303
    assert "it goes out as drawn" in text(bob.get("/finding/nampo/d0/release"))
    assert q.answer(bob).status_code == 303
    page = text(bob.get(f"/released/{first}"))
    assert "300 m long and 40 m wide as drawn by ana, so without an interval; as found" in page
    (feature,) = json.loads(bob.get("/export/released.geojson").content)["features"]
    told = feature["properties"]
    assert (told["box_by"], told["length_m"], told["length_low_m"]) == ("analyst", 300.0, None)


def test_a_retracted_finding_stays_listed_and_a_new_release_has_a_new_id(
    store: Store, crew: dict[str, r.Browser]
) -> None:
    ana, bob = crew["ana"], crew["bob"]
    name = q.release(ana, bob)
    csrf = r.tokens(ana.get("/log").text)["csrf"]
    assert ana.post(f"/released/{name}/retract", {"csrf": csrf, "words": "short"}).status_code == 400
    said = "The hull is the pier that was built in spring."
    assert ana.post(f"/released/{name.lower()}/retract", {"csrf": csrf, "words": said}).status_code == 303
    assert "retracted already" in text(ana.post(f"/released/{name}/retract", {"csrf": csrf, "words": said}))
    for path in (f"/released/{name}", "/released", "/finding/nampo/d0", "/log"):
        assert said in text(ana.get(path)), path
    assert "<b>Reviewed.</b>" in text(ana.get("/finding/nampo/d0"))
    again = q.release(ana, bob)
    assert again != name
    assert kinds(store)[-4:] == ["released", "retraction", "asked_release", "released"]


def test_a_reply_stands_word_for_word_wherever_the_finding_is_shown(
    store: Store, crew: dict[str, r.Browser]
) -> None:
    ana, bob = crew["ana"], crew["bob"]
    name = q.release(ana, bob)
    csrf = r.tokens(ana.get("/log").text)["csrf"]
    said = "We deny any illegal act.\n<script>alert(1)</script> It carried fertiliser."
    given = {"csrf": csrf, "sender": "The owner", "received": "2026-02-27", "text": said}
    assert ana.post(f"/released/{name}/reply", {**given, "received": "2027-01-01"}).status_code == 400
    assert ana.post(f"/released/{name}/reply", {**given, "received": "soon"}).status_code == 400
    assert ana.post(f"/released/{name}/reply", {**given, "text": " "}).status_code == 400
    assert ana.post(f"/released/{name}/reply", given).status_code == 303
    for path in (f"/released/{name}", "/finding/nampo/d0", "/log"):
        page = ana.get(path).text
        assert "<script>alert" not in page
        assert said in html.unescape(page), path
        assert "verbatim" in page
        assert "The owner" in page


def test_no_page_on_the_way_out_accuses_and_all_say_simulated(crew: dict[str, r.Browser]) -> None:
    ana, bob = crew["ana"], crew["bob"]
    ana.decide("d1", kind="accepted")
    pages = [ana.get("/finding/nampo/d1/release").text]
    q.ask(ana, "d1")
    pages.append(bob.get("/finding/nampo/d1/release").text)
    name = r.path_of(q.answer(bob, "d1"))
    pages += [
        bob.get(path).text
        for path in (name, "/released", "/finding/nampo/d1", "/log", "/finding/nampo/d1/release")
    ]
    for page in pages:
        assert accuses(html.unescape(re.sub(r"<[^>]+>", " ", page))) is None
        assert "SIMULATED DATA" in page
        assert 'class="sim"' in page


def test_addresses_that_name_nothing_are_not_found(crew: dict[str, r.Browser]) -> None:
    ana, bob = crew["ana"], crew["bob"]
    name = q.release(ana, bob)
    wrong = name[:-1] + ("2" if name[-1] != "2" else "3")
    for path in (
        f"/released/{wrong}",
        "/released/x",
        "/released/RS-2026-2222222",
        "/finding/nampo/d99/release",
    ):
        assert ana.get(path).status_code == 404
    assert r.path_of(ana.get(f"/released/{name.lower()}")) == f"/released/{name}"


def test_other_sites_cannot_release(store: Store, crew: dict[str, r.Browser]) -> None:
    ana, bob = crew["ana"], crew["bob"]
    ana.decide("d0", kind="accepted")
    q.ask(ana)
    asked = dict(r.fields_of(bob.get("/finding/nampo/d0/release").text, "csrf", "asked"))
    path = "/finding/nampo/d0/release/release"
    assert bob.post(path, {**asked, "csrf": ""}).status_code == 403
    assert bob.post(path, asked, headers={"origin": "https://evil.example"}).status_code == 403
    stolen = dict(r.fields_of(ana.get("/finding/nampo/d0/release").text, "csrf"))
    assert bob.post(path, {**asked, **stolen}).status_code == 403
    assert "released" not in kinds(store)


def test_filters_of_the_list(crew: dict[str, r.Browser]) -> None:
    ana, bob = crew["ana"], crew["bob"]
    first, second = q.release(ana, bob, "d0"), q.release(ana, bob, "d1")
    shown = {
        "": {first, second},
        "?port=other": set(),
        "?status=matched": {second},
        "?class=bulk_carrier": {first},
        "?state=retracted": set(),
        "?state=released&port=nampo": {first, second},
    }
    for query, expected in shown.items():
        assert set(ID.findall(ana.get(f"/released{query}").text)) == expected, query


def test_files_for_the_outside_are_redacted_and_taking_others_is_written_down(
    store: Store, crew: dict[str, r.Browser]
) -> None:
    ana, bob, vic = crew["ana"], crew["bob"], crew["vic"]
    q.release(ana, bob, "d1")
    for kind in ("geojson", "csv"):
        file = vic.get(f"/export/released.{kind}")
        assert file.status_code == 200
        assert "attachment" in file.headers["content-disposition"]
        assert "412000001" not in file.text
        assert "RS-2026-" in file.text
        assert "SIMULATED" in file.text
    assert "exported" not in kinds(store)
    assert vic.get("/export/released.exe").status_code == 404
    csrf = r.tokens(vic.get("/log").text)["csrf"]
    assert vic.post("/export/unredacted.csv", {"csrf": csrf}).status_code == 403
    assert vic.get("/export/unredacted.csv").status_code == 405
    csrf = r.tokens(ana.get("/released").text)["csrf"]
    assert ana.post("/export/unredacted.csv", {"csrf": csrf}).status_code == 200
    row = Decisions(store).newest(1)[0]
    assert (row.kind, row.user_name, row.more["by"]) == ("exported", "ana", "browser")
    assert "taken out unredacted" in vic.get("/log").text
    assert Decisions(store).verify().faults == ()
