"""Roadstead counts barges and bulk carriers in Sentinel images and holds the counts against AIS."""

from importlib.metadata import version

__version__ = version("roadstead")
