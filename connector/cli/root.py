"""All commands together, and what becomes of an error."""

import json
import sys
from collections.abc import Sequence
from importlib.metadata import version as distribution_version
from itertools import pairwise
from typing import Annotated

import typer
from typer.exceptions import TyperException

from connector.catalogue import catalogue
from connector.cli import config, operator_commands, serve
from connector.cli.audit import audit
from connector.cli.config_diff import diff
from connector.cli.dlq import dlq
from connector.cli.elsewhere import add_commands
from connector.cli.exits import Exit, exit_code
from connector.cli.journal_backup import backup, restore
from connector.cli.journal_backups import backups
from connector.cli.journal_copy import journal
from connector.cli.kafka import kafka
from connector.cli.options import World
from connector.cli.output import Format
from connector.cli.status import status
from connector.cli.support_bundle import support_bundle
from connector.cli.termination import told
from connector.cli.usage import asks_for_help, refusal
from connector.core.errors import ConnectorError

app = typer.Typer(
    name="pki-connector",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Moves escrowed S/MIME keys to enrolled devices through their management service.",
    epilog="Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 needs approval, 5 denied, "
    "6 service or upstream unavailable, 7 partly done, 8 a check found problems, "
    "9 not done within --timeout.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - called by the option's parser
    if wanted:
        typer.echo(f"pki-connector {distribution_version('pki-connector')}")
        raise typer.Exit


@app.callback()
def _main(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Take the options that belong to no command; the callback has already run."""


app.command()(serve.serve)
app.command()(status)
app.command("support-bundle")(support_bundle)
app.add_typer(operator_commands.commands)
app.add_typer(dlq, name="dlq")
app.add_typer(audit, name="audit")
journal.command("backup")(backup)
journal.command("backups")(backups)
journal.command("restore")(restore)
app.add_typer(journal, name="journal")
app.add_typer(kafka, name="kafka")
config.config.command("diff")(diff)
app.add_typer(config.config, name="config")
app.command()(config.version)
add_commands(app)


def run(arguments: Sequence[str], world: World) -> None:
    """Run one command line.

    Raises:
        SystemExit: always, with one of the codes of :mod:`connector.cli.exits`.
    """
    try:
        sys.exit(_called(arguments, world))
    except ConnectorError as error:
        _tell(error, as_json=_wants_json(arguments))
        sys.exit(exit_code(error))


def _called(arguments: Sequence[str], world: World) -> int:
    """The exit code of a command that was understood.

    Raises:
        ConnectorError: what the command raised; ``EVT-007`` when it was not understood.
    """
    try:
        code: int | None = app(
            args=list(arguments), prog_name="pki-connector", obj=world, standalone_mode=False
        )
    except typer.Abort:
        return Exit.FAILED
    except TyperException as error:
        if not asks_for_help(error):
            raise refusal(error) from None
        sys.stderr.write(error.message + "\n")
        return Exit.USAGE
    return code or Exit.OK


def _tell(error: ConnectorError, *, as_json: bool) -> None:
    """An error to standard error: two lines for people, or one JSON document."""
    if as_json:
        entry = catalogue().get(error.code)
        title, action = (entry.title, entry.action) if entry else ("", "")
        members = {"code": error.code, "title": title, "detail": error.detail, "action": action}
        sys.stderr.write(json.dumps({"error": members}) + "\n")
        return
    sys.stderr.write(told(error))


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether the command line asks for JSON, in any of the ways to write an option."""
    pairs = pairwise(arguments)
    apart = any(name in {"-o", "--output"} and form == Format.JSON for name, form in pairs)
    return apart or not {"-ojson", "--output=json"}.isdisjoint(arguments)
