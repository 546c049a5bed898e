"""What a catalogue, an item or a person may name."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator

import pytest

from roadstead.core.settings import settings
from roadstead.imagery.remote import address_rules
from roadstead.imagery.remote.address_rules import (
    AddressError,
    addresses_of,
    home_in_store,
    home_of,
    is_public,
    local_path,
    resolve_href,
)

BASE = "https://stac.example.org/c/items/i.json"
HOME = "stac.example.org:443"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("ROADSTEAD_ALLOWED_HOSTS", raising=False)
    settings.cache_clear()
    address_rules._seen_public.clear()
    yield
    settings.cache_clear()


@pytest.mark.parametrize(
    ("href", "whole"),
    [
        ("./B04.tif", "https://stac.example.org/c/items/B04.tif"),
        ("../B04.tif", "https://stac.example.org/c/B04.tif"),
        ("/B04.tif", "https://stac.example.org/B04.tif"),
        ("//pixels.example.org/B04.tif", "https://pixels.example.org/B04.tif"),
        (
            "https://pixels.example.org/a b/B04.tif?sig=x%2Fy",
            "https://pixels.example.org/a b/B04.tif?sig=x%2Fy",
        ),
        ("http://8.8.8.8/B04.tif", "http://8.8.8.8/B04.tif"),
        ("http://[2606:4700::1111]:8080/B04.tif", "http://[2606:4700::1111]:8080/B04.tif"),
        ("s3://eodata/B04.jp2", "s3://eodata/B04.jp2"),
        ("etc/passwd", "https://stac.example.org/c/items/etc/passwd"),
    ],
)
def test_what_came_over_http_names_what_the_internet_reaches(href: str, whole: str) -> None:
    assert resolve_href(href, BASE, HOME) == whole


@pytest.mark.parametrize(
    "href",
    [
        "file:///etc/passwd", "FILE:///etc/passwd", "file:/etc/passwd", "file://localhost/etc/passwd",
        "file:etc/passwd",
        "/vsicurl?header_file=/etc/passwd&url=http://x.example/", "/vsicurl/http://127.0.0.1/x.tif", "./vsimem/x",
        "/vsizip//vsicurl/http://x.example/a.zip/x.tif", "/VSICURL/http://x.example/", "/%76sicurl/http://x.example/",
        "//vsigzip//etc/passwd", "/vsitar/{/etc/x.tar}/y", "/vsisubfile/0_100,/etc/passwd", "/vsistdin/",
        'NETCDF:"/etc/passwd":x', "HDF5:/etc/passwd://x", "GTIFF_DIR:1:/etc/passwd", "GTIFF_RAW:/etc/passwd",
        "<VRTDataset rasterXSize='1'/>", "vrt:///etc/passwd?bands=1", "PG:host=127.0.0.1", "WMS:http://127.0.0.1/",
        "JPEG2000:/etc/passwd", "DERIVED_SUBDATASET:LOGAMPLITUDE:/etc/passwd", "C:/windows/win.ini", "zip:///etc/x.zip!y",
        "ftp://ftp.example/x.tif", "gopher://x.example/", "data:image/tiff;base64,AA==", "javascript:alert(1)",
        "gs://bucket/x.tif", "jar:file:///etc/passwd!/", "ldap://127.0.0.1/", "unix:/var/run/docker.sock", "s3:/x/y",
        "http:///etc/passwd", "http:/etc/passwd", "http:etc/passwd", "https://", "http://?x",
        "https://user@pixels.example.org/x.tif", "https://stac.example.org:443@evil.example/x.tif",
        "https://stac.example.org\\@evil.example/x.tif", "\\\\evil.example\\x.tif", "https://a.example/\r\nX: y",
        " https://a.example/x.tif", "\thttps://a.example/x.tif", "https://a.example/\x00.tif",
        "http://127.0.0.1/x.tif", "http://127.1/x.tif", "http://2130706433/x.tif", "http://0177.0.0.1/x.tif",
        "http://0x7f000001/x.tif", "http://0x7f.0.0.1/x.tif", "http://127.0.0.1./x.tif", "http://0/x.tif",
        "http://0.0.0.0/x.tif", "http://10.0.0.1/x.tif", "http://172.16.0.1/x.tif", "http://192.168.1.1/x.tif",
        "http://169.254.169.254/latest/meta-data/x.tif", "http://100.64.0.1/x.tif", "http://224.0.0.1/x.tif",
        "http://[::1]/x.tif", "http://[::]/x.tif", "http://[::ffff:127.0.0.1]/x.tif", "http://[::ffff:7f00:1]/x.tif",
        "http://[::127.0.0.1]/x.tif", "http://[64:ff9b::7f00:1]/x.tif", "http://[2002:7f00:1::]/x.tif",
        "http://[fe80::1]/x.tif", "http://[fe80::1%25lo]/x.tif", "http://[fd00::1]/x.tif", "http://[fec0::1]/x.tif",
        "http://127%2e0%2e0%2e1/x.tif", "http://①②⑦.⓪.⓪.①/x.tif", "http://127。0。0。1/x.tif", "http://a.example:99999/x",
        "s3://eodata/../other/x.jp2", "s3://eodata/%2e%2e/other/x.jp2", "https:///etc/passwd",
    ],
)  # fmt: skip
def test_what_came_over_http_names_nothing_else(href: str) -> None:
    with pytest.raises(AddressError):
        resolve_href(href, BASE, HOME)
    with pytest.raises(AddressError):
        resolve_href(href, None, HOME)


@pytest.mark.parametrize("href", ["B04.tif", "/etc/passwd", "../x.tif"])
def test_without_a_place_of_its_own_an_item_of_a_catalogue_names_no_file(href: str) -> None:
    for base in (None, "/etc/item.json"):
        with pytest.raises(AddressError, match="a path of this machine"):
            resolve_href(href, base, HOME)


def test_a_catalogue_in_a_private_network_names_its_own_host_and_port_alone() -> None:
    base, home = "http://192.168.1.5:8080/c/i.json", "192.168.1.5:8080"
    assert resolve_href("x.tif", base, home) == "http://192.168.1.5:8080/c/x.tif"
    assert resolve_href("http://192.168.1.5:8080/y.tif", base, home) == "http://192.168.1.5:8080/y.tif"
    for other in (
        "http://192.168.1.5:9000/y.tif",
        "http://192.168.1.6:8080/y.tif",
        "http://127.0.0.1:8080/y.tif",
    ):
        with pytest.raises(AddressError, match=r"is not on the Internet.*ROADSTEAD_ALLOWED_HOSTS="):
            resolve_href(other, base, home)


@pytest.mark.parametrize("allowed", ["192.168.1.5:9000", "10.0.0.1, 192.168.1.5"])
def test_a_setting_allows_further_hosts(monkeypatch: pytest.MonkeyPatch, allowed: str) -> None:
    monkeypatch.setenv("ROADSTEAD_ALLOWED_HOSTS", allowed)
    settings.cache_clear()
    assert resolve_href("http://192.168.1.5:9000/y.tif", BASE, HOME) == "http://192.168.1.5:9000/y.tif"


def test_a_file_of_this_machine_names_files_and_public_addresses() -> None:
    assert resolve_href("./B04.tif", "/data/i/i.json", None) == "/data/i/B04.tif"
    assert resolve_href("file:///data/a%20b.tif", "/data/i.json", None) == "/data/a b.tif"
    assert resolve_href("https://a.example/x.tif", "/data/i.json", None) == "https://a.example/x.tif"
    for href in ("http://127.0.0.1:80/x.tif", "/vsicurl/http://a.example/x.tif", "NETCDF:x", "ftp://a.example/x",
                 "file://server/x.tif", "<VRTDataset/>", "/./vsizip/x.zip", "//vsimem/x"):  # fmt: skip
        with pytest.raises(AddressError):
            resolve_href(href, "/data/i.json", None)


def test_the_path_given_to_gdal_is_a_plain_absolute_one(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    assert local_path("x.tif") == f"{tmp_path}/x.tif"
    assert local_path("./GTIFF_DIR:1:x.tif") == f"{tmp_path}/GTIFF_DIR:1:x.tif"


def test_only_addresses_of_the_internet_are_public() -> None:
    public = ("8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::")
    private = (
        "127.9.9.9",
        "::1",
        "::ffff:10.0.0.1",
        "198.18.0.1",
        "203.0.113.1",
        "255.255.255.255",
        "ff02::1",
    )
    assert all(is_public(ipaddress.ip_address(text)) for text in public)
    assert not any(is_public(ipaddress.ip_address(text)) for text in private)


def test_a_name_is_followed_to_no_private_address(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {
        "mixed.example": ["8.8.8.8", "10.0.0.1"],
        "inside.example": ["10.0.0.1"],
        "turns.example": ["8.8.8.8"],
    }

    def look_up(host: str, port: int, **_: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, port)) for text in found[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    for host in ("mixed.example", "inside.example"):
        with pytest.raises(AddressError, match="not on the Internet"):
            addresses_of(host, 443, HOME)
    assert addresses_of("inside.example", 443, "inside.example:443") == ["10.0.0.1"], (
        "its catalogue lies there"
    )
    assert addresses_of("turns.example", 443, "turns.example:443") == ["8.8.8.8"]
    found["turns.example"] = ["10.0.0.1"]
    with pytest.raises(AddressError, match="not on the Internet"):
        addresses_of("turns.example", 443, "turns.example:443")


def test_where_a_catalogue_lies_is_told_from_its_address_and_from_the_store() -> None:
    assert home_of("https://Stac.Example.org/v1") == HOME
    assert home_of("http://[::1]:80/") == "[::1]:80"
    assert home_of("/data/catalog.json") is None
    item = "https://elsewhere.example/i.json"
    assert home_in_store(item, "earth-search") == "earth-search.aws.element84.com:443"
    assert home_in_store(item, "192.168.1.5:8080") == "192.168.1.5:8080"
    assert home_in_store(item, "192.168.1.5") == "192.168.1.5:443"
    assert home_in_store(item, "[fd00::1]:8080") == "[fd00::1]:8080"
    assert home_in_store(item, "stac.example.org") == "", "a name may lead elsewhere by now"
    assert home_in_store(item, "2130706433") == ""
    assert home_in_store(item, "") == ""
    assert home_in_store("/data/i.json", "file") is None


def test_a_name_of_a_stored_item_that_leads_within_by_now_is_not_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As another process finds it, which never saw the public address."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.5", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    home = home_in_store("https://evil.example/stac/i.json", "evil.example")
    with pytest.raises(AddressError, match=r"not on the Internet.*ROADSTEAD_ALLOWED_HOSTS=evil\.example"):
        addresses_of("evil.example", 443, home)
    monkeypatch.setenv("ROADSTEAD_ALLOWED_HOSTS", "evil.example")
    settings.cache_clear()
    assert addresses_of("evil.example", 443, home) == ["10.0.0.5"]
