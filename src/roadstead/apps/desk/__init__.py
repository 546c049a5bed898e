"""The analyst's desk: a browser page over the store, where leads are looked at and decided.

Rendered on the server; no page asks any other host for anything. SQL is in :mod:`roadstead.store`.
"""

from roadstead.apps.desk.app import review_app
from roadstead.apps.desk.desk import Desk, Look, Looks
from roadstead.apps.desk.server import ReviewServer, bounded

__all__ = [
    "Desk",
    "Look",
    "Looks",
    "ReviewServer",
    "bounded",
    "review_app",
]
