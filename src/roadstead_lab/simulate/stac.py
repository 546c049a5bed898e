"""The static STAC catalogue over the collections of a simulated world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pystac

from roadstead.core.errors import StoreError
from roadstead.imagery import SIMULATED
from roadstead_lab.simulate.optical.items import LABEL

_SHAPES = {
    "sentinel-2-c1-l2a": "Sentinel-2 Collection 1 Level-2A",
    "sentinel-1-grd": "Sentinel-1 Level-1C Ground Range Detected (GRD)",
}


def write_catalog(out: Path, collections: Mapping[str, Sequence[pystac.Item]], seed: int) -> Path:
    """Write a static catalogue with relative links and return its ``catalog.json``.

    Args:
        out: The catalogue's folder; scenes lie in folders called as their collections.
        collections: Collection id -> its items; one without items is left out.
        seed: Goes into the metadata.

    Raises:
        StoreError: a file cannot be written.
    """
    catalog = pystac.Catalog("roadstead-simulated", LABEL, extra_fields=_marks(seed))
    for name, items in collections.items():
        if items:
            catalog.add_child(_collection(name, items, seed))
    try:
        # The slash: pystac takes a name with a dot in it for that of a file.
        catalog.normalize_and_save(f"{out}/", pystac.CatalogType.SELF_CONTAINED)
    except OSError as error:
        raise StoreError(f"{out}: the catalogue cannot be written: {error.strerror or error}") from error
    return out / "catalog.json"


def _collection(name: str, items: Sequence[pystac.Item], seed: int) -> pystac.Collection:
    collection = pystac.Collection(
        name,
        f"{LABEL}. Items have the shape of Earth Search's {_SHAPES[name]}.",
        pystac.Extent.from_items(items),
        extra_fields=_marks(seed),
        license="other",
    )
    collection.add_items(items)
    return collection


def _marks(seed: int) -> dict[str, bool | int]:
    return {SIMULATED: True, "roadstead:seed": seed}
