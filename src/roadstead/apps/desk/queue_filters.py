"""The queue as a page asks for it: filters from the address, and neighbours of a finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from roadstead.apps.desk.desk import Desk
from roadstead.core.errors import UsageError
from roadstead.store import SORTS, LeadFilter, LeadKey, Ranked

NAMES = ("port", "zone", "class", "kind", "code", "from", "to", "decided", "sort")
DECIDED = {"no": "undecided", "yes": "decided", "all": "all"}
SORT_WORDS = {
    "matters": "what matters",
    "newest": "newest overpass",
    "likeliest": "likeliest",
    "longest": "longest hull",
}


@dataclass(frozen=True)
class Asked:
    """What an address asks for."""

    fields: Mapping[str, str]
    """Filter names -> values given."""
    filter: LeadFilter
    decided: str
    """no, yes or all."""
    sort: str = "matters"
    """One of `SORTS`."""

    @property
    def query(self) -> str:
        """The filters as a query string, the same for the same filters."""
        return urlencode(self.fields)

    def shown(self, ranked: Ranked) -> Sequence[int]:
        """Return the places of leads that are decided, or not, as asked."""
        if self.decided == "no":
            return [int(place) for place in ranked.undecided]
        if self.decided == "all":
            return range(len(ranked))
        return sorted(set(range(len(ranked))) - set(ranked.undecided.tolist()))


def ranked(desk: Desk, queue: Asked, name: str) -> Ranked:
    """Return the leads that fit, in the order asked for; what is new is new to this person."""
    since = desk.people.visit_before(name) if name else None
    table = desk.queue.table()
    return desk.queue.ranked(queue.filter, queue.sort, since, desk.listed.of(table).ranks, table)


def asked(query: Mapping[str, str]) -> Asked:
    """Read the filters of an address.

    Raises:
        UsageError: a date is none, or the last day is before the first.
    """
    fields = {name: query[name] for name in NAMES if query.get(name)}
    decided = fields.get("decided", "no")
    sort = fields.get("sort", "matters")
    start, end = _day(fields, "from"), _day(fields, "to")
    if start and end and end < start:
        raise UsageError(f"to {fields['to']} is before from {fields['from']}")
    return Asked(
        fields,
        LeadFilter(
            port=fields.get("port"),
            zone=fields.get("zone"),
            hull_class=fields.get("class"),
            kind=fields.get("kind"),
            code=fields.get("code"),
            start=start,
            end=end + timedelta(days=1) if end else None,
        ),
        decided if decided in DECIDED else "no",
        sort if sort in SORTS else "matters",
    )


def _day(fields: Mapping[str, str], name: str) -> datetime | None:
    if name not in fields:
        return None
    try:
        day = date.fromisoformat(fields[name])
        if not 1900 <= day.year <= 2200:  # days are added to it
            raise ValueError(day)
    except ValueError as error:
        raise UsageError(f"{name}: {fields[name]!r} is no date; write it like 2020-11-03") from error
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@dataclass(frozen=True)
class Place:
    """Where a finding stands in a queue."""

    number: int
    """From 1; 0 where it is not in the queue."""
    total: int
    before: LeadKey | None
    after: LeadKey | None
    undecided: LeadKey | None
    """The next one without a decision, from the start again after the last."""


def place_in(leads: Ranked, port: str, finding: str) -> Place:
    """Return where a finding stands."""
    at, total = leads.number(port, finding), len(leads)
    following = leads.next_undecided(-1 if at is None else at)
    undecided = None if following is None else leads.key(following)
    if at is None:
        return Place(0, total, None, leads.key(0) if total else None, undecided)
    before = leads.key(at - 1) if at else None
    return Place(at + 1, total, before, leads.key(at + 1) if at + 1 < total else None, undecided)
