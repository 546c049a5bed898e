"""The same place before and after, and the pictures of a finding."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import shapely

from roadstead.imagery.picture_styles import MASK_LOOKS
from roadstead.store import Store
from tests.unit.apps.desk import builders as r
from tests.unit.apps.desk import scenes as s
from tests.unit.builders import ACQUIRED, detection, detections
from tests.unit.store import builders as b


@pytest.fixture
def read(tmp_path: Path) -> Iterator[r.Browser]:
    """Return a browser of an analyst over two overpasses whose scenes lie on disk."""
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        s.fill(store, tmp_path / "items")
        r.people(store)
        browser = r.Browser(s.desk(store))
        browser.log_in("ana")
        yield browser
        browser.app.state.imagery.close()


def look(page: str) -> str:
    """Return the part of a page that shows the place before and after, as text."""
    part = page[page.index("The same place before and after") :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.unescape(part[: part.index("</section>")])))


def test_the_clear_look_after_is_shown_with_its_date_and_what_was_found_there(read: r.Browser) -> None:
    page = read.get("/finding/nampo/d0").text
    told = look(page)
    assert "No clear look before it is in the store." in told
    assert "1 hull within 100 m:" in told
    assert 'href="/finding/nampo/d9"' in page
    source = f"/window/nampo/{s.SECOND}/true-colour/d0.webp"
    assert f'src="{source}"' in page
    answer = read.get(source)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    back = look(read.get("/finding/nampo/d9").text)
    assert "No clear look after it is in the store." in back
    assert "1 hull within 100 m:" in back


def other(store: Store, days: float, clear: bool, hulls: bool = False) -> str:
    """Store another overpass, in which the place of d0 was clear or not."""
    when = ACQUIRED + timedelta(days=days)
    name = f"o{days:+.0f}"
    taken = b.overpass(name, b.scene(f"S{days:+.0f}", when))
    area = b.FRAME if clear else b.FRAME - shapely.Point(125.31, 38.7).buffer(0.2)
    row = detection(
        0, detection_id=f"x{days:+.0f}", scene_id=f"S{days:+.0f}", overpass_id=name, acquired=when
    )
    b.put(
        store,
        taken,
        header=b.headers(taken, valid_area=area),
        detections=detections([row] if hulls else []),
        matches=b.matches([]),
        chips={},
    )
    return name


def test_a_look_under_cloud_is_passed_over_and_the_nearest_clear_one_taken(
    ana: r.Browser, store: Store
) -> None:
    for days, clear in ((-12, True), (-7, True), (-2, False), (5, False), (8, True), (9, True)):
        other(store, days, clear)
    page = ana.get("/finding/nampo/d0").text
    assert re.findall(r"/window/nampo/(o[^/]+)/true-colour", page.replace("%2B", "+")) == ["o-7", "o+8"]
    told = look(page)
    assert told.count("no hull found within 100 m") == 2
    assert f"{ACQUIRED + timedelta(days=-7):%Y-%m-%d %H:%M} UTC" in told


def test_where_no_other_look_is_kept_the_page_says_so_and_shows_no_empty_sea(ana: r.Browser) -> None:
    told = look(ana.get("/finding/nampo/d0").text)
    assert "No clear look before it is in the store." in told
    assert "No clear look after it is in the store." in told


def test_a_picture_that_cannot_be_read_is_told_in_words(ana: r.Browser) -> None:
    page = ana.get("/finding/nampo/d0").text
    for name in ("nir", "mask"):
        source = f"/window/nampo/{b.OVERPASS_ID}/{name}/d0.webp"
        (image,) = re.findall(rf'<img[^>]*src="{re.escape(source)}"[^>]*>', page)
        assert "the picture could not be read" in image
        answer = ana.get(source)
        assert answer.status_code == 503
        assert answer.headers["content-type"].startswith("text/plain")


def test_every_look_has_its_key_and_the_mask_its_legend(ana: r.Browser) -> None:
    page = ana.get("/finding/nampo/d0").text
    for key in "tnmb":
        assert page.count(f'data-key="{key}"') == 1
    for one in MASK_LOOKS.values():
        assert one.label in page
