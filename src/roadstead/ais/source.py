"""Where AIS comes from and on what terms: kept beside what was imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from roadstead.core.errors import UsageError

Receiver = Literal["terrestrial", "satellite", "mixed", "unknown"]
RECEIVERS: tuple[Receiver, ...] = get_args(Receiver)


@dataclass(frozen=True)
class Source:
    """One source of AIS and its terms; what the user did not say is unknown, never assumed."""

    name: str | None = None
    """None: rows are named by the station in their tag block, or by the file."""
    licence: str | None = None
    """Name or address of the licence or contract."""
    redistribute: bool | None = None
    """Whether the reports may be passed on to others."""
    thinning_s: float | None = None
    """The source passes on one report of a ship in so many seconds; 0: all of them."""
    receiver: Receiver = "unknown"

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            UsageError: a thinning interval below 0, or a receiver of no known kind.
        """
        if self.thinning_s is not None and not self.thinning_s >= 0.0:
            raise UsageError(f"--thinning-s {self.thinning_s}: seconds cannot be below 0")
        if self.receiver not in RECEIVERS:
            raise UsageError(f"--receiver {self.receiver}: write one of {', '.join(RECEIVERS)}")

    @property
    def says_something(self) -> bool:
        """True where the user said more than a name."""
        return self != Source(self.name)

    def as_json(self) -> dict[str, Any]:
        """Return the record as it is written."""
        return asdict(self)

    @classmethod
    def of(cls, record: Mapping[str, Any] | None, name: str | None) -> Source:
        """Return a source from its record; unknown terms where there is none."""
        return cls(**record) if record else cls(name)
