"""The queue as a page asks for it: filters from the address, and neighbours of a finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from roadstead.catalog import LeadFilter, LeadKey
from roadstead.errors import UsageError

NAMES = ("port", "zone", "class", "status", "code", "from", "to", "decided")
DECIDED = {"no": "undecided", "yes": "decided", "all": "all"}


@dataclass(frozen=True)
class Asked:
    """What an address asks for."""

    fields: Mapping[str, str]
    """Filter names -> values given."""
    filter: LeadFilter
    decided: str
    """no, yes or all."""

    @property
    def query(self) -> str:
        """The filters as a query string, the same for the same filters."""
        return urlencode(self.fields)

    def shown(self, keys: Sequence[LeadKey]) -> list[LeadKey]:
        """Return the leads that are decided, or not, as asked."""
        return [key for key in keys if self.decided == "all" or bool(key.decided) == (self.decided == "yes")]


def asked(query: Mapping[str, str]) -> Asked:
    """Read the filters of an address.

    Raises:
        UsageError: a date is none.
    """
    fields = {name: query[name] for name in NAMES if query.get(name)}
    decided = fields.get("decided", "no")
    start, end = _day(fields, "from"), _day(fields, "to")
    return Asked(
        fields,
        LeadFilter(
            port=fields.get("port"),
            zone=fields.get("zone"),
            hull_class=fields.get("class"),
            status=fields.get("status"),
            code=fields.get("code"),
            start=start,
            end=end + timedelta(days=1) if end else None,
        ),
        decided if decided in DECIDED else "no",
    )


def _day(fields: Mapping[str, str], name: str) -> datetime | None:
    if name not in fields:
        return None
    try:
        day = date.fromisoformat(fields[name])
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


def place_in(keys: Sequence[LeadKey], port: str, finding: str) -> Place:
    """Return where a finding stands."""
    at = next((i for i, key in enumerate(keys) if (key.port, key.finding) == (port, finding)), None)
    if at is None:
        return Place(
            0, len(keys), None, keys[0] if keys else None, next((k for k in keys if not k.decided), None)
        )
    around = [*keys[at + 1 :], *keys[:at]]
    return Place(
        at + 1,
        len(keys),
        keys[at - 1] if at else None,
        keys[at + 1] if at + 1 < len(keys) else None,
        next((key for key in around if not key.decided), None),
    )
