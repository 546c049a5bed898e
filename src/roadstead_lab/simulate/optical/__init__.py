"""Sentinel-2 overpasses: pixels, sky and STAC items."""
