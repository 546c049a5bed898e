"""How many findings of simulated ships the memory of fixed structures would take away, and how many jetties it learns.

A simulated year of both ports as a detector finds it (no pixels), alone, and with jetties laid where ships were found,
each found in nine looks of ten. Every pass of the second half of the year is judged by what the passes before taught.
Ships that lie at one berth all year are told apart: nothing but how seldom they are found keeps them from being learnt.

    python -m benchmarks.fixed_structures
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import pandas as pd

from roadstead.core.detections_file import DetectionsHeader, read_detections
from roadstead.detection.fixed_structures import FIXED_STRUCTURE, learn, mark
from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.scenario.file import load_scenario
from roadstead_lab.simulate.world import simulate

JETTIES = 20
"""A port."""
FOUND = 0.9
PLACE_SIGMA_DEG = 4e-5
"""About four metres."""


def with_jetties(found: gpd.GeoDataFrame, passes: gpd.GeoDataFrame, port: str) -> gpd.GeoDataFrame:
    """Add jetties, each of the shape of some finding, to all passes that saw their place."""
    rng = generator(1, port, "jetties")
    rows = []
    for number, like in found.sample(JETTIES, random_state=1).reset_index(drop=True).iterrows():
        seen = passes[passes.geometry.contains(like.geometry.centroid) & (rng.random(len(passes)) < FOUND)]
        for at in seen.itertuples():
            dx, dy = rng.normal(0, PLACE_SIGMA_DEG, 2)
            length, axis = like["length_m"] + rng.normal(0, 6), (like["axis_deg"] + rng.normal(0, 3)) % 180
            rows.append(
                {
                    **like,
                    "detection_id": f"jetty-{number}-{at.overpass_id}",
                    "overpass_id": at.overpass_id,
                    "acquired": at.acquired,
                    "lon": like["lon"] + dx,
                    "lat": like["lat"] + dy,
                    "length_m": length,
                    "axis_deg": axis,
                    "geometry": gpd.GeoSeries([like.geometry]).translate(dx, dy).iloc[0],
                }
            )
    return gpd.GeoDataFrame(
        pd.concat([found, gpd.GeoDataFrame(rows, crs=found.crs)], ignore_index=True), crs=found.crs
    )


def looks(header: DetectionsHeader) -> gpd.GeoDataFrame:
    """Return one row a pass: where it searched."""
    rows = {scene.overpass_id: (scene.acquired, scene.valid_area) for scene in header.scenes}
    times = pd.to_datetime([acquired for acquired, _ in rows.values()], utc=True).astype(
        "datetime64[ns, UTC]"
    )
    return gpd.GeoDataFrame(
        {"overpass_id": list(rows), "acquired": times},
        geometry=[area for _, area in rows.values()],
        crs="EPSG:4326",
    )


def judged(found: gpd.GeoDataFrame, passes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the findings of the later half of the passes as they are marked."""
    later = passes.sort_values("acquired").iloc[len(passes) // 2 :]
    return pd.concat(
        [
            mark(found[found["overpass_id"] == one.overpass_id], learn(found, passes, one.acquired))
            for one in later.itertuples()
        ]
    )


def lying_all_year(truth: Path, port: str, found: gpd.GeoDataFrame) -> list[int]:
    """Return in how many passes each ship is found that lies at one place in all of them."""
    hulls = gpd.read_file(truth / "hulls.geojson")
    hulls = hulls[hulls["port"] == port]
    stays = hulls.groupby("vessel_id")[["lon", "lat"]].agg(["nunique", "size"])
    every = stays["lon"]["size"] == hulls["acquired"].nunique()
    still = stays.index[every & (stays["lon"]["nunique"] == 1) & (stays["lat"]["nunique"] == 1)]
    one = hulls[hulls["vessel_id"].isin(still)].drop_duplicates("vessel_id")
    places = gpd.points_from_xy(one["lon"], one["lat"])
    return [int(found.loc[found.contains(place), "overpass_id"].nunique()) for place in places]


def main() -> None:
    """Print one table."""
    heads = ("ships judged", "taken away", "beside jetties", "jetties judged", "taken away", "lie all year")
    print(f"{'port':18}" + "".join(f"{head:>16}" for head in heads))
    with TemporaryDirectory() as folder:
        made = simulate(Path(folder) / "year", load_scenario("year-2020"), 0, "detections")
        for port, path in made.detections.items():
            found, header = read_detections(path)
            passes = looks(header)
            alone, table = judged(found, passes), judged(with_jetties(found, passes, port), passes)
            jetty = table["detection_id"].str.startswith("jetty")
            wrong, gone = (each["dropped_because"] == FIXED_STRUCTURE for each in (alone, table))
            numbers = (len(alone), wrong.sum(), (~jetty & gone).sum(), jetty.sum(), (jetty & gone).sum())
            still = lying_all_year(made.out / "truth", port, found)
            print(f"{port:18}" + "".join(f"{int(number):16d}" for number in (*numbers, len(still))))
            print(f"{'':18}of {len(passes)} passes, those that lie all year are found in {still}")


if __name__ == "__main__":
    main()
