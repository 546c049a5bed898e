"""What pictures of an overpass can show, and the colours of the mask. No raster library is needed for this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LookName = Literal["true-colour", "nir", "mask"]

LOOK_WORDS: dict[LookName, str] = {
    "true-colour": "true colour",
    "nir": "near infrared",
    "mask": "mask",
}


@dataclass(frozen=True)
class MaskLook:
    """How one class of the mask is shown."""

    label: str
    rgb: tuple[int, int, int]

    @property
    def colour(self) -> str:
        """``#rrggbb``."""
        return "#{:02X}{:02X}{:02X}".format(*self.rgb)


MASK_LOOKS = {
    "water": MaskLook("clear, water", (0, 114, 178)),
    "land": MaskLook("clear, looks like land", (230, 159, 0)),
    "cloud": MaskLook("cloud", (204, 121, 167)),
    "untold": MaskLook("imaged, water or land not told", (120, 120, 120)),
}
"""Colours of Okabe and Ito's set, apart in lightness too. What was not imaged is transparent."""
