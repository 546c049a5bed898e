"""One colour and one name for each class, status and zone kind, on maps, charts and in QGIS alike.

Colours are of Okabe and Ito's set (https://jfly.uni-koeln.de/color/), told apart with any colour vision;
statuses differ in shape as well.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """How one value is shown."""

    label: str
    """Words for people."""
    colour: str
    """``#rrggbb``."""
    marker: str = "circle"
    """Marker by Bokeh's name."""
    qgis_marker: str = "circle"
    """The same by QGIS's name."""
    dash: str = "solid"
    """Line style by Bokeh's name."""

    @property
    def rgb(self) -> tuple[int, int, int]:
        """The colour as red, green and blue, 0 to 255."""
        red, green, blue = bytes.fromhex(self.colour[1:])
        return red, green, blue


CLASS_LOOKS = {
    "barge": Look("barge", "#E69F00"),
    "bulk_carrier": Look("bulk carrier", "#0072B2"),
    "other_vessel": Look("other vessel", "#8A8F98"),
    "dry_cargo": Look("dry cargo (barge + bulk carrier)", "#009E73"),
    "all": Look("all hulls", "#333A44"),
}
STATUS_LOOKS = {
    "matched": Look("matched to AIS", "#009E73", "circle", "circle"),
    "ambiguous": Look("ambiguous", "#F0E442", "square", "square"),
    "no_ais_partner": Look("no AIS partner", "#D55E00", "triangle", "triangle"),
    "unseen": Look("declared, not seen", "#CC79A7", "diamond", "diamond"),
    "no_coverage": Look("AIS cannot tell", "#C3C9D1", "hex", "hexagon"),
    "not_visible": Look("declared, not visible", "#8A8F98", "x", "cross2"),
}
BOX_LOOKS = {
    "truth": Look("true box, as it would be labelled", "#56B4E9"),
    "found": Look("box that was found", "#E69F00"),
}
"""In pictures of what a model found; classes are written there and have no colour."""
KIND_LOOKS = {
    "berth": Look("berth", "#56B4E9"),
    "anchorage": Look("anchorage", "#56B4E9", dash="dashed"),
    "fairway": Look("fairway", "#56B4E9", dash="dotted"),
    "lock": Look("lock", "#56B4E9", dash="dotdash"),
}
"""Kinds differ by line, not by colour: colours are for classes and statuses."""
TRACK_LOOK = Look("AIS reports kept as evidence, in order of time", "#5B4A9E")
"""Lines stand for no class and no status, so they have a colour of their own."""
