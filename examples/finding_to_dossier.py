"""Take the likeliest hull without an AIS partner, and write all that is known of it for others to check.

    python examples/finding_to_dossier.py nampo 2024-05-01 2024-05-31 may.nmea.gz my.sqlite finding.zip [catalog]

A hull without a partner is a lead with a probability, never a verdict; the dossier says what else it could be.
"""

import sys

from roadstead import Store, dossier, load_port, watch

place, start, end, ais, database, output, *catalog = sys.argv[1:]

port = load_port(place)
url = f"sqlite:///{database}"
watch(port, start, end, ais=ais, store=url, catalog=catalog[0] if catalog else None)

with Store.open(url) as store:
    matches = store.matches(port.slug)
    silent = matches[matches["status"] == "no_ais_partner"].sort_values("probability", ascending=False)
    if silent.empty:
        sys.exit("no hull without an AIS partner here, where AIS could tell")
    lead = silent.iloc[0]
    print(f"{lead['detection_id']}: {lead['probability']:.2f}, because {lead['reasons']}")
    for path in dossier(store, lead["detection_id"], output):
        print(path)
