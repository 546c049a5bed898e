"""Count hulls at a port of your own, drawn as GeoJSON polygons.

    python examples/your_own_port.py mine.geojson 2024-05-01 2024-05-07 [catalog]

Each polygon has the properties `port`, `zone` (PORT/NAME) and `kind` (berth, anchorage, fairway or lock). A file that
breaks a rule is refused with the feature and the fault.
"""

import sys

from roadstead import count, detect, load_port, reconcile_ais, search

drawn, start, end, *catalog = sys.argv[1:]

port = load_port(drawn)
print(f"{port.slug}: {', '.join(zone.id for zone in port.zones)}")

# What the catalogues list. An empty answer is an error, because "not observed" is not "no ships".
plan = search(port, start, end, catalog=catalog[0] if catalog else None)
print(f"{len(plan.overpasses)} overpasses listed, {len(plan.missing)} passes that no catalogue lists")

# The newest one, without AIS: hulls are counted, and what was declared stays unknown rather than zero.
hulls = detect(plan.overpasses[-1:], port)
counts = count(hulls, reconcile_ais(hulls, None, port), port)
observed = counts[(counts["quantity"] == "observed") & (counts["length_bin"] == "all")]
for row in observed.to_dict("records"):
    if row["observed_at_all"]:
        print(f"{row['zone']}  {row['class']}: {row['value']:.0f} [{row['low']:.0f}-{row['high']:.0f}]")
    else:
        print(f"{row['zone']}: not observed, only {row['visible_fraction']:.0%} of it was seen")
