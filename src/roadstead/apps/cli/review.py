"""`roadstead review`: the analyst's desk, its people, its chain and its labels."""

from __future__ import annotations

import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from roadstead.apps.cli import console
from roadstead.apps.cli.console import Json, err, out, print_json
from roadstead.core.errors import BadInputError, UsageError
from roadstead.core.settings import settings

if TYPE_CHECKING:
    from roadstead.core.ports import Port

app = typer.Typer(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="The analyst's desk in a browser: look at leads, decide, undo; nothing is ever overwritten.",
)


@app.callback()
def serve(
    context: typer.Context,
    host: Annotated[
        str, typer.Option(help="Address to bind. Others than this machine's: read docs/review.md.")
    ] = ("127.0.0.1"),
    port: Annotated[int, typer.Option(help="Port to bind.")] = 4202,
    open_: Annotated[
        bool, typer.Option("--open", help="This machine may read without login; deciding still needs one.")
    ] = False,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(
            help="Name under which browsers ask for it, behind a proxy; may be given several times."
        ),
    ] = None,
    watchlist: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE[@DATE]",
            help="List of the UN, EU, OFAC, UK or OpenSanctions, or your own table, that leads are held against; DATE: "
            "when you retrieved it. Several allowed. Default: ROADSTEAD_WATCHLISTS.",
        ),
    ] = None,
    aoi: console.Aoi = None,
    store: console.StoreUrl = None,
) -> None:
    """Serve the pages until Ctrl-C.

    Example: roadstead review --store sqlite:///build/demo/roadstead.sqlite
    """
    if context.invoked_subcommand is not None:
        return
    from roadstead.apps.desk.assemble import opened_desk
    from roadstead.apps.desk.login.openid import client_of

    with opened_desk(
        store or settings().store_url,
        settings().home,
        host=host,
        port=port,
        allowed_hosts=tuple(allowed_host or ()),
        open=open_,
        own_ports=_own_ports(aoi),
        watchlists=tuple(watchlist or settings().watchlist_files),
        log_in=client_of(settings()),
    ) as opened:
        first, *more = opened.words
        for line in (f"{first}  Stop with Ctrl-C.", *more):
            err.print(escape(line), soft_wrap=True, highlight=False)
        opened.server.run()


@app.command("add-user")
def add_user(
    name: Annotated[str, typer.Argument(help="a-z, 0-9, '.', '_', '-'.")],
    role: Annotated[str, typer.Option(help="viewer (reads), analyst (decides) or admin (keeps the people).")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Give somebody there a new password and role; their sessions end."),
    ] = False,
    no_password: Annotated[
        bool,
        typer.Option("--no-password", help="They log in through the OpenID Connect provider alone."),
    ] = False,
    store: console.StoreUrl = None,
) -> None:
    """Add somebody who may log in."""
    from roadstead.store import People, Store, hashed

    if no_password and password_stdin:
        raise UsageError("--no-password and --password-stdin exclude each other")
    if no_password:
        password = secrets.token_urlsafe(48)
    elif password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    with Store.open(store or settings().store_url) as opened:
        person = People(opened).add(name, role, hashed(password), datetime.now(UTC), replace=replace)
    err.print(f"{person.name} may log in as {person.role}.")


@app.command("disable-user")
def disable_user(name: Annotated[str, typer.Argument()], store: console.StoreUrl = None) -> None:
    """Shut somebody out; what they decided stays, and the name stays taken."""
    from roadstead.store import People, Store

    with Store.open(store or settings().store_url) as opened:
        People(opened).disable(name)
    err.print(f"{name} may log in no longer.")


@app.command("untie-user")
def untie_user(name: Annotated[str, typer.Argument()], store: console.StoreUrl = None) -> None:
    """Forget somebody's account at the OpenID Connect provider: the next one that gives the name is theirs."""
    from roadstead.store import People, Store

    with Store.open(store or settings().store_url) as opened:
        People(opened).untie(name)
    err.print(f"{name} is tied to no account; the next one that gives the name at the provider will be.")


@app.command("verify")
def verify(
    contains: Annotated[
        list[str] | None,
        typer.Option(
            help="A head that was printed before: it must still be in the chain. May be given several times."
        ),
    ] = None,
    store: console.StoreUrl = None,
    json: Json = False,
) -> None:
    """Check the chain of decisions, files attached and their pictures, and print its head; exit code 3 at any fault.

    Keep the head elsewhere: with --contains it shows later whether the end was cut off or the chain was made anew.
    """
    from roadstead.store import Attachments, Decisions, Store

    with Store.open(store or settings().store_url, writes=False) as opened:
        found = Decisions(opened).verify()
        attached = Attachments(opened)
        files, unchecked = attached.faults(), attached.unchecked()
    lost = [head for head in contains or [] if head not in found.hashes]
    faults = [
        *found.faults,
        *files,
        *(f"the chain holds no row {head}: it was cut off or made anew" for head in lost),
    ]
    if json:
        print_json(
            {"rows": found.rows, "head": found.head, "faults": faults, "pictures_unchecked": unchecked}
        )
    else:
        out.print(
            f"{found.rows} rows in the chain of decisions, head {found.head}", soft_wrap=True, highlight=False
        )
    if unchecked:
        err.print(
            f"{unchecked} pictures were attached before the chain kept their hashes: the files were checked, "
            "what pages show of them was not."
        )
    if faults:
        raise BadInputError(
            "the chain of decisions is not whole:\n" + "\n".join(f"  {fault}" for fault in faults)
        )


@app.command("labels")
def labels(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="A .geojson file for all, or a folder for one file a scene."),
    ],
    aoi: console.Aoi = None,
    store: console.StoreUrl = None,
) -> None:
    """Write the decisions that stand as labels for training."""
    from roadstead.store import Store
    from roadstead.workflows.labels import write_labels

    with Store.open(store or settings().store_url, writes=False) as opened:
        written, boxes = write_labels(opened, output, _own_ports(aoi))
    if not boxes:
        raise BadInputError("no decision says whether a vessel is there, so there is no label")
    for path in written:
        err.print(str(path))
    err.print(f"{boxes} boxes")


def _own_ports(aoi: Path | None) -> tuple[Port, ...]:
    from roadstead.core.ports import read_port

    return () if aoi is None else (read_port(aoi),)
