"""Raster files: reading windows of them on a grid, and writing COGs."""
