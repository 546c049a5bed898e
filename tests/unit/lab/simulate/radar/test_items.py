"""Files and item of a simulated radar pass, read as a reader of real products would."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pystac
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.control import GroundControlPoint
from scipy.interpolate import RBFInterpolator

from roadstead.core.geo import distance_m, lonlat_to_xy, xy_to_lonlat
from roadstead_lab.simulate.optical.items import LABEL
from roadstead_lab.simulate.radar.geometry import OrbitState
from roadstead_lab.simulate.radar.items import write_radar_scene
from roadstead_lab.simulate.radar.render import RadarFrame
from tests.unit.lab.simulate.radar.builders import (
    CRS,
    MIDDLE,
    SHORE_Y,
    hilly_bay,
    hull,
    radar_pass,
    rendered,
    sigma0,
)

NEAR_HILLS = hull("general_cargo", 90.0, xy=(MIDDLE[0], SHORE_Y - 120.0))


def written(
    folder: Path, orbit: OrbitState = "ascending", seed: int = 3
) -> tuple[pystac.Item, RadarFrame, Path]:
    frame = rendered(NEAR_HILLS, ground=hilly_bay(), of=radar_pass(orbit), seed=seed)
    item = write_radar_scene(folder, frame, radar_pass(orbit), seed)
    return item, frame, folder / item.id


def control_points(path: Path) -> list[GroundControlPoint]:
    with rasterio.open(path) as dataset:
        points, crs = dataset.gcps
        assert dataset.crs is None and dataset.transform.is_identity
        assert crs.to_epsg() == 4326
        return list(points)


def test_measurements_have_control_points_with_heights_and_no_crs(tmp_path: Path) -> None:
    _, frame, scene = written(tmp_path)
    for name in ("vv", "vh"):
        points = control_points(scene / f"{name}.tif")
        heights = np.array([point.z for point in points])
        assert heights.max() > 30 and heights.min() == 0
    rows = sorted({point.row for point in points})
    assert 600 < np.diff(rows).mean() * 10 < 1400, "about every kilometre"
    with rasterio.open(scene / "vv.tif") as dataset:
        assert np.array_equal(dataset.read(1), frame.vv) and dataset.nodata == 0


def test_the_same_seed_gives_the_same_bytes_in_any_folder(tmp_path: Path) -> None:
    scenes = [written(tmp_path / name)[2] for name in ("a", "b")]
    files = [sorted(path for path in scene.rglob("*") if path.is_file()) for scene in scenes]
    assert len(files[0]) == 8
    for first, second in zip(*files, strict=True):
        assert first.name == second.name and first.read_bytes() == second.read_bytes()


def test_the_item_has_the_shape_of_earth_search_and_says_it_is_simulated(tmp_path: Path) -> None:
    item, _, scene = written(tmp_path)
    said = item.properties
    assert said["roadstead:simulated"] is True and said["roadstead:seed"] == 3 and said["title"] == LABEL
    assert item.id.startswith("SIM_S1B_IW_GRDH_1SDV_20201103T0940")
    assert said["sar:instrument_mode"] == "IW" and said["sar:polarizations"] == ["VV", "VH"]
    assert (said["sat:orbit_state"], said["sat:relative_orbit"]) == ("ascending", 127)
    assert (said["sat:absolute_orbit"] - 27) % 175 + 1 == 127, "the rule of Sentinel-1B"
    assert not [key for key in said if key.startswith("proj:")]
    kinds = {"", "schema-product-", "schema-calibration-", "schema-noise-"}
    assert set(item.assets) == {kind + name for kind in kinds for name in ("vv", "vh")}
    assert all((scene / asset.href).is_file() for asset in item.assets.values())
    with rasterio.open(scene / "vh.tif") as dataset:
        assert dataset.tags()["ROADSTEAD_SIMULATED"] == "true"
    for asset in item.assets.values():
        if asset.href.endswith(".xml"):
            assert LABEL in (scene / asset.href).read_text(encoding="utf-8")


def table(path: Path, vector: str, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    found = ElementTree.parse(path).getroot().find(f".//{vector}")  # noqa: S314
    assert found is not None
    pixel, values = (np.array((found.findtext(key) or "").split(), float) for key in ("pixel", name))
    return pixel, values


def test_the_calibration_table_gives_sigma_nought(tmp_path: Path) -> None:
    _, frame, scene = written(tmp_path)
    pixel, sigma = table(
        scene / "annotation/calibration/calibration-iw-vv.xml", "calibrationVector", "sigmaNought"
    )
    columns = np.arange(frame.geometry.width)
    found = (frame.vv / np.interp(columns, pixel, sigma)) ** 2
    real = sigma0(frame)[0]
    assert found[frame.vv > 0] == pytest.approx(real[frame.vv > 0], rel=1e-3)
    assert 557 < sigma.min() < sigma.max() < 663, "as in a real product over 31-46 degrees"
    _, noise = table(scene / "annotation/calibration/noise-iw-vv.xml", "noiseRangeVector", "noiseRangeLut")
    assert (10 * np.log10(noise / sigma**2)).max() < -22


def test_the_annotation_grid_gives_the_incidence_angle(tmp_path: Path) -> None:
    _, frame, scene = written(tmp_path)
    points = ElementTree.parse(scene / "annotation/iw-vv.xml").getroot().iter("geolocationGridPoint")  # noqa: S314
    angle = {int(p.findtext("pixel") or -1): float(p.findtext("incidenceAngle") or "nan") for p in points}
    assert angle[0] < 38.0 < angle[frame.geometry.width]
    assert list(angle.values()) == sorted(angle.values())


def at_sea_level(points: list[GroundControlPoint], frame: RadarFrame) -> NDArray[np.float64]:
    """Bring each point to the sea-level place seen at its pixel: ``height / tan(incidence)`` towards the radar."""
    xy = lonlat_to_xy(np.array([[p.x, p.y] for p in points]), CRS)
    incidence = np.radians(frame.geometry.incidence_deg(np.array([p.col for p in points])))
    nearer = np.array([p.z for p in points]) / np.tan(incidence)
    look = np.radians(frame.geometry.look_deg)
    return xy_to_lonlat(xy - nearer[:, None] * [np.sin(look), np.cos(look)], CRS)


@pytest.mark.parametrize("orbit", ["ascending", "descending"])
def test_ships_near_hills_are_placed_right_only_with_points_at_sea_level(
    tmp_path: Path, orbit: OrbitState
) -> None:
    _, frame, scene = written(tmp_path, orbit)
    points = control_points(scene / "vv.tif")
    pixels = np.array([[p.col, p.row] for p in points])
    ships = np.array([(MIDDLE[0] + east, SHORE_Y - 50.0) for east in range(-2400, 2401, 300)])
    seen = frame.geometry.xy_to_colrow(ships)

    def worst_m(lonlat: NDArray[np.float64]) -> float:
        placed = RBFInterpolator(pixels, lonlat, kernel="thin_plate_spline")(seen)
        return float(distance_m(placed, xy_to_lonlat(ships, CRS)).max())

    raw = np.array([[p.x, p.y] for p in points])
    assert worst_m(at_sea_level(points, frame)) < 5.0
    assert worst_m(raw) > 15.0
