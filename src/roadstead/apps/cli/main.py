"""The `roadstead` command: its sub-commands and its exit codes."""

from __future__ import annotations

import errno
import logging
import os
import sys

import typer
from rich.markup import escape

from roadstead.apps.cli import ais, audit, detect, export, identify, review, serve, status, watch
from roadstead.apps.cli.console import AisCommand, err
from roadstead.apps.cli.lab_commands import add_lab_commands
from roadstead.core.errors import RoadsteadError, StoreError
from roadstead.core.version import __version__

app = typer.Typer(
    name="roadstead",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Count barges and bulk carriers in Sentinel-2 images of a port and hold the counts against AIS.\n\n"
        "A match, or a hull with no AIS partner, is a lead with a probability, never a verdict.\n\n"
        "**Start:** `roadstead ports`, then `roadstead watch nampo --from 2024-05-01 --to 2024-05-31`.\n\n"
        "**Exit codes:** 0 done, 2 usage, 3 bad input, 4 upstream failed, 5 partial (failed scenes are "
        "named), 130 interrupted."
    ),
)
ais_app = typer.Typer(no_args_is_help=True, help="Bring in AIS that you may lawfully use.")

app.command("watch", cls=AisCommand)(watch.watch_command)
app.command("detect")(detect.detect_command)
app.add_typer(ais_app, name="ais")
ais_app.command("import")(ais.import_command)
ais_app.command("sources")(ais.sources_command)
ais_app.command("coverage", cls=AisCommand)(ais.coverage_command)
ais_app.command("identify", cls=AisCommand)(identify.identify_command)
ais_app.command("events", cls=AisCommand)(ais.events_command)
app.command("reconcile", cls=AisCommand)(detect.reconcile_command)
app.command("counts")(watch.counts_command)
app.command("export")(export.export_command)
app.command("dossier")(export.dossier_command)
app.command("status")(status.status_command)
app.add_typer(review.app, name="review")
app.add_typer(audit.app, name="audit")
app.command("serve")(serve.serve_command)
add_lab_commands(app)
app.command("ports")(status.ports_command)
app.command("doctor")(status.doctor_command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"roadstead {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Options of every command."""


def main() -> None:
    """Run the command line; an error ends as one message on standard error and its exit code."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    logging.getLogger("stamina").setLevel(logging.ERROR)  # a retry is named only where the last one fails
    try:
        app()
    except RoadsteadError as error:
        _end(error)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS):
            raise
        _end(StoreError(f"{error.filename or 'output'}: cannot be written: {error.strerror}"))


def _end(error: RoadsteadError) -> None:
    err.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
    sys.exit(error.exit_code)
