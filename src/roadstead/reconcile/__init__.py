"""Hold what was seen against what was declared: association, statuses, counts with intervals."""

from roadstead.reconcile.ais_window import AisWindow, cut_ais_window
from roadstead.reconcile.alongside import PAIR_REASONS, alongside_pairs
from roadstead.reconcile.decide import CONFLICTS, REASONS
from roadstead.reconcile.doubt import Doubt
from roadstead.reconcile.reception import StatedReception, read_stated
from roadstead.reconcile.run import Reconciled, reconcile, reconcile_checked, reconcile_overpass

__all__ = [
    "CONFLICTS",
    "PAIR_REASONS",
    "REASONS",
    "AisWindow",
    "Doubt",
    "Reconciled",
    "StatedReception",
    "alongside_pairs",
    "cut_ais_window",
    "read_stated",
    "reconcile",
    "reconcile_checked",
    "reconcile_overpass",
]
