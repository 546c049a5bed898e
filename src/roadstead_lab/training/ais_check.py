"""The 33 image chips with AIS: vessels never trained on, with lengths that were not judged by eye."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from roadstead.core.geo import lonlat_to_xy
from roadstead.detection import Model
from roadstead.imagery import group_overpasses, open_geotiff
from roadstead_lab.training.figures import ratio, resampled, wilson
from roadstead_lab.training.motion_check import Told, bow_error_deg, told_rates
from roadstead_lab.training.product import detect_whole

DAY: Final = Path("s2_ais") / "2022-08-12"
LEAST_LENGTH_M: Final = 60.0
_MOVES: Final = {"Under way using engine": True, "At anchor": False, "Moored": False}
"""Navigational status -> whether it moves; the chips have no speed."""


@dataclass(frozen=True)
class ChipVessel:
    """The vessel a chip is centred on, and the nearest detection if it lies within one AIS length."""

    mmsi: str
    ais_length_m: float
    length_m: float | None
    low_m: float | None
    high_m: float | None
    told: Told | None = None
    """Of its bow and motion, against AIS heading and status; None where it was not found, or they are not told."""


def check(shared: Path, model: Model) -> dict[str, Any]:
    """Detect on every chip of a vessel of 60 m or more and hold the lengths against AIS."""
    return figures(chip_vessels(shared, model))


def chip_vessels(shared: Path, model: Model) -> list[ChipVessel]:
    """Detect on every chip of a vessel of 60 m or more."""
    return [chip_vessel(shared, row, model) for row in _chips(shared)]


def _chips(shared: Path) -> list[dict[str, Any]]:
    """Rows of chips.csv whose image is present and whose vessel is long enough."""
    table = pd.read_csv(shared / DAY / "chips.csv", dtype={"MMSI": str})
    rows = table[table["Length"] >= LEAST_LENGTH_M].to_dict("records")
    return [
        {str(key): value for key, value in row.items()}
        for row in rows
        if (shared / DAY / f"{row['ImageId']}.tif").exists()
    ]


def chip_vessel(shared: Path, row: dict[str, Any], model: Model) -> ChipVessel:
    """Detect on one chip and find its vessel."""
    path = shared / DAY / f"{row['ImageId']}.tif"
    (overpass,) = group_overpasses([open_geotiff(str(path))], None)
    table, grid = detect_whole(overpass, model)
    hull = gpd.read_file(path.with_name(f"{row['ImageId']}_labels.geojson")).to_crs(grid.crs).union_all()
    position = lonlat_to_xy(np.array([[row["Longitude"], row["Latitude"]]]), grid.crs)[0]
    length = float(row["Length"])
    near = _nearest(table.to_crs(grid.crs), shapely.Point(position), hull, length)
    if near is None:
        return ChipVessel(str(row["MMSI"]), length, None, None, None)
    measured, low, high = (float(near[name]) for name in ("length_m", "length_low_m", "length_high_m"))
    return ChipVessel(str(row["MMSI"]), length, measured, low, high, _told(near, row))


def _told(found: pd.Series[Any], row: dict[str, Any]) -> Told | None:
    if row["Navigational status"] not in _MOVES or not np.isfinite(float(row["Heading"])):
        return None
    return Told(
        float(row["Length"]),
        _MOVES[row["Navigational status"]],
        found["moving"],
        bow_error_deg(float(found["bow_deg"]), float(row["Heading"])),
    )


def _nearest(
    table: gpd.GeoDataFrame, position: shapely.Point, hull: shapely.Geometry, reach_m: float
) -> pd.Series[Any] | None:
    """Give the detection nearest to the position, of those within one length of it or of the label.

    Labels of a chip hold its other hulls too, so they can let a detection in but not choose among several.
    """
    centres = table.geometry.centroid
    from_position = centres.distance(position).to_numpy()
    near = np.minimum(from_position, centres.distance(hull).to_numpy()) <= reach_m
    if not near.any():
        return None
    best: pd.Series[Any] = table.iloc[int(np.argmin(np.where(near, from_position, np.inf)))]
    return best


def measured_and_ais(vessels: Sequence[ChipVessel]) -> NDArray[np.float64]:
    """[n, 2] measured and AIS lengths of the vessels found, metres."""
    return np.array([(v.length_m, v.ais_length_m) for v in vessels if v.length_m is not None], float).reshape(
        -1, 2
    )


def leave_one_out(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Errors as they are when each vessel's offset is the median of the others, not its own doing."""
    return np.array([error - np.median(np.delete(errors, k)) for k, error in enumerate(errors)])


def figures(vessels: Sequence[ChipVessel]) -> dict[str, Any]:
    """Share of vessels found, length error, and how often the 80 % interval holds the AIS length."""
    found = [vessel for vessel in vessels if vessel.length_m is not None]
    measured, ais = measured_and_ais(vessels).T
    errors = measured - ais
    held = sum((v.low_m or 0) <= v.ais_length_m <= (v.high_m or 0) for v in found)
    widths = [(v.high_m or 0) - (v.low_m or 0) for v in found]
    several = len(errors) > 1
    return {
        "n_vessels": len(vessels),
        "n_found": len(found),
        "found": ratio(len(found), len(vessels)),
        "found_95": wilson(len(found), len(vessels)),
        "length_mae_m": _mean(np.abs(errors)),
        "length_mae_m_95": resampled(np.abs(errors)),
        "length_mae_leave_one_out_m": _mean(np.abs(leave_one_out(errors))) if several else None,
        "length_mae_leave_one_out_m_95": resampled(np.abs(leave_one_out(errors))) if several else None,
        "length_bias_m": _mean(errors),
        "length_bias_m_95": resampled(errors),
        "told": told_rates([v.told for v in vessels if v.told is not None]),
        "interval_80_coverage": ratio(held, len(found)),
        "interval_80_coverage_95": wilson(held, len(found)),
        "interval_80_median_width_m": _mean(np.array([np.median(widths)])) if widths else None,
        "interval_80_median_width_m_95": resampled(widths, np.median),
    }


def _mean(values: NDArray[np.float64]) -> float | None:
    return round(float(np.mean(values)), 2) if len(values) else None
