"""Hold what was seen against what was declared: association, statuses, counts with intervals."""

from roadstead.reconcile.count import counts
from roadstead.reconcile.pairs import PAIR_REASONS, alongside_pairs
from roadstead.reconcile.reasons import CONFLICTS, REASONS
from roadstead.reconcile.run import reconcile
from roadstead.reconcile.stated import StatedReception, read_stated

__all__ = [
    "CONFLICTS",
    "PAIR_REASONS",
    "REASONS",
    "StatedReception",
    "alongside_pairs",
    "counts",
    "read_stated",
    "reconcile",
]
