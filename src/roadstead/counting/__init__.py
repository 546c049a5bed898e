"""Counts with intervals, from what was detected and reconciled."""

from roadstead.counting.overpass_counts import counts

__all__ = ["counts"]
