"""Sentinel-1 passes: amplitude, ground control points and STAC items."""
