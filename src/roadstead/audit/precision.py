"""How often what the model and the matching say held, by what analysts decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from scipy.stats import binomtest

from roadstead.store import Decision, Decisions
from roadstead.store.decisions import is_vessel, judged_class


@dataclass(frozen=True)
class Share:
    """A share with its 95 % interval."""

    hits: int
    n: int

    @property
    def value(self) -> float | None:
        """The share; None of nothing."""
        return self.hits / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's score interval (doi:10.1080/01621459.1927.10502953), 95 %."""
        if not self.n:
            return None
        found = binomtest(self.hits, self.n).proportion_ci(0.95, method="wilson")
        return float(found.low), float(found.high)


@dataclass(frozen=True)
class Precision:
    """One model version and class, as found."""

    model_id: str
    model_sha256: str | None
    hull_class: str
    simulated: bool
    vessel: Share
    """Of the hulls judged: that are vessels."""
    as_class: Share
    """Of the hulls judged to be vessels and whose class was judged: of that class."""


@dataclass(frozen=True)
class LeadShare:
    """One status as found."""

    status: str
    simulated: bool
    accepted: Share
    """Of the leads decided: accepted, or corrected without another class or partner."""


@dataclass(frozen=True)
class Judged:
    """What one decision says of what was found, in brief."""

    status: str
    simulated: bool
    accepted: bool
    """Accepted, or corrected without another class or partner."""
    is_vessel: bool | None
    hull_class: str | None
    """As judged."""
    found: tuple[str, str | None, str] | None
    """Model, its SHA-256 and the class as found; None where no hull was seen."""


def in_brief(row: Decision) -> Judged:
    """Return what a decision says of what was found."""
    seen = row.seen
    hull = seen.get("hull")
    unchanged = row.kind == "corrected" and row.hull_class is None and row.linked_mmsi is None
    return Judged(
        status=str(seen["status"]),
        simulated=row.simulated,
        accepted=row.kind == "accepted" or unchanged,
        is_vessel=is_vessel(row),
        hull_class=judged_class(row),
        found=None if hull is None else (str(seen["model_id"]), seen["model_sha256"], str(hull["class"])),
    )


class Judgements:
    """The decisions that stand, in brief; rows never change, so each is read once."""

    def __init__(self, decisions: Decisions) -> None:
        """Take the chain."""
        self._decisions = decisions
        self._known: dict[int, Judged] = {}

    def standing(self) -> list[Judged]:
        """Return them in their order."""
        numbers = self._decisions.standing_numbers()
        for row in self._decisions.some([number for number in numbers if number not in self._known]):
            self._known[row.seq] = in_brief(row)
        return [self._known[number] for number in numbers]


def precisions(standing: Iterable[Judged]) -> list[Precision]:
    """Return the precision by model version and class, of the decisions that stand."""
    groups: dict[tuple[str, str | None, str, bool], list[Judged]] = defaultdict(list)
    for row in standing:
        if row.found is not None and row.is_vessel is not None:
            groups[*row.found, row.simulated].append(row)
    return [
        Precision(*key, _share(rows), _class_share(rows, key[2]))
        for key, rows in sorted(groups.items(), key=lambda item: tuple(map(str, item[0])))
    ]


def _share(rows: list[Judged]) -> Share:
    return Share(sum(bool(row.is_vessel) for row in rows), len(rows))


def _class_share(rows: list[Judged], found: str) -> Share:
    judged = [row.hull_class for row in rows]
    return Share(judged.count(found), sum(name is not None for name in judged))


def lead_shares(standing: Iterable[Judged]) -> list[LeadShare]:
    """Return how often leads of each status were accepted, of the decisions that stand."""
    groups: dict[tuple[str, bool], list[bool]] = defaultdict(list)
    for row in standing:
        groups[row.status, row.simulated].append(row.accepted)
    return [LeadShare(*key, Share(sum(rows), len(rows))) for key, rows in sorted(groups.items())]
