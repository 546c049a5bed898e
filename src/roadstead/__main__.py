"""`python -m roadstead` is the `roadstead` command."""

from roadstead.apps.cli import main

main()
