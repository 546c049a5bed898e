"""An analyst's morning at the desk, as one story in real browsers over a simulated world; docs/morning.md shows it.

``make screens`` runs it with ``ROADSTEAD_SCREENS=docs/images/desk``, which keeps the screenshots there.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from io import BytesIO
from pathlib import Path

import geopandas as gpd
import pytest
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser, Page

from roadstead.store import Decisions, Store
from tests.integration import desks
from tests.integration.desks import Desk, Morning, command, fill_in_request, press
from tests.integration.qgis import in_qgis
from tests.integration.test_accessible import faults

pytestmark = [pytest.mark.browser, pytest.mark.qgis]
chrome = desks.chrome

OPEN = """
path, picture = given
names = ("detections", "matches", "zones")
layers = [QgsVectorLayer(f"{path}|layername={name}", name, "ogr") for name in names]
for layer in layers:
    layer.loadDefaultStyle()
extent = layers[0].extent()
extent.scale(1.15)
draw(layers, layers[0].crs(), extent, picture, (1280, 800), "#dfe8ee")
found = {layer.name(): layer.featureCount() for layer in layers if layer.isValid()}
"""
LEADS = 20


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Morning:
    """Return a store with the overpasses up to yesterday, and two analysts."""
    made = Morning(tmp_path_factory.mktemp("morning"))
    made.simulate()
    made.watch("2020-10-05", "2020-10-12")
    made.people(ana="analyst", bob="analyst")
    return made


def keep(picture: bytes, name: str, label: str = "") -> None:
    """Keep a screenshot, where asked to; ``label`` is written on it."""
    if folder := os.environ.get("ROADSTEAD_SCREENS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        image = Image.open(BytesIO(picture)).convert("RGB")
        if label:
            ImageDraw.Draw(image).text((20, 16), label, "#7a3b00", ImageFont.load_default(26))
        image.save(Path(folder) / f"{name}.webp", quality=82)


def screen(page: Page, name: str) -> None:
    """Keep what is shown, and hold the page against axe."""
    page.wait_for_load_state("networkidle")
    keep(page.screenshot(), name)
    assert not faults(page)


def test_a_morning(chrome: Browser, morning: Morning, tmp_path: Path) -> None:
    with morning.served() as desk:
        ana, bob = desk.opened(chrome), desk.opened(chrome)
        desk.log_in(ana, "ana")
        ana.get_by_role("button", name="Log out").click()
        morning.watch("2020-10-12", "2020-10-13")  # an overpass comes while she is away
        she_sees_what_changed(desk, ana)
        she_reviews_leads_by_keyboard(ana)
        finding = she_corrects_one(ana)
        she_looks_at_the_map(desk, ana, finding)
        she_asks_for_its_release(desk, ana, finding)
        name = he_releases_it(desk, bob, finding)
        she_makes_a_dossier(desk, ana, finding, name, tmp_path)
        assert not desk.outside()
        assert not desk.complaints
    the_geopackage_opens_in_qgis(morning, tmp_path)
    what_leaves_accuses_nobody(morning, tmp_path, finding, name)
    nothing_was_lost(morning, finding)


def she_sees_what_changed(desk: Desk, page: Page) -> None:
    desk.log_in(page, "ana")
    new = page.get_by_text(re.compile("since your last visit")).first
    assert new.is_visible()
    screen(page, "1-overview")


def she_reviews_leads_by_keyboard(page: Page) -> None:
    press(page, "l")
    screen(page, "2-leads")
    page.keyboard.press("j")
    page.keyboard.press("k")
    press(page, "Enter")
    screen(page, "3-finding")
    page.locator(".against").scroll_into_view_if_needed()
    seen = set[str]()
    for _ in range(LEADS // 4):
        for key in ("r", "x", "r", "a"):
            seen.add(page.url.split("?")[0])
            press(page, key)
    assert len(seen) == LEADS, "every press decided another lead"
    press(page, "u")  # the last one was taken too fast
    press(page, "a")


def she_corrects_one(page: Page) -> str:
    finding = page.url.split("?")[0].rsplit("/", 1)[-1]
    page.keyboard.press("c")
    page.keyboard.press("b")  # of the list of classes: barge
    page.locator("form.correct textarea").fill("Hold from end to end, no bridge to be seen.")
    page.get_by_text("Move or draw the box").click()
    drawing = page.locator("svg.draw")
    drawing.focus()
    for key in ("ArrowLeft", "ArrowUp", "Shift+ArrowUp"):
        page.keyboard.press(key)
    drawing.scroll_into_view_if_needed()
    screen(page, "4-correction")
    with page.expect_navigation():
        page.locator("form.correct > button").click()
    return finding


def she_looks_at_the_map(desk: Desk, page: Page, finding: str) -> None:
    page.goto(f"{desk.address}/map?finding={finding}")
    page.wait_for_selector("#map[data-idle]")
    screen(page, "5-map")


def she_asks_for_its_release(desk: Desk, page: Page, finding: str) -> None:
    page.goto(f"{desk.address}/finding/nampo/{finding}")
    page.get_by_role("link", name="Ask for release").click()
    fill_in_request(page, "A hull with one long hold lay in the roads; no report fits it.")
    with page.expect_navigation():
        page.get_by_role("button", name="Ask for release").click()
    page.get_by_role("link", name="See the request").click()
    assert page.get_by_role("button", name="Release", exact=True).count() == 0, "nobody releases alone"


def he_releases_it(desk: Desk, page: Page, finding: str) -> str:
    desk.log_in(page, "bob", f"/finding/nampo/{finding}")
    page.get_by_role("link", name="Look and answer").click()
    page.get_by_role("button", name="Release", exact=True).scroll_into_view_if_needed()
    screen(page, "6-release")
    page.get_by_role("button", name="Release", exact=True).click()
    page.wait_for_url("**/released/RS-*")
    screen(page, "7-released")
    return page.url.rsplit("/", 1)[-1]


def she_makes_a_dossier(desk: Desk, page: Page, finding: str, name: str, folder: Path) -> None:
    page.goto(f"{desk.address}/finding/nampo/{finding}")
    assert page.get_by_text(name).first.is_visible()
    with page.expect_download() as caught:
        page.keyboard.press("d")
    with zipfile.ZipFile(caught.value.path()) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        log = json.loads(archive.read(f"{finding}/decisions.json"))
        archive.extract(f"{finding}/dossier.html", folder)
        assert f"{finding}/pixels.tif" in archive.namelist()
    assert log["head"] == manifest["findings"][0]["decisions"]["head"]
    assert [row["kind"] for row in log["about"]] == ["corrected", "asked_release", "released"]
    page.goto((folder / finding / "dossier.html").as_uri())
    screen(page, "8-dossier")


def the_geopackage_opens_in_qgis(morning: Morning, folder: Path) -> None:
    words = ["--from", "2020-10-05", "--to", "2020-10-13", "--format", "gpkg", "-o", str(folder)]
    command("export", "nampo", *words, "--store", morning.store, home=morning.home)
    picture = folder / "qgis.png"
    told = in_qgis(folder, OPEN, str(folder / "nampo.gpkg"), str(picture))
    expected = {name: len(gpd.read_file(folder / "nampo.gpkg", layer=name)) for name in told}
    assert told == expected
    assert told["detections"] > 200
    assert len(Image.open(picture).convert("RGB").getcolors(1 << 22) or ()) > 20, "something is drawn"
    keep(picture.read_bytes(), "9-qgis", "SIMULATED DATA: nampo.gpkg in QGIS")


def what_leaves_accuses_nobody(morning: Morning, folder: Path, finding: str, name: str) -> None:
    words = ["export", "nampo", "--released", "--format", "geojson", "-o", str(folder / "out")]
    command(*words, "--store", morning.store, home=morning.home)
    (path,) = (folder / "out").glob("*.geojson")
    text = path.read_text()
    (row,) = json.loads(text)["features"]
    assert row["properties"]["permanent_id"] == name
    assert row["properties"]["simulated"] is True
    assert finding not in text
    assert row["geometry"]["coordinates"] == [round(x, 2) for x in row["geometry"]["coordinates"]]


def nothing_was_lost(morning: Morning, finding: str) -> None:
    told = json.loads(command("review", "verify", "--json", "--store", morning.store, home=morning.home))
    assert told["faults"] == []
    with Store.open(morning.store) as store:
        rows = Decisions(store).newest(100)[::-1]
    kinds = [row.kind for row in rows]
    assert kinds[:LEADS] == ["rejected", "rejected", "rejected", "accepted"] * (LEADS // 4)
    assert kinds[LEADS:] == ["undone", "accepted", "corrected", "asked_release", "released"]
    assert {row.user_name for row in rows} == {"ana", "bob"}
    corrected = rows[LEADS + 2]
    assert (corrected.finding, corrected.hull_class) == (finding, "barge")
    assert corrected.geometry
