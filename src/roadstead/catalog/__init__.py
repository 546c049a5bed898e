"""The store of what was seen and declared: SQLite by default, PostGIS by URL. SQL lives here alone."""

from roadstead.catalog.ledger import MissingPass
from roadstead.catalog.store import Standing, Store

__all__ = ["MissingPass", "Standing", "Store"]
