"""The command line. Exit codes: 0 done, 2 usage, 3 bad input, 4 upstream failed, 5 partial."""


def main() -> None:
    """Run the command line, and end with its exit code."""
    # Commands of the lab import from here while they are loaded, so the commands are put together when they run.
    from roadstead.apps.cli.main import main as run

    run()
