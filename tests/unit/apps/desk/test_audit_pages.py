"""The audit's pages: what the model found stays hidden, people are told apart, and nonsense is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from httpx2 import Response
from PIL import Image

from roadstead.store import AuditCell, Audits, Store
from roadstead.workflows.audit import draw_cells
from tests.unit.apps.desk import builders as r
from tests.unit.audit import builders as a

BOX = {"box": [[40, 30], [44, 30], [44, 54], [40, 54]], "class": "barge"}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with drawn cells and people."""
    folder = tmp_path_factory.mktemp("audit")
    path = folder / "store.sqlite"
    with Store.open(f"sqlite:///{path}") as store:
        item = a.write_image(folder)
        for number in range(2):
            a.put(store, item, number)
        r.people(store)
        draw_cells(store, [a.port()], 12, 1, a.NOW)
    return path


@pytest.fixture
def store(filled: Path, tmp_path: Path) -> Iterator[Store]:
    copy = tmp_path / "store.sqlite"
    copy.write_bytes(filled.read_bytes())
    with Store.open(f"sqlite:///{copy}") as opened:
        yield opened


def browser(store: Store, name: str) -> r.Browser:
    made = r.Browser(r.desk(store, ports={"nampo": a.port()}))
    assert made.log_in(name).status_code == 303
    return made


@pytest.fixture
def ana(store: Store) -> r.Browser:
    return browser(store, "ana")


def cell_of(store: Store, second: bool = False) -> AuditCell:
    return next(cell for cell in Audits(store).cells() if cell.second is second)


def submit(who: r.Browser, cell: AuditCell, boxes: Any = (), **fields: str) -> Response:
    """Answer as the page's form does; boxes as JSON text or as a list."""
    page = who.get(f"/audit/{cell.cell}")
    held = dict(r.fields_of(page.text, "csrf", "corrects"))
    text = boxes if isinstance(boxes, str) else json.dumps(list(boxes))
    answer = "boxes" if boxes else "none"
    return who.post(f"/audit/{cell.cell}", {"answer": answer, "boxes": text, **held, **fields})


def test_no_page_or_picture_gives_away_what_the_model_found(store: Store, ana: r.Browser) -> None:
    pages = [ana.get("/audit").text]
    shown: dict[bool, set[str]] = {True: set(), False: set()}
    for cell in Audits(store).cells():
        page = ana.get(f"/audit/{cell.cell}").text
        pages.append(page)
        assert 'name="boxes" value="[]"' in page
        # What is left when the cell's own place, time and water are taken out is the same with and without hulls.
        plain = re.sub(r'd="M[^"]*"', "", page).replace(cell.cell, "")
        for own in (
            r.desk(store, ports={"nampo": a.port()}).zone_name(cell.zone, "nampo"),
            f"{cell.acquired:%Y-%m-%d}",
        ):
            plain = plain.replace(own, "")
        plain = re.sub(r'(width|height|viewBox|data-look)="[^"]*"', "", plain)
        shown[cell.found].add(re.sub(r'name="csrf" value="[^"]*"', "", plain))
        for hull in cell.output["hulls"]:
            for lon, lat in hull["box"]:
                assert f"{lon:.4f}" not in page
                assert f"{lat:.4f}" not in page
    assert shown[True] == shown[False]
    assert all(len(one) == 1 for one in shown.values())
    words = " ".join(pages)
    for secret in ("test-model", a.MODEL, "p_vessel", "inclusion", "stratum", "detection", "/finding/"):
        assert secret not in words


def test_the_picture_is_the_scenes_pixels_alone(store: Store, ana: r.Browser) -> None:
    cell = next(c for c in Audits(store).cells() if c.found)
    found = ana.get(f"/audit/{cell.cell}/picture.webp")
    assert found.headers["content-type"] == "image/webp"
    pixels = np.asarray(Image.open(BytesIO(found.content)).convert("RGB"))
    assert pixels.shape == (cell.height, cell.width, 3)
    # Water and hulls have one colour each in these images: nothing else is drawn over them.
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) <= 3


def test_an_answer_is_written_and_the_next_cell_is_shown(store: Store, ana: r.Browser) -> None:
    cell = cell_of(store)
    done = submit(ana, cell, [BOX], note="hazy <b>there</b>")
    assert done.status_code == 303
    assert r.path_of(done).startswith("/audit/")
    assert cell.cell not in r.path_of(done)
    (answer,) = Audits(store).answers(cell.cell)[cell.cell]
    assert (answer.user_name, answer.kind, answer.note) == ("ana", "boxes", "hazy <b>there</b>")
    (box,) = answer.boxes
    assert (box.hull_class, box.length_m, box.width_m) == ("barge", 240.0, 40.0)
    assert box.axis_deg % 180 == pytest.approx(0, abs=2) or box.axis_deg == pytest.approx(180, abs=2)
    where = cell.pixels(np.array([[box.lon, box.lat]]))[0]
    assert where == pytest.approx([42, 42], abs=0.01)
    page = ana.get(f"/audit/{cell.cell}").text
    assert "You said: 1 barge" in page
    assert "1 ship" in ana.get("/audit").text


def test_no_ship_and_cannot_be_judged_are_answers_of_their_own(store: Store, ana: r.Browser) -> None:
    cells = [cell for cell in Audits(store).cells() if not cell.second][:2]
    for cell, kind in zip(cells, ("none", "unjudged"), strict=True):
        assert submit(ana, cell, answer=kind).status_code == 303
        assert Audits(store).answers(cell.cell)[cell.cell][0].kind == kind
    assert submit(ana, cell_of(store, True), [BOX], answer="none").status_code == 400
    assert submit(ana, cell_of(store, True), [], answer="boxes").status_code == 400
    assert submit(ana, cell_of(store, True), [], answer="maybe").status_code == 400


def test_the_last_answer_leads_back_to_the_list(store: Store, ana: r.Browser) -> None:
    for cell in Audits(store).cells():
        done = submit(ana, cell)
    assert r.path_of(done) == "/audit"
    assert "No other cell is open to you" in ana.get(done.headers["location"]).text


def test_the_second_reviewer_is_another_person_and_neither_sees_the_other_before_both_are_in(
    store: Store, ana: r.Browser
) -> None:
    cell, bob = cell_of(store, True), browser(store, "bob")
    assert submit(ana, cell, [BOX], note="secret words").status_code == 303
    csrf = r.tokens(ana.get("/audit").text)["csrf"]
    again = ana.post(f"/audit/{cell.cell}", {"answer": "none", "boxes": "[]", "csrf": csrf})
    assert again.status_code == 409
    assert "you have answered this cell" in again.text
    for path in ("/audit", f"/audit/{cell.cell}", "/audit/results"):
        page = bob.get(path).text
        assert "secret words" not in page
        assert "1 barge" not in page
        assert "ana" not in page.replace("analyst", "")
    assert 'name="boxes" value="[]"' in bob.get(f"/audit/{cell.cell}").text
    assert "bob" not in ana.get(f"/audit/{cell.cell}").text
    assert submit(bob, cell).status_code == 303
    assert "bob said: no ship here" in ana.get(f"/audit/{cell.cell}").text
    assert "ana said: 1 barge" in bob.get(f"/audit/{cell.cell}").text
    assert {x.user_name: x.reviewer for x in Audits(store).answers(cell.cell)[cell.cell]} == {
        "ana": 1,
        "bob": 2,
    }


def test_a_third_person_is_not_asked(store: Store, ana: r.Browser) -> None:
    cell, bob, ada = cell_of(store, True), browser(store, "bob"), browser(store, "ada")
    submit(ana, cell)
    submit(bob, cell)
    assert cell.cell not in ada.get("/audit").text
    assert ada.get(f"/audit/{cell.cell}").status_code == 409
    csrf = r.tokens(ada.get("/audit").text)["csrf"]
    late = ada.post(f"/audit/{cell.cell}", {"answer": "none", "boxes": "[]", "csrf": csrf})
    assert late.status_code == 409


def test_a_correction_is_another_answer(store: Store, ana: r.Browser) -> None:
    cell = cell_of(store)
    submit(ana, cell)
    page = ana.get(f"/audit/{cell.cell}").text
    assert 'name="corrects"' in page
    assert submit(ana, cell, [BOX, {**BOX, "class": "cannot_tell"}]).status_code == 303
    first, second = Audits(store).answers(cell.cell)[cell.cell]
    assert (first.kind, second.kind, second.corrects) == ("none", "boxes", first.answer)
    page = ana.get(f"/audit/{cell.cell}").text
    held = json.loads(
        r.fields_of(page.replace("&#34;", "'"), "boxes").__iter__().__next__()[1].replace("'", '"')
    )
    assert [one["class"] for one in held] == ["barge", "cannot_tell"], "it starts from what was drawn"
    bob = browser(store, "bob")
    csrf = r.tokens(bob.get("/audit").text)["csrf"]
    given = {"answer": "none", "boxes": "[]", "csrf": csrf, "corrects": str(second.answer)}
    assert bob.post(f"/audit/{cell.cell}", given).status_code == 409, "nobody corrects another's"
    assert ana.post(f"/audit/{cell.cell}", {**given, "corrects": "x"}).status_code == 403, "another's token"


def box(*corners: tuple[Any, Any], kind: Any = "barge") -> dict[str, Any]:
    return {"box": [list(corner) for corner in corners], "class": kind}


SQUARE = ((10, 10), (12, 10), (12, 30), (10, 30))
BAD: dict[str, Any] = {
    "no JSON": "boxes!",
    "deeply nested": "[" * 5000,
    "no list": json.dumps({"box": 1}),
    "no box": json.dumps([1]),
    "more than asked": json.dumps([{**box(*SQUARE), "x": 1}]),
    "three corners": json.dumps([box(*SQUARE[:3])]),
    "text": json.dumps([box(*SQUARE[:3], ("a", 1))]),
    "truth": json.dumps([box(*SQUARE[:3], (True, 30))]),
    "not a number": json.dumps([box(*SQUARE[:3], (float("nan"), 30))]),
    "without end": json.dumps([box(*SQUARE[:3], (float("inf"), 30))]),
    "huge": json.dumps([box(*SQUARE[:3], (10**400, 30))]),
    "outside": json.dumps([box((-9, 10), (-7, 10), (-7, 30), (-9, 30))]),
    "no rectangle": json.dumps([box((10, 10), (12, 10), (12, 30), (5, 30))]),
    "a point": json.dumps([box(*[(10, 10)] * 4)]),
    "too long": json.dumps([box((10, 5), (20, 5), (20, 60), (10, 60))]),
    "too broad": json.dumps([box((10, 10), (30, 10), (30, 40), (10, 40))]),
    "wider than long": json.dumps([box((10, 10), (18, 10), (18, 14), (10, 14))]),
    "no such class": json.dumps([box(*SQUARE, kind="submarine")]),
    "class is no text": json.dumps([box(*SQUARE, kind=["barge"])]),
    "too many": json.dumps([box(*SQUARE)] * 201),
}


@pytest.mark.parametrize("name", BAD)
def test_boxes_that_make_no_sense_are_refused_in_words_and_nothing_is_written(
    store: Store, ana: r.Browser, name: str
) -> None:
    cell = cell_of(store)
    refused = submit(ana, cell, BAD[name])
    assert refused.status_code == 400
    assert "That cannot be read" in refused.text
    assert Audits(store).answers() == {}


def test_only_analysts_box_and_only_through_our_pages(store: Store, ana: r.Browser) -> None:
    cell, viewer, nobody = cell_of(store), browser(store, "vic"), r.Browser(r.desk(store))
    assert viewer.get("/audit").status_code == 200
    assert "open to you" not in viewer.get("/audit").text
    assert viewer.get("/audit/results").status_code == 200
    for path in (f"/audit/{cell.cell}", f"/audit/{cell.cell}/picture.webp"):
        assert viewer.get(path).status_code == 403
        assert nobody.get(path).status_code == 303
    csrf = r.tokens(viewer.get("/audit").text)["csrf"]
    given = {"answer": "none", "boxes": "[]", "csrf": csrf}
    assert viewer.post(f"/audit/{cell.cell}", given).status_code == 403
    assert ana.post(f"/audit/{cell.cell}", given).status_code == 403, "a form of another's session"
    assert ana.get("/audit/nothing").status_code == 404
    assert ana.get("/audit/nothing/picture.webp").status_code == 404
    assert Audits(store).answers() == {}


def test_the_overview_says_that_recall_is_not_measured(ana: r.Browser) -> None:
    assert "Recall here not measured: 0 of 30 cells audited" in ana.get("/").text


def test_results_are_shown_by_port_and_model_with_n_and_interval(store: Store, ana: r.Browser) -> None:
    assert "No cell is answered in full yet" in ana.get("/audit/results").text
    a.answer_all(store)
    page = ana.get("/audit/results").text
    assert "test-model" in page
    assert "Recall here not measured: 12 of 30 cells" in page
    assert "How far two reviewers agree" in page
    assert re.search(r"recall: of the ships, found", page)
    assert "n = " in page
