"""What hid a zone, through files: cloud, its shadow, glint, no data."""

from pathlib import Path

import numpy as np
import pytest

from roadstead.core.geo import Window, project
from roadstead.imagery import Mosaic, group_overpasses, open_item
from roadstead.imagery.visibility.fractions import shares
from tests import builders as b

FRAME = b.grid(600, 600)
SUN = {"view:sun_azimuth": 180.0, "view:sun_elevation": 45.0}
"""In the south: a cloud of 1,200 m casts its shadow 1,200 m north of it."""
CLOUD, SHADOW = np.s_[360:460, 240:360], np.s_[240:340, 240:360]
ZONES = {
    "under cloud": b.area(FRAME, 250, 370, 350, 450),
    "in shadow": b.area(FRAME, 254, 254, 346, 326),
    "lit": b.area(FRAME, 30, 30, 150, 570),
    "half outside": b.area(FRAME, 540, 100, 660, 200),
}


def _scene(folder: Path, *, sun: dict[str, float] = SUN, scl: bool = True, **water: int) -> Mosaic:
    rng = np.random.default_rng(3)
    dn = {
        band: (plane + rng.integers(-15, 16, plane.shape)).astype(np.uint16)
        for band, plane in b.water(FRAME, **water).items()
    }
    classes = np.full((300, 300), 6, np.uint8)
    if not water:
        for plane in dn.values():
            plane[SHADOW] = 1000 + (plane[SHADOW].astype(int) - 1000) * 0.55
            plane[CLOUD] = 7000
        classes[CLOUD[0].start // 2 : CLOUD[0].stop // 2, CLOUD[1].start // 2 : CLOUD[1].stop // 2] = 9
    properties = {**b.SENSING, **sun}
    item = b.write_item(folder, "S2", FRAME, dn, scl=classes if scl else None, properties=properties)
    (overpass,) = group_overpasses([open_item(str(item))], b.port(FRAME))
    return Mosaic(overpass, FRAME)


def test_a_zone_says_what_hid_it(tmp_path: Path) -> None:
    with _scene(tmp_path) as mosaic:
        told = mosaic.visibilities(ZONES)
        fractions = mosaic.visibility(ZONES)
    assert told["under cloud"].cloud == 1.0
    assert told["in shadow"].shadow > 0.95
    assert told["lit"].seen == 1.0
    assert told["half outside"].no_data == pytest.approx(0.5, abs=0.01)
    for name, share in told.items():
        assert share.seen + sum(share.hidden.values()) == pytest.approx(1.0)
        assert fractions[name] == share.seen


def test_shadow_is_searched_for_hulls_but_is_no_part_of_what_shows_every_hull(tmp_path: Path) -> None:
    with _scene(tmp_path) as mosaic:
        block, area = mosaic.read(FRAME.window), mosaic.valid_area()
    assert block.clear[SHADOW].all()
    assert block.cloud is not None
    assert block.cloud[CLOUD].all()
    assert not area.intersects(ZONES["in shadow"].centroid)
    assert area.intersects(ZONES["lit"].centroid)


def test_coarse_cells_agree_with_fine_ones(tmp_path: Path) -> None:
    with _scene(tmp_path) as mosaic:
        local = {name: project(zone, "EPSG:4326", FRAME.crs) for name, zone in ZONES.items()}
        found = []
        for pixel_m in (10.0, 20.0, 60.0):
            with mosaic._coarse(pixel_m, mosaic.veils()) as stack:
                found.append(shares(stack, local))
    for name in ZONES:
        for coarse in found[1:]:
            assert coarse[name].seen == pytest.approx(found[0][name].seen, abs=0.05)
            assert coarse[name].shadow == pytest.approx(found[0][name].shadow, abs=0.05)


@pytest.mark.parametrize(("sun", "scl"), [({}, True), (SUN, False)])
def test_where_sun_or_scl_are_not_known_no_shadow_is_told(
    tmp_path: Path, sun: dict[str, float], scl: bool
) -> None:
    with _scene(tmp_path, sun=sun, scl=scl) as mosaic:
        assert mosaic.veils() is None
        assert mosaic.visibilities(ZONES)["in shadow"].shadow == 0.0


def test_glint_hides_a_zone_under_a_high_sun_alone(tmp_path: Path) -> None:
    bright = {"red": 2500, "green": 2600, "blue": 2700, "nir": 2400}
    high = {**SUN, "view:sun_elevation": 68.0}
    with _scene(tmp_path / "high", sun=high, **bright) as mosaic:
        assert mosaic.visibilities(ZONES)["lit"].glint == 1.0
        assert mosaic.visibility(ZONES)["lit"] == 0.0
    with _scene(tmp_path / "low", **bright) as mosaic:
        assert mosaic.visibilities(ZONES)["lit"].seen == 1.0


def test_thin_cirrus_is_told_alike_whatever_else_the_window_holds(tmp_path: Path) -> None:
    """A wide cirrus has a rag beside it; far away stands something bright."""
    dn = b.water(FRAME)
    dn["blue"][500:520, 500:520] = dn["nir"][500:520, 500:520] = 6000
    classes = np.full((300, 300), 6, np.uint8)
    classes[50:80, 50:80] = 10
    classes[60:62, 82:86] = 10
    item = b.write_item(tmp_path, "S2", FRAME, dn, scl=classes, properties={**b.SENSING, **SUN})
    (overpass,) = group_overpasses([open_item(str(item))], b.port(FRAME))
    with Mosaic(overpass, FRAME) as mosaic:
        whole, part = mosaic.read(FRAME.window), mosaic.read(Window(60, 60, 200, 200))
    assert whole.cloud is not None and part.cloud is not None and part.cloud.any()
    assert np.array_equal(whole.cloud[60:260, 60:260], part.cloud)
    assert part.cloud[62, 106], "the rag is cloud"
