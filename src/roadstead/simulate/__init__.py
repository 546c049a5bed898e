"""Simulated ships, scenes and AIS with their truth, always labelled as simulated."""

from roadstead.simulate.world import SimulatedWorld, simulate_fortnight

__all__ = ["SimulatedWorld", "simulate_fortnight"]
