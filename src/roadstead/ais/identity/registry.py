"""What the digits of an MMSI and of an IMO number say.

MMSI forms: Recommendation ITU-R M.585-9. Flag: the ITU table of Maritime Identification Digits, as ISO 3166-1
alpha-2 codes in ``data/mid.csv``. IMO number: resolution A.1117(30).
"""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from importlib.resources import files

_SHIP = re.compile(r"[2-7]\d{8}")
_CRAFT = re.compile(r"98(?=\d{7}$)")
_COAST_STATION = re.compile(r"00(?=\d{7}$)")
_AID_TO_NAVIGATION = re.compile(r"99(?=\d{7}$)")
_SAR_AIRCRAFT = re.compile(r"111(?=\d{6}$)")
_BEACON = re.compile(r"97[024]\d{6}")
_IMO = re.compile(r"\d{7}")


@lru_cache(maxsize=1)
def mid_table() -> dict[str, str | None]:
    """Return every assigned MID with its ISO 3166-1 alpha-2 code; None where several territories share it."""
    text = files("roadstead.ais.identity").joinpath("mid.csv").read_text(encoding="ascii")
    return {row["mid"]: row["iso2"] or None for row in csv.DictReader(text.splitlines())}


def mid_of(mmsi: str) -> str | None:
    """Return the three Maritime Identification Digits of a ship, craft or station; None for other forms."""
    if _SHIP.fullmatch(mmsi):
        return mmsi[:3]
    for form in (_CRAFT, _COAST_STATION, _AID_TO_NAVIGATION, _SAR_AIRCRAFT):
        if lead := form.match(mmsi):
            return mmsi[lead.end() : lead.end() + 3]
    return None


@lru_cache(maxsize=65_536)
def flag_of(mmsi: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of the flag in an MMSI; None where its MID names no one territory."""
    return mid_table().get(mid_of(mmsi) or "")


def mid_is_assigned(mmsi: str) -> bool:
    """Say whether the MMSI has a form of ITU-R M.585 and a MID that the ITU has assigned."""
    return mid_of(mmsi) in mid_table()


@lru_cache(maxsize=65_536)
def station_kind(mmsi: str) -> str | None:
    """Return the kind of station (`schemas.STATIONS`) that an MMSI's form stands for; None for a ship.

    Numbers of another form or with an unassigned MID count as ships: mis-set ship transmitters use them, and a
    hull that was heard must not be called silent.
    """
    kinds = {
        "base_station": _COAST_STATION,
        "aid_to_navigation": _AID_TO_NAVIGATION,
        "sar_aircraft": _SAR_AIRCRAFT,
    }
    found = (kind for kind, form in kinds.items() if form.match(mmsi))
    return next(found, None) if mid_is_assigned(mmsi) else None


def is_distress_beacon(mmsi: str) -> bool:
    """Say whether an MMSI is that of an AIS-SART, man-overboard device or EPIRB (970, 972, 974)."""
    return _BEACON.fullmatch(mmsi) is not None


def imo_is_valid(imo: str) -> bool:
    """Say whether a seven-digit IMO number ends in its check digit: sum of digits 1-6 times 7..2, modulo 10."""
    if not _IMO.fullmatch(imo):
        return False
    return imo[6] == imo_check_digit(imo[:6])


def imo_check_digit(six: str) -> str:
    """Return the digit that follows the first six of an IMO number: their sum times 7..2, modulo 10."""
    return str(sum(int(digit) * weight for digit, weight in zip(six, range(7, 1, -1), strict=True)) % 10)
