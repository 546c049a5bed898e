"""OGC API - Features (read only) over the catalogue: https://docs.ogc.org/is/17-069r4/17-069r4.html."""
