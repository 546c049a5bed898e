"""Run every benchmark: ``python -m benchmarks``."""

from benchmarks import dense_anchorage, detect_speed

print("Detection: one scene of open water, 2 cores or fewer")
detect_speed.main()
print("\nAssociation: a dense anchorage")
dense_anchorage.main()
