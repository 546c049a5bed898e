"""What somebody asks for when they take released findings out as a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Download:
    """Released findings as one file for the outside."""

    kind: str
    """``geojson`` or ``csv``."""
    user: str | None = None
    """Who takes it unredacted, which is written into the chain; None: redacted."""
    port: str | None = None
    hull_class: str | None = None
    status: str | None = None
