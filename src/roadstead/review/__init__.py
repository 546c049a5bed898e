"""The analyst's desk: a browser page over the store, where leads are looked at and decided.

Rendered on the server; no page asks any other host for anything. SQL is in :mod:`roadstead.catalog`.
"""

from roadstead.review.app import review_app
from roadstead.review.desk import Desk, Look, Looks
from roadstead.review.labels import label_features
from roadstead.review.passwords import hashed
from roadstead.review.server import ReviewServer

__all__ = ["Desk", "Look", "Looks", "ReviewServer", "hashed", "label_features", "review_app"]
