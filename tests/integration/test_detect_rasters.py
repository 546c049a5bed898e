"""`roadstead detect` on every kind of raster, item and address that a user may name: a result or a clear error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stamina
from affine import Affine
from numpy.typing import NDArray
from rasterio.warp import Resampling, reproject
from shapely.geometry import Point, box, shape

from roadstead.apps.cli.main import main
from roadstead.core.geo import project
from roadstead.detection.detect import DROPPED_BECAUSE
from tests import builders as b
from tests.integration.conftest import Run
from tests.integration.stac_servers import FileServer, file_server, free_port
from tests.worlds import FRAME, HEARD, SILENT, lonlat_of, water_with_ships

Case = tuple[NDArray[Any], dict[str, Any]]
"""[B, H, W], and changes of the file."""
NAMES = ("red", "green", "blue", "nir")
AT = FRAME.transform


@dataclass(frozen=True)
class Done:
    """How a run of the command ended."""

    code: int
    told: str
    """What it wrote to standard error, without the progress bars' frames."""
    written: dict[str, Any] | None
    """The output file, None where there is none."""

    @property
    def features(self) -> list[dict[str, Any]]:
        """What was found."""
        found: list[dict[str, Any]] = self.written["features"] if self.written else []
        return found


Detect = Callable[..., Done]


@pytest.fixture
def detect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Detect]:
    """Return a function that runs ``roadstead detect`` in this process."""
    monkeypatch.setenv("ROADSTEAD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*words: object) -> Done:
        out = tmp_path / "found.geojson"
        monkeypatch.setattr("sys.argv", ["roadstead", "detect", *map(str, words), "-o", str(out)])
        with pytest.raises(SystemExit) as end:
            main()
        code = int(end.value.code or 0)
        return Done(code, capsys.readouterr().err, json.loads(out.read_text()) if out.exists() else None)

    with stamina.set_testing(True, attempts=2, cap=True):
        yield run


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FileServer]:
    """Serve the test's folder."""
    with file_server(tmp_path) as running:
        yield running


@cache
def ships() -> NDArray[np.uint16]:
    """Return reflectance x 10000 of two ships on water: red, green, blue, nir on `FRAME`."""
    return np.stack([np.clip(band, 1001, None) - 1000 for band in water_with_ships().values()])


def eight_bits() -> NDArray[np.uint8]:
    """Return the two ships in true colour and near infrared of 8 bits."""
    return np.clip(ships() / 3558 * 255, 1, 255).astype(np.uint8)


def reflectance() -> NDArray[np.float32]:
    """Return the two ships as reflectance of 0 to 1, NaN along the upper edge."""
    shown = ships().astype(np.float32) / np.float32(1e4)
    shown[:, :20] = np.nan
    return shown


def edged(value: int, dtype: Any = np.uint16) -> NDArray[Any]:
    """Return the two ships with a value for no data along the upper edge."""
    shown = ships().astype(dtype)
    shown[:, :20] = value
    return shown


def warped(crs: str, at: Affine, width: int, height: int) -> Case:
    """Return the two ships on another frame."""
    out = np.zeros((4, height, width), np.uint16)
    frames = {"src_transform": AT, "src_crs": FRAME.crs, "dst_transform": at, "dst_crs": crs}
    reproject(ships(), out, resampling=Resampling.cubic, **frames)
    return out, {"crs": crs, "transform": at}


def pixels_of(metres: float) -> Case:
    """Return the two ships in pixels of another size."""
    at = Affine(metres, 0.0, AT.c, 0.0, -metres, AT.f)
    return warped(FRAME.crs, at, round(2600 / metres), round(2400 / metres))


def in_crs(crs: str) -> Case:
    """Return the two ships on a frame of 280 columns in another CRS."""
    west, south, east, north = project(box(*FRAME.bounds_xy), FRAME.crs, crs).bounds
    size = (east - west) / 280
    return warped(crs, Affine(size, 0.0, west, 0.0, -size, north), 280, int((north - south) / size) + 1)


def noise() -> NDArray[np.uint16]:
    """Return numbers that have nothing to do with each other."""
    return np.random.default_rng(0).integers(1, 3000, (4, 240, 260), np.uint16)


def water(width: int, height: int) -> NDArray[np.uint16]:
    """Return reflectance x 10000 of open water, with the sensor's noise."""
    level = np.array([dn - 1000 for dn in b.WATER_DN.values()])[:, None, None]
    return np.rint(level + np.random.default_rng(0).normal(0, 8, (4, height, width))).astype(np.uint16)


FOUND: Mapping[str, Callable[[], Case]] = {
    "four bands in order": lambda: (ships(), {}),
    "three bands, described": lambda: (ships()[:3], {"names": NAMES[:3]}),
    "four bands in another order, described": lambda: (ships()[::-1], {"names": NAMES[::-1]}),
    "bands as Earth Engine calls them": lambda: (ships()[[2, 1, 0, 3]], {"names": ("B2", "B3", "B4", "B8")}),
    "a fifth band, described": lambda: (ships()[[0, 1, 2, 3, 0]], {"names": (*NAMES, "swir16")}),
    "ESA's offset still in it": lambda: ((ships() + 1000).astype(np.uint16), {}),
    "a mask in place of near infrared": lambda: (
        np.concatenate([ships()[:3], ships()[:1] * 0 + 255]),
        {"names": (*NAMES[:3], "")},
    ),
    "odd sides": lambda: (ships()[:, :239, :257], {}),
    "true colour": lambda: (eight_bits()[:3], {}),
    "true colour in another order, described": lambda: (eight_bits()[::-1], {"names": NAMES[::-1]}),
    "floats with NaN": lambda: (reflectance(), {}),
    "floats of 0 to 10000 with their scale": lambda: (ships().astype(np.float32), {"scale": 1e-4}),
    "floats with -9999 and no tag": lambda: (np.nan_to_num(reflectance(), nan=-9999.0), {}),
    "int16 with -9999 and no tag": lambda: (edged(-9999, np.int16), {}),
    "int16 with a value for no data": lambda: (edged(-32768, np.int16), {"nodata": -32768}),
    "uint16 with a value for no data": lambda: (edged(65535), {"nodata": 65535}),
    "rotated": lambda: warped(FRAME.crs, AT @ Affine.translation(120, -60) @ Affine.rotation(30.0), 300, 300),
    "south up": lambda: (
        ships()[:, ::-1],
        {"transform": AT @ Affine.translation(0, 240) @ Affine.scale(1, -1)},
    ),
    "longitude and latitude": lambda: in_crs("EPSG:4326"),
    "web Mercator": lambda: in_crs("EPSG:3857"),
    "pixels of 5 m": lambda: pixels_of(5.0),
    "pixels of 20 m": lambda: pixels_of(20.0),
}


@pytest.mark.parametrize("name", FOUND)
def test_both_ships_are_found_in(name: str, detect: Detect, tmp_path: Path) -> None:
    dn, changes = FOUND[name]()
    done = detect(b.write_tiff(tmp_path / "a.tif", dn, **{"transform": AT, **changes}))
    assert (done.code, len(done.features)) == (0, 2), done.told
    hulls = [shape(feature["geometry"]) for feature in done.features]
    for place in (HEARD, SILENT):
        assert any(hull.contains(Point(*lonlat_of(place))) for hull in hulls)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 3), (17, 13), (321, 319)])
def test_water_of_any_size_was_searched_and_holds_no_ship(
    size: tuple[int, int], detect: Detect, tmp_path: Path
) -> None:
    done = detect(b.write_tiff(tmp_path / "a.tif", water(*size)))
    assert (done.code, done.features) == (0, []), done.told
    assert done.written is not None
    (scene,) = done.written["roadstead"]["scenes"]
    frame, searched = shape(scene["footprint"]), shape(scene["valid_area"])
    # A drawn area leaves out corners of up to a pixel: half of a single pixel.
    assert 0.4 * frame.area < searched.area <= 1.01 * frame.area


REFUSED: Mapping[str, tuple[Callable[[], Case], str]] = {
    "one band": (lambda: (ships()[:1], {}), "no band green, blue; it has 1 band(s), not described"),
    "two bands": (lambda: (ships()[:2], {}), "no band blue"),
    "bands described as others": (
        lambda: (ships(), {"names": ("swir16", "swir22", "vv", "vh")}),
        "described as swir16, swir22, vv, vh. Describe the bands red, green, blue, nir",
    ),
    "one band described": (lambda: (ships(), {"names": ("nir", "", "", "")}), "no band red, green, blue"),
    "a fifth band": (lambda: (ships()[[0, 1, 2, 3, 0]], {}), "has 5 bands without names"),
    "three bands of 16 bits": (lambda: (ships()[:3], {}), "does not tell in which order"),
    "blue, green, red, nir": (lambda: (ships()[[2, 1, 0, 3]], {}), "does not tell in which order"),
    "constant bands": (lambda: (ships() // 10000 + 500, {"names": NAMES}), "band red is 0.0500 everywhere"),
    "1 everywhere": (lambda: (ships() * 0 + 1, {"names": NAMES}), "darker than water is"),
    "noise": (lambda: (noise(), {"names": NAMES}), "it is noise"),
    "a scale ten times too small": (
        lambda: (ships(), {"scale": 1e-5, "names": NAMES}),
        "darker than water is",
    ),
    "a scale ten times too large": (lambda: (ships(), {"scale": 1e-3, "names": NAMES}), "as dark as water"),
    "complex numbers": (lambda: (ships().astype(np.complex64), {}), "complex numbers; give reflectance"),
    "floats of 0 to 10000": (lambda: (ships().astype(np.float32), {}), "no reflectance of 0 to 1"),
    "no CRS": (lambda: (ships(), {"crs": None}), "has no CRS"),
    "a local CRS": (lambda: (ships(), {"crs": 'LOCAL_CS["x",UNIT["metre",1]]'}), "no place on Earth"),
    "metres called degrees": (lambda: (ships(), {"crs": "EPSG:4326"}), "nowhere on Earth"),
    "a corner in space": (
        lambda: (ships(), {"transform": Affine(10.0, 0.0, 9e9, 0.0, -10.0, 9e9)}),
        "nowhere on Earth",
    ),
    "pixels of 60 m": (lambda: pixels_of(60.0), "its pixels are 60 m; ships show in pixels of 25 m or less"),
    "the whole Earth": (
        lambda: (water(360, 180), {"crs": "EPSG:4326", "transform": Affine(1, 0, -180, 0, -1, 90)}),
        "ships show in pixels of 25 m or less",
    ),
    "all 0": (lambda: (water(30, 20) * 0, {}), "no valid pixel: nothing was searched"),
    "all of its own value for no data": (
        lambda: (water(30, 20) * 0 + 7, {"nodata": 7}),
        "no valid pixel: nothing was searched",
    ),
    "all NaN": (lambda: (reflectance()[:, :20], {}), "no valid pixel: nothing was searched"),
    "no time": (lambda: (ships(), {"time": None}), "give it with --acquired"),
    "a time that is none": (lambda: (ships(), {"time": "yesterday"}), "give the time with --acquired"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_names_the_file_and_what_is_wrong_with(name: str, detect: Detect, tmp_path: Path) -> None:
    case, words = REFUSED[name]
    dn, changes = case()
    path = b.write_tiff(tmp_path / "a.tif", dn, **{"transform": AT, **changes})
    done = detect(path)
    assert done.code == 3, done
    assert f"error: {path}: " in done.told
    assert words in done.told
    assert done.written is None


DAMAGED: Mapping[str, tuple[Callable[[bytes], bytes | None], int, str]] = {
    # file name -> (content from that of a sound GeoTIFF, None for a folder; exit code; words)
    "cut.tif": (lambda raw: raw[: len(raw) // 2], 4, "is it a whole GeoTIFF"),
    "header.tif": (lambda raw: raw[:200], 4, "is it a whole GeoTIFF"),
    "empty.tif": (lambda raw: b"", 4, "is it a whole GeoTIFF"),
    "text.tif": (lambda raw: b"not a raster\n", 4, "is it a whole GeoTIFF"),
    "sound.image": (lambda raw: raw, 3, "a raster whose name ends in .tif, .tiff, .jp2, .png or .jpg"),
    "empty.json": (lambda raw: b"", 3, "is not JSON"),
    "list.json": (lambda raw: b"[1]", 3, "is JSON but no STAC item"),
    "none.json": (lambda raw: b'{"type": "FeatureCollection", "features": []}', 3, "holds no item"),
    "folder.tif": (lambda raw: None, 3, "is a folder; name the files in it"),
    "folder": (lambda raw: None, 3, "is a folder; name the files in it"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_cannot_be_read_is_named_and_never_zero_ships(name: str, detect: Detect, tmp_path: Path) -> None:
    content, code, words = DAMAGED[name]
    sound = b.write_tiff(tmp_path / "sound.tif", ships()).read_bytes()
    path, left = tmp_path / name, content(sound)
    if left is None:
        path.mkdir()
    else:
        path.write_bytes(left)
    done = detect(path)
    assert (done.code, done.written) == (code, None), done
    assert f"error: {path}: " in done.told
    assert words in done.told


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.tif", "none.tif: no such file"),
        ('{"type": "Feature"}' * 200, "neither a path nor an address"),
        ("http://[::1/item.json", "neither a path nor an address"),
    ],
)
def test_a_name_that_leads_nowhere_is_bad_input(name: str, words: str, detect: Detect) -> None:
    done = detect(name)
    assert (done.code, done.written) == (3, None), done
    assert words in done.told


def test_a_pixel_of_a_file_that_is_missing_fails_the_whole_file(detect: Detect, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(1, 3000, (4, 600, 600), np.uint16)
    path = tmp_path / "a.tif"
    b.write_cog(
        path, noise, b.grid(600, 600), band_names=NAMES, tags={"TIFFTAG_DATETIME": "2020:11:03 02:29:51"}
    )
    path.write_bytes(path.read_bytes()[:-5000])
    done = detect(path)
    assert (done.code, done.written) == (4, None), done
    assert f"{path}: cannot be read" in done.told


def test_a_geotiff_and_an_item_are_read_from_their_address(
    detect: Detect, server: FileServer, tmp_path: Path
) -> None:
    b.write_tiff(tmp_path / "a.tif", ships(), transform=AT)
    b.write_item(tmp_path, "S2", FRAME, water_with_ships())
    for name in ("a.tif", "a.tif?sig=a%2Fb", "S2/S2.json"):
        done = detect(f"{server.url}/{name}")
        assert (done.code, len(done.features)) == (0, 2), done.told


@pytest.mark.parametrize("name", ["none.tif", "none.json"])
@pytest.mark.parametrize("listens", [True, False])
def test_an_address_that_does_not_answer_failed_upstream(
    name: str, listens: bool, detect: Detect, server: FileServer
) -> None:
    url = f"{server.url if listens else f'http://127.0.0.1:{free_port()}'}/{name}"
    done = detect(url)
    assert (done.code, done.written) == (4, None), done
    assert f"error: {url}: cannot be read: " in done.told
    assert bool(re.search(r"\b404\b", done.told)) == listens  # a port may hold the digits
    assert "check the address, or try again later" in done.told


def test_an_item_with_a_visual_alone_is_searched_in_true_colour(detect: Detect, tmp_path: Path) -> None:
    done = detect(b.write_item(tmp_path, "S2", FRAME, visual=eight_bits()[:3]))
    assert (done.code, len(done.features)) == (0, 2), done.told


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"datetime": None}, "item S2: has no datetime"),
        ({"datetime": "soon"}, "item S2: datetime 'soon' is no time"),
        (
            {"bands": {"nir": water_with_ships()["nir"]}},
            "no asset for red, green, blue and no 'visual' asset",
        ),
    ],
)
def test_an_item_that_lacks_what_detection_needs_is_named(
    changes: dict[str, Any], words: str, detect: Detect, tmp_path: Path
) -> None:
    path = b.write_item(tmp_path, "S2", FRAME, **{"bands": water_with_ships(), **changes})
    done = detect(path)
    assert (done.code, done.written) == (3, None), done
    assert f"error: {path}: " in done.told
    assert words in done.told


def test_of_many_the_broken_ones_are_named_and_the_rest_done_with_a_bar_each(
    roadstead: Run, tmp_path: Path
) -> None:
    sound = [
        b.write_tiff(tmp_path / f"{day}.tif", ships(), transform=AT, time=f"2020:11:{day} 02:29:51")
        for day in ("03", "08")
    ]
    cut, gone = tmp_path / "cut.tif", tmp_path / "gone.json"
    cut.write_bytes(sound[0].read_bytes()[:5000])
    out = tmp_path / "d.geojson"
    done = roadstead("detect", sound[0], cut, gone, sound[1], "-o", out)
    assert done.returncode == 5
    assert "Traceback" not in done.stderr
    assert all(f"{name} ({number}/2)" in done.stderr for number, name in enumerate(("03.tif", "08.tif"), 1))
    assert f"{cut}: cannot be read" in done.stderr
    assert f"{gone}: no such file" in done.stderr
    written = json.loads(out.read_text())
    assert len(written["features"]) == 4
    assert set(written["roadstead"]["failures"]) == {str(cut), str(gone)}


def test_where_all_fail_each_is_named_and_nothing_is_written(detect: Detect, tmp_path: Path) -> None:
    text = tmp_path / "text.json"
    text.write_text("hello", encoding="utf-8")
    done = detect(tmp_path / "none.tif", text)
    assert (done.code, done.written) == (3, None), done
    assert "none.tif: no such file" in done.told
    assert "text.json: is not JSON" in done.told


def test_a_good_image_beside_a_broken_one_of_the_same_ground_is_searched(
    detect: Detect, tmp_path: Path
) -> None:
    good, broken = (b.write_tiff(tmp_path / f"{name}.tif", ships(), transform=AT) for name in "ab")
    broken.write_bytes(good.read_bytes()[:-5000])
    done = detect(good, broken)
    assert (done.code, len(done.features)) == (5, 2), done
    assert f"{broken}: cannot be read" in done.told


def test_of_two_images_of_the_same_ground_the_one_left_out_is_named(detect: Detect, tmp_path: Path) -> None:
    paths = [b.write_tiff(tmp_path / f"{name}.tif", ships(), transform=AT) for name in "ab"]
    done = detect(*paths)
    assert (done.code, len(done.features)) == (5, 2), done
    assert f"{paths[0]}: shows the same ground" in done.told


def test_both_ships_are_found_in_a_stack_whose_bands_the_user_names(detect: Detect, tmp_path: Path) -> None:
    stack = np.concatenate([ships()[[2, 2, 1, 0]], ships()[[3, 3, 3, 3]]])
    done = detect(
        b.write_tiff(tmp_path / "a.tif", stack, transform=AT), "--bands", "red=4,green=3,blue=2,nir=8"
    )
    assert (done.code, len(done.features)) == (0, 2), done.told


@pytest.mark.parametrize("text", ["red", "red=x", "rouge=1", "red=1;green=2", ""])
def test_bands_that_are_none_are_a_wrong_call(text: str, detect: Detect, tmp_path: Path) -> None:
    done = detect(b.write_tiff(tmp_path / "a.tif", ships(), transform=AT), "--bands", text)
    assert (done.code, done.written) == (2, None), done
    assert "write red=4,green=3,blue=2,nir=8" in done.told


def test_every_item_of_a_saved_search_is_searched_and_a_broken_one_named(
    detect: Detect, tmp_path: Path
) -> None:
    items = [b.write_item(tmp_path, name, FRAME, water_with_ships(), properties={}) for name in ("A", "B")]
    documents = [json.loads(item.read_text()) for item in items]
    for document in documents:
        for asset in document["assets"].values():
            asset["href"] = f"{document['id']}/{asset['href']}"
    documents[1]["properties"]["datetime"] = None
    path = tmp_path / "search.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": documents}), encoding="utf-8")
    done = detect(path)
    assert (done.code, len(done.features)) == (5, 2), done.told
    assert f"{path}#B: item B: has no datetime" in done.told.replace("\n", "")


def test_what_was_dropped_comes_with_its_reason_when_asked_for(detect: Detect, tmp_path: Path) -> None:
    path = b.write_tiff(tmp_path / "a.tif", ships(), transform=AT)
    kept, everything = (detect(path, *words).features for words in ((), ("--unfiltered",)))
    reasons = {row["properties"]["detection_id"]: row["properties"]["dropped_because"] for row in everything}
    assert {name for name, reason in reasons.items() if reason is None} == {
        row["properties"]["detection_id"] for row in kept
    }
    assert {"duplicate"} <= {reason for reason in reasons.values() if reason} <= set(DROPPED_BECAUSE)
