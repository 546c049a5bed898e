from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from roadstead.core.errors import ReadError
from roadstead.core.providers import PROVIDERS
from roadstead.core.settings import settings
from roadstead.imagery.remote import range_request as kept_module
from roadstead.imagery.remote.range_files import GAP, _joined
from roadstead.imagery.remote.range_request import LARGEST, Kept, Part, Version
from roadstead.imagery.remote.signing import S3, access_of, lacks_keys

WHOLE = Version(1000, '"one"')


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ROADSTEAD_HOME", str(tmp_path))
    settings.cache_clear()
    yield
    settings.cache_clear()


def body(start: int, stop: int) -> bytes:
    return bytes(n % 251 for n in range(start, stop))


def part(start: int, stop: int) -> Part:
    return Part(start, body(start, stop), WHOLE)


def test_what_is_kept_comes_back_whole_across_spans_and_between_processes() -> None:
    Kept("http://a/x.tif", WHOLE).put([part(0, 100), part(100, 300)])
    again = Kept("http://a/x.tif", WHOLE)
    assert again.get(40, 260) == body(40, 260)
    assert again.get(0, 300) == body(0, 300)
    assert again.get(250, 301) is None
    assert again.get(400, 500) is None


def test_a_new_version_of_a_file_starts_with_nothing() -> None:
    Kept("http://a/x.tif", WHOLE).put([part(0, 100)])
    assert Kept("http://a/x.tif", Version(1000, '"two"')).get(0, 100) is None
    assert Kept("http://a/y.tif", WHOLE).get(0, 100) is None


def test_a_file_of_unknown_version_is_not_kept() -> None:
    unknown = Version(1000, "")
    Kept("http://a/x.tif", unknown).put([part(0, 100)])
    assert Kept("http://a/x.tif", unknown).get(0, 100) is None


def test_what_was_evicted_or_dropped_is_not_there() -> None:
    kept = Kept("http://a/x.tif", WHOLE)
    kept.put([part(0, 100), part(200, 300)])
    kept_module.byte_cache().delete((kept._name, 0))
    assert kept.get(0, 100) is None and kept.get(200, 300) == body(200, 300)
    kept.drop()
    assert Kept("http://a/x.tif", WHOLE).get(200, 300) is None


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROADSTEAD_CACHE_GB", "0.003")
    settings.cache_clear()
    kept = Kept("http://a/x.tif", Version(10**9, '"one"'))
    for index in range(40):
        kept.put([Part(index * 200_000, bytes(200_000), WHOLE)])
    assert kept_module.byte_cache().volume() <= 4_000_000
    last = 39 * 200_000
    assert kept.get(last, last + 1000) == bytes(1000), "what was used last stays"


def test_near_ranges_are_one_request_and_far_ones_are_not() -> None:
    near, far = [(0, 100), (100 + GAP, 200 + GAP)], [(0, 100), (101 + GAP, 200 + GAP)]
    assert list(_joined(near)) == [(0, 200 + GAP)]
    assert list(_joined(far)) == far
    assert list(_joined(far[::-1])) == far, "whatever their order"
    large = [(n * LARGEST // 2, (n + 1) * LARGEST // 2) for n in range(5)]
    assert all(stop - start <= LARGEST for start, stop in _joined(large))
    assert sum(stop - start for start, stop in _joined(large)) == 5 * LARGEST // 2


def test_pixels_of_each_provider_are_opened_in_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = (
        "https://e84-earth-search-sentinel-data.s3.us-west-2.amazonaws.com/sentinel-2-c1-l2a/51/S/XC/B04.tif"
    )
    assert access_of(plain).url(plain) == plain
    assert (
        access_of("https://elsewhere.example/B04.tif")
        .url("https://elsewhere.example/B04.tif")
        .endswith("B04.tif")
    )
    monkeypatch.setenv("CDSE_S3_ACCESS_KEY", "mine")
    monkeypatch.setenv("CDSE_S3_SECRET_KEY", "hidden")
    place = "s3://eodata/Sentinel-2/MSI/L2A/2020/11/03/x.jp2"
    signed = access_of(place).url(place)
    assert signed.startswith(
        "https://eodata.dataspace.copernicus.eu/eodata/Sentinel-2/MSI/L2A/2020/11/03/x.jp2?"
    )
    assert "X-Amz-Credential=mine%2F" in signed and "X-Amz-Signature=" in signed
    assert "hidden" not in signed
    assert not lacks_keys(PROVIDERS["cdse"])


def test_without_keys_the_message_names_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CDSE_S3_ACCESS_KEY", raising=False)
    assert lacks_keys(PROVIDERS["cdse"])
    with pytest.raises(ReadError, match="CDSE_S3_ACCESS_KEY and CDSE_S3_SECRET_KEY"):
        S3("cdse", PROVIDERS["cdse"]).url("s3://eodata/x.jp2")
    with pytest.raises(ReadError, match="no S3 server we know"):
        access_of("s3://other/x.jp2")
