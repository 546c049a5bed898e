"""Run every benchmark: ``python -m benchmarks``."""

from benchmarks import (
    ais_import,
    ais_segments,
    dense_anchorage,
    exports,
    fixed_structures,
    full_tile,
    port_day,
    review_load,
    review_map,
    review_pages,
    simulate_tile,
    simulate_year,
)

print("Detection: a whole Sentinel-2 tile of open water")
full_tile.main()
print("\nA new overpass, end to end, and a long backfill")
port_day.main()
print("\nAssociation: a dense anchorage")
dense_anchorage.main()
print("\nSimulation: a whole Sentinel-2 tile")
simulate_tile.main()
print("\nSimulation: a year of both ports without pixels")
simulate_year.main()
print("\nFixed structures: a simulated year of ships and jetties")
fixed_structures.main()
print("\nAIS: importing a made-up day, and NMEA beside pyais alone")
ais_import.main()
print("\nAIS: one number, several hulls")
ais_segments.main()
print("\nExports: 20,000 detections in each format")
exports.main()
print("\nThe desk: pages over 100,000 detections and 20,000 leads")
review_pages.main()
print("\nThe desk: fifty analysts at once")
review_load.main()
print("\nThe analyst's desk: the map over 100,000 detections")
review_map.main()
