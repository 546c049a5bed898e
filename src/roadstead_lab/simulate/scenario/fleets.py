"""Whether a fleet's ships can have identities: enough numbers for all, and an honest ship for the clones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from roadstead_lab.simulate.scenario.lines import Fault, Where
from roadstead_lab.simulate.scenario.model import Behaviour, PortScenario, Route
from roadstead_lab.simulate.traffic.dealing import dealt
from roadstead_lab.simulate.traffic.identities import MAX_HULLS


def of_fleet(part: PortScenario, at: Where) -> Iterator[Fault]:
    """Yield what keeps the ships of a port from their identities."""
    counts = [row.different_hulls for row in part.fleet]
    passing = next((i for i in range(len(counts)) if sum(counts[: i + 1]) > MAX_HULLS), None)
    if passing is not None:
        told = (
            f"with this row the fleet has {sum(counts[: passing + 1]):,} different hulls, but there are numbers "
            f"for {MAX_HULLS:,}: set `hulls` so that ships call again"
        )
        yield Fault((*at, "fleet", passing), told)
    elif sum(counts) + part.moored_craft > MAX_HULLS:
        told = (
            f"{part.moored_craft:,} craft and a fleet of {sum(counts):,} hulls, but there are numbers for "
            f"{MAX_HULLS:,}: write at most {MAX_HULLS - sum(counts):,}"
        )
        yield Fault((*at, "moored_craft"), told)
    cards = [_cards(row.behaviours, count) for row, count in zip(part.fleet, counts, strict=True)]
    if not any(dealt_out["honest"] for dealt_out in cards):
        for index, dealt_out in enumerate(cards):
            if dealt_out["cloned_mmsi"]:
                yield _no_twin((*at, "fleet", index))


def of_route_fleet(route: Route, at: Where) -> Iterator[Fault]:
    """Yield what keeps the ships of a route from their identities."""
    if route.hulls > MAX_HULLS:
        yield Fault((*at, "hulls"), f"{route.hulls:,} hulls, but there are numbers for {MAX_HULLS:,}")
    cards = _cards(route.behaviours, route.hulls)
    if cards["cloned_mmsi"] and not cards["honest"]:
        yield _no_twin(at)


def _no_twin(at: Where) -> Fault:
    told = "a clone takes the MMSI of an honest ship of its fleet, but none is dealt out: give honest a share"
    return Fault((*at, "behaviours", "cloned_mmsi"), told)


def _cards(shares: Mapping[Behaviour, float], count: int) -> Counter[Behaviour]:
    """How many ships behave how; chance picks only which they are."""
    return Counter(dealt(shares, count, np.random.default_rng(0)) if sum(shares.values()) else ())
