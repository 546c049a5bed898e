"""The store of what was seen and declared: SQLite by default, PostGIS by URL. SQL lives here alone."""

from roadstead.catalog.store import Store

__all__ = ["Store"]
