"""Codes and words of ITU-R M.1371-5 and how the publishers of AIS tables write them."""

from __future__ import annotations

import re

NAV_STATUS = {
    0: "under way using engine",
    1: "at anchor",
    2: "not under command",
    3: "restricted manoeuvrability",
    4: "constrained by her draught",
    5: "moored",
    6: "aground",
    7: "engaged in fishing",
    8: "under way sailing",
    11: "power-driven vessel towing astern",
    12: "power-driven vessel pushing ahead or towing alongside",
    14: "AIS-SART active",
}
"""Navigational status by code (ITU-R M.1371-5, table 48); 9, 10, 13 are reserved and 15 is undefined: null."""

_NAV_WORDS = {
    **{text.lower(): text for text in NAV_STATUS.values()},
    "restricted maneuverability": NAV_STATUS[3],
    "under way": NAV_STATUS[0],
    "underway using engine": NAV_STATUS[0],
    "underway sailing": NAV_STATUS[8],
    "anchored": NAV_STATUS[1],
    "constrained by draught": NAV_STATUS[4],
    "constrained by draft": NAV_STATUS[4],
    "power-driven vessel towing astern (regional use)": NAV_STATUS[11],
    "power-driven vessel pushing ahead or towing alongside (regional use)": NAV_STATUS[12],
}

SHIP_TYPES = {
    "wig": 20,
    "fishing": 30,
    "towing": 31,
    "towing long/wide": 32,
    "dredging": 33,
    "diving": 34,
    "military": 35,
    "sailing": 36,
    "pleasure": 37,
    "hsc": 40,
    "pilot": 50,
    "sar": 51,
    "tug": 52,
    "port tender": 53,
    "anti-pollution": 54,
    "law enforcement": 55,
    "spare 1": 56,
    "spare 2": 57,
    "medical": 58,
    "not party to conflict": 59,
    "passenger": 60,
    "cargo": 70,
    "tanker": 80,
    "other": 90,
}
"""Ship type code (ITU-R M.1371-5, table 53) of the words that the Danish Maritime Authority writes."""

MOBILES: dict[str, tuple[str | None, str | None]] = {
    "a": ("A", None),
    "class a": ("A", None),
    "b": ("B", None),
    "class b": ("B", None),
    "base station": (None, "base_station"),
    "aton": (None, "aid_to_navigation"),
    "aid to navigation": (None, "aid_to_navigation"),
    "sar airborne": (None, "sar_aircraft"),
    "sar aircraft": (None, "sar_aircraft"),
    "search and rescue transponder": (None, "distress_beacon"),
    "man overboard device": (None, "distress_beacon"),
}
"""Transmitter class and kind of station by the word for the transmitter."""

MESSAGES: dict[int, str] = {
    **dict.fromkeys((1, 2, 3, 5, 27), "a"),
    **dict.fromkeys((18, 19, 24), "b"),
    4: "base station",
    9: "sar aircraft",
    21: "aton",
}
"""Word of `MOBILES` by the number of the message (ITU-R M.1371-5 annex 8, table 46)."""
_OTHER_TARGETS = {"95", "96", "97", "98", "99"}
"""Statuses by which MarineTraffic tells base stations, Class B, aircraft and aids: no status of a ship."""

NULLS = frozenset(
    {
        "",
        "unknown",
        "unknown value",
        "undefined",
        "null",
        "none",
        "nan",
        "n/a",
        "na",
        "-",
        "not available",
        "\\n",
    }
)
"""Words for "not known", in lower case."""

_GEAR_NAME = re.compile(
    r"\d{1,3}\s?%$"  # battery level: NET-82542-84%
    r"|[-@ ]\d{1,2}\.\d{1,2}V$"  # battery voltage: 3-12.4V
    r"|^(?:FISH(?:ING)? ?)?(?:NET|GEAR|BUOY)S?(?: ?(?:BUOY|MARK(?:ER)?)S?)?[-_ #@]*\d"  # NET-7, NET MARK 3
)


def nav_status(value: object) -> str | None:
    """Return the words for a navigational status given as code or words; None for reserved and undefined.

    Raises:
        ValueError: neither a code nor words that we know.
    """
    text = str(value).strip()
    if re.fullmatch(r"\d{1,2}(\.0)?", text) and int(float(text)) <= 15:
        return NAV_STATUS.get(int(float(text)))
    word = text.lower()
    if text.removesuffix(".0") in _OTHER_TARGETS:
        return None
    if word in _NAV_WORDS:
        return _NAV_WORDS[word]
    if word in NULLS or word.startswith(("reserved", "not defined", "default", "undefined")):
        return None
    raise ValueError(text)


def ship_type(value: object) -> int | None:
    """Return the two-digit ship type of a code or word; None for 0 and for codes above 99 (regional, reserved).

    Raises:
        ValueError: neither a code nor a word that we know.
    """
    text = str(value).strip().lower()
    if re.fullmatch(r"\d{1,4}(\.0)?", text):
        code = int(float(text))
        return code if 0 < code < 100 else None
    if text in NULLS or text.startswith(("reserved", "spare")):
        return SHIP_TYPES.get(text)
    if text not in SHIP_TYPES:
        raise ValueError(text)
    return SHIP_TYPES[text]


def is_gear_name(name: str) -> bool:
    """Say whether a vessel name is one that fishing-gear buoys send, such as ``NET-82542-84%``."""
    return _GEAR_NAME.search(name.upper()) is not None
