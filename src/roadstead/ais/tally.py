"""What became of every row of a file: the parts add up to what was read."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Tally:
    """Rows by what became of them; a multipart message is one row, and so is a line that could not be read."""

    positions: int = 0
    """Position reports of ships that were kept."""
    stations: int = 0
    """Reports of transmitters that are no ships, kept as evidence of reception."""
    static: int = 0
    """Rows that hold static data alone."""
    duplicates: int = 0
    """The same report again, from this receiver or another."""
    out_of_reach: int = 0
    """Good rows from elsewhere, or from another time, than what was asked for."""
    quarantined: int = 0
    """Rows of which nothing could be used; each is in the quarantine with a reason."""
    passed_over: int = 0
    """Messages of kinds, and sentences of instruments, that say nothing of a ship; rows that declare nothing."""

    @property
    def kept(self) -> int:
        """Rows of which something was kept."""
        return self.positions + self.stations + self.static

    @property
    def read(self) -> int:
        """All rows."""
        return sum(getattr(self, part.name) for part in fields(self))

    def __add__(self, other: Tally) -> Tally:
        """Add two files, or two parts of one."""
        return Tally(**{name: value + getattr(other, name) for name, value in asdict(self).items()})

    def as_json(self) -> dict[str, Any]:
        """Return the parts and their sums."""
        return {"read": self.read, "kept": self.kept, **asdict(self)}
