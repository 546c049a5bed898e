"""Catalogues: searching them, and what their items say of bands, times and orbits."""
