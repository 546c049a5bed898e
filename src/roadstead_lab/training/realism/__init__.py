"""Simulated scenes held against real ones: measures, table, contact sheets and a blind test.

Run as ``python -m roadstead_lab.training.realism``; `compare` is the command.
"""
