"""Pixels of a simulated radar pass."""

import numpy as np
import pytest
from numpy.typing import NDArray

from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.hulls.spec import Kind
from roadstead_lab.simulate.optical.render import PlacedHull
from roadstead_lab.simulate.radar.clutter import cmod5n, cross_polarised_sea, noise_sigma0
from roadstead_lab.simulate.radar.geometry import OrbitState, geometry_of
from roadstead_lab.simulate.radar.hulls import hull_scatterers, stamp
from roadstead_lab.simulate.radar.render import RadarFrame
from roadstead_lab.simulate.radar.terrain import imaged_ground, terrain_height
from tests.unit.lab.simulate.radar.builders import (
    MIDDLE,
    SHORE_Y,
    hilly_bay,
    hull,
    middle,
    open_sea,
    radar_pass,
    rendered,
    sigma0,
)


def db(value: float | NDArray[np.float64]) -> float:
    return float(10 * np.log10(value))


def fleet(heading_deg: float, speed_kn: float) -> list[PlacedHull]:
    """Nine short ships, 1.5 km apart."""
    return [
        hull(
            "fishing",
            24.0,
            (MIDDLE[0] + 1500.0 * i, MIDDLE[1] + 1500.0 * j),
            heading_deg,
            speed_kn,
            f"{i}{j}",
        )
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
    ]


def misplaced(frame: RadarFrame) -> tuple[float, float]:
    """Median (columns, rows) from where hulls should be to the middle of the bright pixels about there."""
    power, found = np.nan_to_num(sigma0(frame)[0]), []
    for pixel in frame.hulls:
        top, left = round(pixel.row) - 12, round(pixel.col) - 12
        box = power[top : top + 25, left : left + 25]
        row, col = np.argwhere(box > box.max() / 4).T
        found.append((left + (col.min() + col.max() + 1) / 2, top + (row.min() + row.max() + 1) / 2))
    expected = np.array([(pixel.col, pixel.row) for pixel in frame.hulls])
    return tuple(np.median(np.array(found) - expected, axis=0))


def test_the_same_seed_gives_the_same_pixels_and_another_seed_others() -> None:
    first, again, other = (rendered(hull(), seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.vv, again.vv) and np.array_equal(first.vh, again.vh)
    assert not np.array_equal(first.vv, other.vv)


@pytest.mark.parametrize("orbit", ["ascending", "descending"])
def test_ships_at_rest_are_imaged_where_they_lie(orbit: OrbitState) -> None:
    ships = fleet(40.0, 0.0)
    frame = rendered(*ships, of=radar_pass(orbit, wind=2.0))
    assert misplaced(frame) == pytest.approx((0.0, 0.0), abs=1.0)
    back = frame.geometry.colrow_to_xy(np.array([[pixel.col, pixel.row] for pixel in frame.hulls]))
    assert back == pytest.approx(np.array([ship.xy for ship in ships]), abs=0.01)


@pytest.mark.parametrize(("orbit", "look"), [("ascending", 76.5), ("descending", 283.5)])
@pytest.mark.parametrize("speed_kn", [6.0, 12.0])
def test_ships_sailing_east_are_imaged_south_of_their_place_by_either_pass(
    orbit: OrbitState, look: float, speed_kn: float
) -> None:
    """Away from an ascending radar they are shifted against the flight, towards a descending one along it."""
    ships = fleet(90.0, speed_kn)
    frame = rendered(*ships, of=radar_pass(orbit, wind=2.0))
    away = speed_kn * 0.514444 * np.cos(np.radians(90.0 - look))
    expected = -(853_000.0 / 7_590.0) * np.sin(np.radians(38.0)) * away
    shifts = [pixel.azimuth_shift_m for pixel in frame.hulls]
    assert shifts == pytest.approx([expected] * 9, rel=0.05)
    assert misplaced(frame) == pytest.approx((0.0, 0.0), abs=1.0)
    seen = frame.geometry.colrow_to_xy(np.array([[pixel.col, pixel.row] for pixel in frame.hulls]))
    south = np.array([ship.xy[1] for ship in ships]) - seen[:, 1]
    assert (south > 0.9 * abs(expected)).all()


def test_the_sea_has_the_level_of_the_wind_plus_noise() -> None:
    frame = rendered(of=radar_pass(wind=5.0, wind_from=77.0))
    vv, vh = (middle(band).mean() for band in sigma0(frame))
    noise = float(noise_sigma0(np.array(38.0)))
    assert db(vv) == pytest.approx(db(float(cmod5n(np.array(5.0), 0.0, np.array(38.0))) + noise), abs=0.6)
    assert db(vh) == pytest.approx(db(float(cross_polarised_sea(np.array(5.0))) + noise), abs=0.3)


def test_more_wind_and_wind_along_the_look_make_a_brighter_sea() -> None:
    def level(wind: float, wind_from: float) -> float:
        return float(middle(sigma0(rendered(of=radar_pass(wind=wind, wind_from=wind_from)))[0]).mean())

    calm, breeze, gale = (level(wind, 77.0) for wind in (3.0, 7.0, 14.0))
    assert calm < breeze / 2 < gale / 4
    assert level(7.0, 167.0) < breeze / 2, "across the look"


@pytest.mark.parametrize("band", [0, 1])
def test_open_sea_has_the_equivalent_looks_of_grdh(band: int) -> None:
    field = middle(sigma0(rendered())[band])
    blocks = field[:320, :320].reshape(20, 16, 20, 16)
    mean, variance = blocks.mean(axis=(1, 3)), blocks.var(axis=(1, 3))
    assert np.median(mean**2 / variance) == pytest.approx(4.7, abs=0.4), "real chips so measured: 4.5-4.9"


def strengths_db(kind: Kind, length_m: float) -> NDArray[np.float64]:
    """[2, 200] cross sections of ships in VV and VH, dB over a square metre."""
    geometry, rng = geometry_of(open_sea().grid, radar_pass()), generator(0, "strengths")
    ships = [hull(kind, length_m, name=str(number)) for number in range(200)]
    return np.array([10 * np.log10(hull_scatterers(s, geometry, rng).rcs_m2.sum(axis=1)) for s in ships]).T


def test_ships_grow_stronger_with_length_and_barges_are_weaker() -> None:
    short, long, barge = (
        np.median(strengths_db(kind, length)[0])
        for kind, length in (("tanker", 80.0), ("tanker", 240.0), ("barge", 80.0))
    )
    assert long - short == pytest.approx(70 / 3 * np.log10(3), abs=1.5), "power 7/3 of the length"
    assert barge < short - 2.0


def test_vh_of_ships_lies_ten_db_under_vv() -> None:
    vv, vh = strengths_db("general_cargo", 120.0)
    assert np.median(vv - vh) == pytest.approx(10.0, abs=1.0), "real chips: 9.9, spread 3.6"
    assert (vv - vh).std() == pytest.approx(3.6, abs=0.8)


def test_the_image_of_a_ship_holds_its_cross_section() -> None:
    ship = hull("tanker", 200.0)
    geometry = geometry_of(open_sea().grid, radar_pass())
    group = hull_scatterers(ship, geometry, generator(0, "one"))
    rng, sums = generator(1, "stamp"), []
    for _ in range(20):
        power = np.zeros((2, geometry.height, geometry.width), np.float32)
        stamp(power, [group], rng)
        sums.append(100.0 * power.sum(axis=(1, 2), dtype=float))
    assert np.mean(sums, axis=0) == pytest.approx(group.rcs_m2.sum(axis=1), rel=0.15)


def test_strong_ships_have_a_cross_of_sidelobes_in_range_and_azimuth() -> None:
    still, none = (rendered(*hulls, seed=2) for hulls in ((hull("tanker", 330.0),), ()))
    more = sigma0(still)[0] - sigma0(none)[0]
    row, col = np.unravel_index(np.nanargmax(more), more.shape)
    cross = max(more[row, col + 20 : col + 30].max(), more[row, col - 30 : col - 20].max())
    diagonal = [more[row + a * 22, col + b * 22] for a in (-1, 1) for b in (-1, 1)]
    assert cross > 20 * np.median(diagonal)


def test_land_is_brighter_than_the_sea_and_ends_at_the_coast() -> None:
    frame = rendered(ground=hilly_bay())
    vv, _ = sigma0(frame)
    shore, inland, afloat = (
        np.floor(frame.geometry.xy_to_colrow(np.array([[MIDDLE[0], y]]))[0]).astype(int)
        for y in (SHORE_Y, SHORE_Y + 150.0, SHORE_Y - 150.0)
    )
    assert shore[0] > 0
    on, off = (vv[row - 5 : row + 5, col - 40 : col + 40].mean() for col, row in (inland, afloat))
    assert db(on) > db(off) + 5


def test_outside_the_frame_there_is_no_data() -> None:
    frame = rendered()
    assert frame.vv[0, 0] == frame.vh[-1, 0] == 0
    assert (frame.vv > 0).mean() == pytest.approx(6000**2 / 100 / frame.vv.size, abs=0.01)


def test_hills_rise_on_land_alone_and_are_the_same_for_every_pass() -> None:
    bay = hilly_bay()
    terrain = terrain_height(bay)
    assert terrain[bay.land_share == 0].max() == 0
    assert 60 < terrain.max() < 400
    assert np.array_equal(terrain, terrain_height(hilly_bay()))
    assert terrain_height(open_sea()).max() == 0


@pytest.mark.parametrize("orbit", ["ascending", "descending"])
def test_control_points_lie_where_the_terrain_imaged_there_is(orbit: OrbitState) -> None:
    bay = hilly_bay()
    frame = rendered(ground=bay, of=radar_pass(orbit))
    terrain = terrain_height(bay)
    xy, height = imaged_ground(frame.geometry, terrain, bay.grid, frame.gcp_colrow)
    assert frame.geometry.xy_to_colrow(xy, height) == pytest.approx(frame.gcp_colrow, abs=1e-4)
    assert frame.gcp_height_m == pytest.approx(height)
    colrow = np.floor(bay.grid.xy_to_colrow(xy)).astype(int)
    inside = ((colrow >= 0) & (colrow < 600)).all(axis=1)
    under = terrain[colrow[inside, 1], colrow[inside, 0]]
    assert height[inside] == pytest.approx(under, abs=3.0)
    assert height.max() > 30
