"""Who a vessel says it is: its declared history, its flag, changes, how that fits together, and what lists say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from roadstead.ais.data import AisData, from_simulator
from roadstead.ais.identity.registry import flag_of, imo_is_valid, mid_is_assigned
from roadstead.ais.identity.watchlists import Identifiers, ListMatch, Watchlist, matches, plain_name, rank

_SAID = ("imo", "name", "callsign", "ship_type", "length_m", "beam_m", "draught_m", "destination")
_IMO = re.compile(r"(?:IMO)?\s*(\d{7})", re.IGNORECASE)
LENGTH_M = 10.0
"""A declared length that changes by less is a correction."""
_TEXTS = ("imo", "name", "callsign")


@dataclass(frozen=True)
class Identity:
    """One MMSI as of a moment. What lists say and what was observed are separate."""

    mmsi: str
    at: datetime
    flag: str | None
    """ISO 3166-1 alpha-2, from the MMSI."""
    declared: dict[str, Any]
    """Each field as last declared by then."""
    history: pd.DataFrame
    """`schemas.VESSELS` of this MMSI, up to then."""
    oddities: tuple[str, ...]
    """Codes: ``imo_check_digit``, ``mid_not_assigned``, ``imo_changed``, ``name_changed``, ``several_hulls``."""
    list_status: tuple[ListMatch, ...]
    observed: dict[str, Any]
    """``first``, ``last``, ``reports``, ``hulls``, ``simulated``: of the AIS given, up to then."""

    @property
    def rank(self) -> int:
        """Lists with a hit; similar names count nothing."""
        return rank(self.list_status)

    def as_json(self) -> dict[str, Any]:
        """Return a JSON-ready document."""
        return {
            "mmsi": self.mmsi,
            "at": self.at.isoformat(),
            "flag": self.flag,
            "declared": self.declared,
            "oddities": list(self.oddities),
            "history": [_plain(row) for row in self.history.to_dict("records")],
            "list_status": [_status(match) for match in self.list_status],
            "rank": self.rank,
            "observed": self.observed,
        }


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    return {str(name): None if pd.isna(value) else value for name, value in row.items()}


def _status(match: ListMatch) -> dict[str, Any]:
    entry = match.entry
    return {
        "kind": match.kind,
        "basis": list(match.basis),
        "standing": match.standing,
        "list": match.list_name,
        "names": list(entry.names),
        "imo": entry.imo,
        "listed": entry.listed,
        "delisted": entry.delisted,
        "programme": entry.programme,
        "retrieved": match.retrieved,
        "retrieved_from": match.retrieved_from,
        "list_is_older": match.list_is_older,
    }


def identify(
    query: str, ais: AisData, lists: Sequence[Watchlist] = (), at: datetime | None = None
) -> list[Identity]:
    """Return the vessels of some AIS that an MMSI, an IMO number or a name may mean, as of a moment.

    Args:
        query: nine digits, seven digits (with or without ``IMO``), or a name.
        ais: what was heard.
        lists: watchlists, evaluated as of the sighting.
        at: the moment; by default of each vessel the last time it was heard.
    """
    return [_identity(mmsi, ais, lists, at) for mmsi in _meant(query, ais)]


def _meant(query: str, ais: AisData) -> list[str]:
    word = query.strip()
    if re.fullmatch(r"\d{9}", word):
        heard = set(ais.positions["mmsi"]) | set(ais.vessels["mmsi"])
        return [word] if word in heard else []
    vessels = ais.vessels
    if (imo := _IMO.fullmatch(word)) is not None:
        chosen = vessels["imo"] == imo[1]
    else:
        chosen = vessels["name"].map(plain_name, na_action="ignore") == plain_name(word)
    return sorted(set(vessels.loc[chosen, "mmsi"]))


def _identity(mmsi: str, ais: AisData, lists: Sequence[Watchlist], at: datetime | None) -> Identity:
    reports = ais.positions[ais.positions["mmsi"] == mmsi]
    history = ais.vessels[ais.vessels["mmsi"] == mmsi].sort_values("time")
    last = max([*reports["time"].tail(1), *history["time"].tail(1)])
    moment = at or last.to_pydatetime()
    history = history[history["time"] <= pd.Timestamp(moment)].reset_index(drop=True)
    reports = reports[reports["time"] <= pd.Timestamp(moment)]
    declared = {name: _last(history, name) for name in _SAID}
    said = Identifiers(mmsi, declared["imo"], declared["name"], declared["callsign"])
    return Identity(
        mmsi=mmsi,
        at=moment,
        flag=flag_of(mmsi),
        declared=declared,
        history=history,
        oddities=_oddities(mmsi, history, reports),
        list_status=tuple(matches(said, lists, moment.date())),
        observed=_observed(reports, from_simulator(history["source"])),
    )


def _last(history: pd.DataFrame, name: str) -> Any:  # noqa: ANN401 - a cell
    known = history[name].dropna()
    return None if known.empty else known.iloc[-1]


def _oddities(mmsi: str, history: pd.DataFrame, reports: pd.DataFrame) -> tuple[str, ...]:
    imos, names = set(history["imo"].dropna()), {plain_name(name) for name in history["name"].dropna()}
    found = {
        "imo_check_digit": any(not imo_is_valid(imo) for imo in imos),
        "mid_not_assigned": not mid_is_assigned(mmsi),
        "imo_changed": len(imos) > 1,
        "name_changed": len(names) > 1,
        "several_hulls": reports["segment"].nunique() > 1,
    }
    return tuple(code for code, holds in found.items() if holds)


def _observed(reports: pd.DataFrame, said_by_simulator: bool) -> dict[str, Any]:
    if reports.empty:
        return {"first": None, "last": None, "reports": 0, "hulls": 0, "simulated": said_by_simulator}
    return {
        "first": reports["time"].min().isoformat(),
        "last": reports["time"].max().isoformat(),
        "reports": len(reports),
        "hulls": int(reports["segment"].nunique()),
        "simulated": said_by_simulator or from_simulator(reports["source"]),
    }


def identity_changes(vessels: pd.DataFrame, reports: pd.DataFrame) -> list[dict[str, Any]]:
    """Return identity changes as rows of `schemas.EVENTS`; those of vessels without a position are left out.

    Args:
        vessels: `schemas.VESSELS`.
        reports: positions with ``mmsi``, ``segment``, ``time``, ``lon``, ``lat``.
    """
    found = [*_of_one_mmsi(vessels), *_of_one_imo(vessels)]
    if not found or reports.empty:
        return []
    changed = reports[reports["mmsi"].isin({change["mmsi"] for change in found})]
    places = {str(mmsi): rows for mmsi, rows in changed.groupby("mmsi")}
    return [_event(change, places[change["mmsi"]]) for change in found if change["mmsi"] in places]


def _of_one_mmsi(vessels: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for mmsi, rows in vessels.sort_values("time", kind="stable").groupby("mmsi"):
        for name in (*_TEXTS, "length_m"):
            told = rows[["time", name]].dropna()
            for (_, before), (time, after) in zip(
                told.itertuples(index=False), told.iloc[1:].itertuples(index=False), strict=False
            ):
                if _differs(name, before, after):
                    yield {"mmsi": str(mmsi), "time": time, "field": name, "before": before, "after": after}


def _differs(name: str, before: Any, after: Any) -> bool:  # noqa: ANN401 - cells
    if name == "length_m":
        return abs(float(before) - float(after)) > LENGTH_M
    return plain_name(str(before)) != plain_name(str(after))


def _of_one_imo(vessels: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the MMSIs that declare an IMO number which another MMSI declared before."""
    known = vessels.dropna(subset=["imo"])
    known = known[known["imo"].map(imo_is_valid).astype(bool)] if len(known) else known
    first = known.sort_values("time", kind="stable").drop_duplicates(["imo", "mmsi"])
    for imo, rows in first.groupby("imo"):
        numbers, times = rows["mmsi"].tolist(), rows["time"].tolist()
        for before, after, time in zip(numbers, numbers[1:], times[1:], strict=False):
            yield {
                "mmsi": after,
                "time": time,
                "field": "mmsi",
                "before": before,
                "after": after,
                "imo": str(imo),
            }


def _event(change: dict[str, Any], reports: pd.DataFrame) -> dict[str, Any]:
    time = pd.Timestamp(change["time"])
    near = reports.iloc[int(np.argmin(np.abs((reports["time"] - time).dt.total_seconds().to_numpy())))]
    evidence = {name: change[name] for name in ("field", "before", "after", "imo") if name in change}
    return {
        "kind": "identity_change",
        "mmsi": change["mmsi"],
        "segment": int(near["segment"]),
        "other_mmsi": change["before"] if change["field"] == "mmsi" else None,
        "start": time,
        "end": time,
        "lon": float(near["lon"]),
        "lat": float(near["lat"]),
        "zone": None,
        "evidence": {**evidence, "hulls_on_this_mmsi": int(reports["segment"].nunique())},
    }
