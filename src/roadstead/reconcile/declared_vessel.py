"""What each vessel declares about itself at an overpass: size, type, transmitter class, IMO number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadstead.core.geo import Array

_DIMENSIONS = ["to_bow_m", "to_stern_m", "to_port_m", "to_starboard_m"]
_STATIC = ["imo", "flag", "ship_type", *_DIMENSIONS, "length_m"]


@dataclass(frozen=True)
class Declared:
    """Static data of n vessels, rows aligned with a `Prediction`; NaN or None where not declared."""

    length_m: Array
    ship_type: Array
    """ITU-R M.1371 type code as float."""
    antenna_offset_m: Array
    """Distance from the antenna to the hull's centre."""
    class_b: NDArray[np.bool_]
    """Transmits as Class B; an unknown class counts as A."""
    imo: NDArray[np.object_]
    flag: NDArray[np.object_]
    """ISO 3166-1 alpha-2, as whoever gave the static data has it."""

    def take(self, keep: NDArray[np.intp]) -> Declared:
        """Return the vessels at positions ``keep``."""
        return Declared(**{name: getattr(self, name)[keep] for name in self.__dataclass_fields__})

    @classmethod
    def of(
        cls,
        hull: NDArray[np.object_],
        mmsi: NDArray[np.object_],
        positions: pd.DataFrame,
        vessels: pd.DataFrame,
        moment: pd.Timestamp,
    ) -> Declared:
        """Return what the vessels declared last before ``moment``, or first after it."""
        rows = _static_at(vessels, moment).reindex(mmsi)
        bow, stern, port, starboard = rows[_DIMENSIONS].to_numpy(float).T
        return cls(
            length_m=rows["length_m"].to_numpy(float),
            ship_type=rows["ship_type"].to_numpy(np.float64, na_value=np.nan),
            antenna_offset_m=np.hypot((bow - stern) / 2, (starboard - port) / 2),
            class_b=_class_b(positions).reindex(hull, fill_value=False).to_numpy(bool),
            imo=rows["imo"].to_numpy(object),
            flag=rows["flag"].to_numpy(object),
        )


def _static_at(vessels: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    """Return one row a vessel, indexed by MMSI: each field as last declared by the moment, else as first after."""
    ordered = vessels.sort_values(["time", "length_m", "ship_type", *_DIMENSIONS], kind="stable")
    grouped = ordered[ordered["time"] <= moment].groupby("mmsi")[_STATIC].last()
    later = ordered[ordered["time"] > moment].groupby("mmsi")[_STATIC].first()
    return grouped.combine_first(later) if len(later) else grouped


def _class_b(positions: pd.DataFrame) -> pd.Series:
    return (positions["ais_class"] == "B").groupby(positions["hull"]).max()
