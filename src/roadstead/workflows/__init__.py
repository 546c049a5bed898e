"""Whole jobs made of the stages: what the command line and the Prefect flows both call."""
