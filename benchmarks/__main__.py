"""Run every benchmark: ``python -m benchmarks``."""

from benchmarks import dense_anchorage, detect_speed, simulate_tile, simulate_year

print("Detection: one scene of open water, 2 cores or fewer")
detect_speed.main()
print("\nAssociation: a dense anchorage")
dense_anchorage.main()
print("\nSimulation: a whole Sentinel-2 tile")
simulate_tile.main()
print("\nSimulation: a year of both ports without pixels")
simulate_year.main()
