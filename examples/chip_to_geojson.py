"""Find the hulls in one GeoTIFF and write them as GeoJSON.

    python examples/chip_to_geojson.py chip.tif 2024-05-03T02:29Z hulls.geojson

A chip that carries its own time (TIFFTAG_DATETIME) keeps it; the one given is for those that carry none.
"""

import sys

from roadstead import detect

chip, acquired, output = sys.argv[1:]

hulls = detect(chip, acquired=acquired)

# One row a hull: an oriented box in longitude and latitude, class probabilities, length with its 90 % interval.
for hull in hulls.table.itertuples():
    length = f"{hull.length_m:.0f} m [{hull.length_low_m:.0f}-{hull.length_high_m:.0f}]"
    print(f"{hull.lon:.4f} {hull.lat:.4f}  {length}  bulk carrier with probability {hull.p_bulk_carrier:.2f}")

# The file also says what was searched and how much of it was clear: else "nothing" would look like "not seen".
print(f"{len(hulls.table)} hulls: {hulls.write(output)}")
