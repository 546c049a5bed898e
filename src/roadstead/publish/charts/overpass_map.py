"""One overpass as a small map: its stored picture with the findings marked."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from roadstead.publish.palette import STATUS_LOOKS, Look
from roadstead.store import Store

WIDTH_PX = 900
ON_MAP_PX, IN_LEGEND_PX = 13, 7
"""Half the size of a marker: on the map the hull shows within it."""
STRIP_PX = 26


def overpass_map(store: Store, port: str, overpass_id: str, caption: str) -> bytes | None:
    """Return the picture of an overpass as WebP, north up, every match marked by its status; None where there is none.

    Where anything in it is simulated the caption begins with SIMULATED.
    """
    picture = store.quicklook(port, overpass_id)
    tried = store.acquisitions(port)
    row = tried[tried["overpass_id"] == overpass_id]
    if picture is None or row.empty:
        return None
    pixels, (west, south, east, north) = picture
    image = Image.fromarray(pixels)
    image = image.resize((WIDTH_PX, max(1, round(WIDTH_PX * image.height / image.width))))
    at = row["acquired"].iloc[0].to_pydatetime()
    matches = store.matches(port, at, at + timedelta(microseconds=1))
    matches = matches[matches["overpass_id"] == overpass_id]
    draw = ImageDraw.Draw(image)
    for status, x, y in zip(matches["status"], matches.geometry.x, matches.geometry.y, strict=True):
        column = (x - west) / (east - west) * image.width
        line = (north - y) / (north - south) * image.height
        _mark(draw, STATUS_LOOKS[status], column, line, ON_MAP_PX)
    simulated = bool(row["simulated"].eq(True).any()) or bool(matches["simulated"].any())
    shown = _with_legend(
        image, ("SIMULATED. " if simulated else "") + caption, sorted(set(matches["status"]))
    )
    buffer = BytesIO()
    shown.save(buffer, "WEBP", quality=80)
    return buffer.getvalue()


def _mark(draw: ImageDraw.ImageDraw, look: Look, x: float, y: float, s: int) -> None:
    """Draw a marker with a dark rim, so that it shows on water and land alike."""
    shapes = {
        "square": [(x - s, y - s), (x + s, y - s), (x + s, y + s), (x - s, y + s)],
        "triangle": [(x, y - s), (x + s, y + s), (x - s, y + s)],
        "diamond": [(x, y - s), (x + s, y), (x, y + s), (x - s, y)],
        "x": [(x - s, y - s), (x + s, y + s), (x, y), (x + s, y - s), (x - s, y + s), (x, y)],
        "hex": [
            (x - s, y),
            (x - s / 2, y - s),
            (x + s / 2, y - s),
            (x + s, y),
            (x + s / 2, y + s),
            (x - s / 2, y + s),
        ],
    }
    for colour, width in (("#1b2430", 5), (look.colour, 2)):
        if look.marker in shapes:
            corners = shapes[look.marker]
            draw.line([*corners, corners[0], corners[1]], fill=colour, width=width, joint="curve")
        else:
            draw.ellipse([x - s, y - s, x + s, y + s], outline=colour, width=width)


def _with_legend(image: Image.Image, caption: str, statuses: list[str]) -> Image.Image:
    """Return the picture with the caption above it and what the markers mean below it."""
    font = ImageFont.load_default(14)
    whole = Image.new("RGB", (image.width, image.height + 2 * STRIP_PX), "white")
    whole.paste(image, (0, STRIP_PX))
    draw = ImageDraw.Draw(whole)
    draw.text((6, 5), caption, fill="black", font=font)
    left, line = 14.0, whole.height - STRIP_PX / 2
    for status in statuses:
        look = STATUS_LOOKS[status]
        _mark(draw, look, left, line, IN_LEGEND_PX)
        draw.text((left + 12, line - 8), look.label, fill="black", font=font)
        left += 40 + draw.textlength(look.label, font=font)
    return whole
