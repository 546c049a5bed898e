"""Which addresses may be read: one rule for whatever a catalogue, an item, a server or a person names.

What came over HTTP names http, https and S3 alone, and nothing that is not public but what lies where its catalogue
lies. What lies on this machine may name files of this machine as well. What is no plain path and no such address
(GDAL's ``/vsi`` paths and driver prefixes, ``file:``, ``ftp:``, ``data:`` and so on) is read for nobody. Names are
looked up here, once, and the connection goes to the address that was checked.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from collections.abc import Sequence
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import url2pathname

import pystac.utils

from roadstead.core.errors import SceneError
from roadstead.core.settings import settings

REMOTE = ("http", "https", "s3")
PORTS = {"http": 80, "https": 443}
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9_+.-]*:")
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:.]*:[0-9a-f:.]*")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_NOT_IN_ADDRESSES = re.compile(r"[\x00-\x1f\x7f\\<>{}\"]|^ | $")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressError(SceneError):
    """An address that is not read; says which and why."""


def is_remote(href: str) -> bool:
    """Return whether a path or URL is read over the network."""
    return urlsplit(href).scheme in REMOTE if _SCHEME.match(href) else False


def place_of(url: str) -> str:
    """Return ``host:port`` of an http or https URL, in lower case, with the port that its scheme stands for.

    Raises:
        AddressError: it has no host, or a port that is none.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise AddressError(f"{url}: is no address: {error}") from error
    if not parts.hostname:
        raise AddressError(f"{url}: names no host")
    return _place(parts.hostname, port)


def home_of(href: str | None) -> str | None:
    """Return where something that the user names lies: ``host:port``; None for a file and for S3."""
    return place_of(href) if href and is_remote(href) and urlsplit(href).scheme != "s3" else None


def home_in_store(item_href: str | None, provider: str) -> str | None:
    """Return where the catalogue of a stored item lies, as far as that may be in a network of one's own.

    That is its provider's row, else the IP address that it is named for. A name without a row is no home: whoever owns
    it may lead it to an address of this network by now, so it is read again where it is public (or set as allowed).
    """
    if not item_href or not is_remote(item_href):
        return None
    row = settings().providers.get(provider)
    if row is not None:
        return home_of(row.api) or ""
    try:
        place = place_of(f"{urlsplit(item_href).scheme}://{provider}")
        return place if literal(_split(place)[0]) is not None else ""
    except AddressError:
        return ""


def resolve_href(target: str, base: str | None, home: str | None) -> str:
    """Return an address that a document names, made absolute: a URL, or a path of this machine.

    Args:
        target: as the document writes it.
        base: where the document lies, URL or path; None where that is not known.
        home: ``host:port`` of the catalogue that the document came from; None for files of this machine.

    Raises:
        AddressError: the address is not read.
    """
    if is_remote(target) or (base is not None and is_remote(base)) or home is not None:
        return _resolved_remote(target, base, home)
    return _resolved_local(target, base)


def _resolved_remote(target: str, base: str | None, home: str | None) -> str:
    _check_spelling(target)
    if _SCHEME.match(target) or base is None or not is_remote(base):
        url = target
    elif target.startswith(("//", "?")):
        url = urljoin(base, target)
    else:
        url = pystac.utils.make_absolute_href(target, base)
    trusted = urlsplit(base).netloc if base is not None and is_remote(base) else ""
    check_url(url, home, trusted)
    return url


def _check_spelling(target: str) -> None:
    """Refuse what is a path of GDAL or what two readers of addresses may understand in two ways."""
    plain = unquote(target)
    if plain.lstrip("/.").lower().startswith("vsi") and plain.startswith(("/", ".")):
        raise AddressError(f"{target}: is a path of GDAL's, which is not read")
    if _NOT_IN_ADDRESSES.search(target):
        raise AddressError(f"{target!r}: holds characters that no address holds")


def check_url(url: str, home: str | None, trusted: str = "") -> None:
    """Check an absolute address as it is written; a name is looked up when it is connected to.

    Args:
        url: The address.
        home: ``host:port`` of the catalogue that names it; None for files of this machine and the user.
        trusted: user, host and port that may stand in it with a user's name.

    Raises:
        AddressError: another scheme than http, https and S3, no host, a user's name in it, a host in odd spelling, or
            an address that is not public where the catalogue does not lie.
    """
    parts = urlsplit(url)
    if parts.scheme not in REMOTE:
        said = f"{parts.scheme}:" if parts.scheme else "a path of this machine"
        raise AddressError(f"{url}: is {said}, and only http, https and S3 are read from there")
    place = place_of(url)
    if "@" in parts.netloc and parts.netloc != trusted:
        raise AddressError(f"{url}: holds a user's name")
    if parts.scheme == "s3":
        if any(part in (".", "..") for part in unquote(parts.path).split("/")):
            raise AddressError(f"{url}: leads out of its folder")
        return
    host, port = _split(place)
    address = literal(host)
    if address is not None and not may_reach(address, host, port, home):
        raise AddressError(f"{url}: {_not_public(place)}")


def literal(host: str) -> Address | None:
    """Return the IP address that a host is, or None where it is a name.

    Raises:
        AddressError: it is neither, or a number that some take for an address, such as ``2130706433`` or ``0x7f.1``.
    """
    if not _HOST.fullmatch(host):
        raise AddressError(f"{host!r}: is no name of a host")
    try:
        return ipaddress.ip_address(host)
    except ValueError as error:
        if _NUMBER.fullmatch(host.rpartition(".")[2]) or ":" in host:
            raise AddressError(
                f"{host}: is no name of a host, and no IP address as they are written"
            ) from error
    return None


def is_public(address: Address) -> bool:
    """Return whether an IP address is one of the Internet's: neither loopback, private, link-local nor reserved."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        elif address.ipv4_mapped is None and (address.is_reserved or address.is_site_local):
            return False
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


def may_reach(address: Address, host: str, port: int, home: str | None) -> bool:
    """Return whether a host may be connected to at an address: a public one, where the catalogue lies, or as set."""
    return is_public(address) or (home is not None and _same(host, port, home)) or _is_set(host, port)


def _same(host: str, port: int, home: str) -> bool:
    own, own_port = _split(home)
    web = set(PORTS.values())
    return host == own and (port == own_port or {port, own_port} <= web)


def _is_set(host: str, port: int) -> bool:
    return bool({host, _place(host, port)} & set(settings().allowed_host_names))


_seen_public: set[str] = set()
"""Names that had public addresses in this process: one that turns to an address within is not followed."""


def addresses_of(host: str, port: int, home: str | None) -> Sequence[str]:
    """Look a host up; return the IP addresses to connect to.

    Raises:
        AddressError: one of its addresses may not be reached.
        socket.gaierror: the name is not known.
    """
    host = host.lower().rstrip(".").strip("[]")
    numeric = literal(host)
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    addresses = {text: ipaddress.ip_address(text.partition("%")[0]) for text in found}
    public = all(map(is_public, addresses.values()))
    if numeric is None and public:
        _seen_public.add(host)
    turned = not public and host in _seen_public and not _is_set(host, port)
    if turned or not all(may_reach(address, host, port, home) for address in addresses.values()):
        raise AddressError(f"{host}: {_not_public(_place(host, port))}")
    return list(addresses)


def _not_public(place: str) -> str:
    return (
        f"{place} is not on the Internet, and not known as where its catalogue lies; it may be read after "
        f"ROADSTEAD_ALLOWED_HOSTS={place}"
    )


def local_path(name: str) -> str:
    """Return a file of this machine as an absolute path, of which GDAL understands nothing but the file.

    Raises:
        AddressError: it is an address, a path of GDAL's, or begins like a driver of GDAL's.
    """
    return _resolved_local(name, None)


def _resolved_local(target: str, base: str | None) -> str:
    if target.lower().startswith("file:"):
        path = _path_of_file_url(target)
    elif found := _SCHEME.match(target):
        raise AddressError(
            f"{target}: {found.group()} is not read; give a path, or an http, https or S3 address"
        )
    else:
        path = target
    if "\x00" in path or "<" in path:
        raise AddressError(f"{target!r}: is no path")
    folder = "" if base is None else os.path.dirname(_resolved_local(base, None))
    whole = "/" + os.path.abspath(os.path.join(folder, path)).lstrip("/")
    if whole.lower().startswith("/vsi"):
        raise AddressError(f"{target}: is a path of GDAL's, which is not read")
    return whole


def _path_of_file_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise AddressError(f"{url}: is no file of this machine")
    return url2pathname(parts.path)


def _place(host: str, port: int) -> str:
    bare = host.lower().rstrip(".")
    return f"[{bare}]:{port}" if ":" in bare else f"{bare}:{port}"


def _split(place: str) -> tuple[str, int]:
    host, _, port = place.rpartition(":")
    return host.strip("[]"), int(port or 0)


def short_place(place: str) -> str:
    """Return a place without the port that is usual on the web."""
    host, _, port = place.rpartition(":")
    return host if port in {str(port) for port in PORTS.values()} else place


def same_place(url: str, place: str) -> bool:
    """Return whether the host and port of a URL are those of a place, which may lack the usual port."""
    try:
        return short_place(place_of(url)) == short_place(place)
    except AddressError:
        return False


def begins_with(href: str, start: str) -> bool:
    """Return whether an address begins like another one, whose host and port are wholly its own."""
    return href.startswith(start) and urlsplit(href).netloc == urlsplit(start).netloc
