"""Simulated ships, scenes and AIS with their truth, always labelled as simulated.

`scenario.file.load_scenario` reads what to simulate, `world.simulate` writes it.
"""
