"""`python -m roadstead` is the `roadstead` command."""

from roadstead.cli import main

main()
