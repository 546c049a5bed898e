"""The analyst's desk: a browser page over the store, where leads are looked at and decided.

Rendered on the server; no page asks any other host for anything. SQL is in :mod:`roadstead.catalog`.
"""

from roadstead.review.app import review_app
from roadstead.review.desk import Desk, Download, Look, Looks
from roadstead.review.evidence import current_evidence, evidence_of
from roadstead.review.labels import label_features
from roadstead.review.passwords import fits, hashed
from roadstead.review.server import ReviewServer

__all__ = [
    "Desk",
    "Download",
    "Look",
    "Looks",
    "ReviewServer",
    "current_evidence",
    "evidence_of",
    "fits",
    "hashed",
    "label_features",
    "review_app",
]
