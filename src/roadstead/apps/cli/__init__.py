"""The command line. Exit codes: 0 done, 2 usage, 3 bad input, 4 upstream failed, 5 partial."""

from roadstead.apps.cli.main import main

__all__ = ["main"]
