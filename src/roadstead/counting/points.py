"""Points and gaps of a count series over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from roadstead.core.wording import number


@dataclass(frozen=True)
class CountPoint:
    """What was observed of one class and length bin at one overpass, over the zones seen."""

    acquired: datetime
    overpass_id: str
    hull_class: str
    length_bin: str
    value: float | None
    """None where no zone was seen."""
    low: float | None
    high: float | None
    zones_seen: int
    zones: int

    @property
    def words(self) -> str:
        """The count in words: value, interval, and of how many zones."""
        if self.value is None or self.low is None or self.high is None:
            return "not observed"
        part = "" if self.zones_seen == self.zones else f", {self.zones_seen} of {self.zones} zones seen"
        return f"{number(self.value)} [{number(self.low)}–{number(self.high)}]{part}"


@dataclass(frozen=True)
class Gap:
    """A pass that says nothing of ships."""

    acquired: datetime
    why: str
