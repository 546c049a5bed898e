"""What was read back held against what was written: rows, places within a centimetre, attributes."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from roadstead.core.geo import distance_m

CENTIMETRE = 0.01


def in_order(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return rows by their keys, columns by their names: some formats keep no order of rows."""
    keys = [name for name in ("detection_id", "mmsi", "zone", "overpass_id") if name in table]
    plain = table.assign(**{name: table[name].astype(object).where(table[name].notna(), "") for name in keys})
    return table.loc[plain.sort_values(keys, kind="stable").index].reset_index(drop=True)


def assert_same(read: gpd.GeoDataFrame, written: gpd.GeoDataFrame) -> None:
    """Hold every column and every corner; a null is a null whatever stands for it, times to the millisecond."""
    read, written = in_order(read.drop(columns="bbox", errors="ignore")), in_order(written)
    assert set(read.columns) == set(written.columns)
    for name in written.columns:
        if name != "geometry":
            assert_same_column(read[name], written[name])
    here = read.to_crs("EPSG:4326").geometry
    for got, meant in zip(here, written.geometry, strict=True):
        a, b = (shapely.get_coordinates(shapely.normalize(single(shape))) for shape in (got, meant))
        assert a.shape == b.shape
        # Rounding can turn the order of corners that lie on one meridian, so the nearest one is taken.
        apart = [distance_m(np.repeat(xy[None], len(b), axis=0), b).min() for xy in a]
        assert max(apart) < CENTIMETRE


def single(shape: shapely.Geometry) -> shapely.Geometry:
    """Return the one part of a collection of one."""
    parts = shapely.get_parts(shape)
    return parts[0] if len(parts) == 1 else shape


def assert_same_column(read: pd.Series, written: pd.Series) -> None:
    if isinstance(written.dtype, pd.DatetimeTZDtype):
        found = pd.to_datetime(read, utc=True).astype("datetime64[ms, UTC]")
        assert list(found) == list(written.astype("datetime64[ms, UTC]")), written.name
        return
    for got, meant in zip(read, written, strict=True):
        if pd.isna(meant):
            assert pd.isna(got), written.name
        elif isinstance(meant, (float, np.floating)):
            assert got == pytest.approx(meant, abs=1e-9), written.name
        else:
            assert (got, isinstance(got, str)) == (meant, isinstance(meant, str)), written.name
