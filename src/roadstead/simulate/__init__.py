"""Simulated ships, scenes and AIS with their truth, always labelled as simulated."""
