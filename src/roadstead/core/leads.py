"""What a lead is: one rule, by kind, for every page, file, message and count.

A lead is a row of `schemas.MATCHES` that a person should look at. Surfaces may sort, cut and word leads as they like;
which rows are leads, and of which kind, is decided here alone. `RULES` is data, so that the store can ask for the same
rows in SQL (`store.leads.lead_kind`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd

SURE_AMBIGUOUS: Final = 0.8
"""An ambiguous hull is a lead where some declared vessel fits it with at least this probability."""
WITHOUT_AIS: Final = ("no_ais_given", "no_ais_in_window")
"""Reason codes of a hull that lay where there was no AIS at that overpass to hold it against."""


@dataclass(frozen=True)
class LeadRule:
    """What a row of `schemas.MATCHES` must be for one kind of lead; what is left out does not matter."""

    kind: str
    words: str
    """The kind in words for people."""
    status: str | None = None
    """Of `schemas.STATUSES`."""
    conflicting: bool = False
    """The row carries a conflict code."""
    of_a_hull: bool = False
    """A hull was seen: the row names a detection."""
    least_probability: float = 0.0
    reasons: tuple[str, ...] = ()
    """The row carries one of these reason codes."""


RULES: Final = (
    LeadRule("conflict", "with a conflict", conflicting=True),
    LeadRule("no_ais_partner", "no AIS partner", "no_ais_partner"),
    LeadRule("unseen", "declared, not seen", "unseen"),
    LeadRule("ambiguous", "ambiguous", "ambiguous", of_a_hull=True, least_probability=SURE_AMBIGUOUS),
    LeadRule("hull", "no AIS to compare with", "no_coverage", of_a_hull=True, reasons=WITHOUT_AIS),
)
"""The kinds of leads. A row is of the first kind whose rule it meets, so it is one lead at most."""
LEAD_KINDS: Final = tuple(rule.kind for rule in RULES)
LEAD_WORDS: Final[Mapping[str, str]] = {rule.kind: rule.words for rule in RULES}
"""Kind -> words for people."""

Frame = TypeVar("Frame", bound=pd.DataFrame)


def lead_kinds(matches: pd.DataFrame) -> pd.Series[Any]:
    """Return the kind of lead that each row is, one of `LEAD_KINDS`; None where it is no lead.

    Args:
        matches: `schemas.MATCHES`, or its columns status, conflicts, reasons, probability and detection_id.
    """
    kinds = np.full(len(matches), None, object)
    for rule in reversed(RULES):
        kinds[_meets(matches, rule)] = rule.kind
    return pd.Series(kinds, matches.index, object)


def lead_kind(match: Mapping[Any, Any]) -> str | None:
    """Return the kind of lead that one row is; None where it is no lead. See `lead_kinds`."""
    kind: str | None = lead_kinds(pd.DataFrame([dict(match)])).iloc[0]
    return kind


def leads_of(matches: Frame) -> Frame:
    """Return the rows that are leads, with ``lead``, their kind; see `with_lead_kind`."""
    named = with_lead_kind(matches)
    return named[named["lead"].notna()]


def with_lead_kind(matches: Frame) -> Frame:
    """Return every row, with its kind of lead in ``lead``, beside ``status``; None where it is none."""
    named = matches.copy()
    named.insert(list(named.columns).index("status") + 1, "lead", lead_kinds(matches))
    return named


def leads_by_kind(matches: pd.DataFrame) -> dict[str, int]:
    """Return kind -> number of leads, of every kind in the order of `LEAD_KINDS`."""
    counted = lead_kinds(matches).value_counts()
    return {kind: int(counted.get(kind, 0)) for kind in LEAD_KINDS}


def lead_probability(probability: float, p_vessel: float | None) -> float:
    """Return a lead's probability: that of its status times that of being a vessel at all.

    Args:
        probability: of the match.
        p_vessel: of its detection; None where no hull was seen.
    """
    return probability if p_vessel is None else probability * p_vessel


def without_ais(status: str, reasons: str) -> bool:
    """Whether a hull lay where there was no AIS at all, so that its status says nothing of any vessel heard."""
    return status == "no_coverage" and bool(set(WITHOUT_AIS) & set(reasons.split(",")))


def _meets(matches: pd.DataFrame, rule: LeadRule) -> np.ndarray:
    met = np.ones(len(matches), bool)
    if rule.status is not None:
        met &= (matches["status"] == rule.status).to_numpy(bool)
    if rule.conflicting:
        met &= (matches["conflicts"] != "").to_numpy(bool)
    if rule.of_a_hull:
        met &= matches["detection_id"].notna().to_numpy(bool)
    if rule.reasons:
        carried = matches["reasons"].str.split(",")
        met &= np.array([not set(rule.reasons).isdisjoint(codes) for codes in carried], bool)
    return met & (matches["probability"] >= rule.least_probability).to_numpy(bool)
