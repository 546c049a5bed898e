"""Ask your AIS what it could tell, before you ask it who was silent.

    python examples/ais_coverage_first.py nampo may.nmea.gz [more files]

A hull without an AIS partner means something only in hours in which a transmitting ship would very probably have been
heard. That is judged from the other vessels around: were those known to be there heard then?
"""

import sys

from roadstead import coverage, load_port, read_ais

place, *files = sys.argv[1:]

port = load_port(place)
ais = read_ais(files, port=port)
vessels = ais.positions["mmsi"].nunique()
print(f"{len(ais.positions)} reports of {vessels} vessels; {len(ais.quarantine)} rows refused")

told = coverage(ais, port).summary()
for name in ("class_a", "class_b"):
    hours = told[name]
    print(f"{name}: silence means something in {hours['supported']} of {hours['zone_hours']} zone-hours")
    for reason, n in hours["reasons"].items():
        print(f"    {n} not: {reason}")
