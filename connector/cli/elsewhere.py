"""Commands of other distributions, by the entry points ``pki_connector.commands``."""

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Final

import typer

from connector.cli.exits import Exit

GROUP: Final = "pki_connector.commands"
OF_THE_TESTKIT: Final = ("demo", "simulate")
NOT_INSTALLED: Final = "Not installed; it is part of the distribution pki-connector-testkit."
ANY: Final = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Arguments are accepted and ignored: the answer is how to get the command."""


def add_commands(app: typer.Typer) -> None:
    """Add what is installed: a function as a command, a Typer as a group of commands.

    The commands of the test kit are there without it, too, and say how to get it.
    """
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    for name in sorted({*found, *OF_THE_TESTKIT}):
        command = found[name].load() if name in found else None
        if command is None:
            app.command(name, help=NOT_INSTALLED, context_settings=ANY)(_missing(name))
        elif isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)


def _missing(name: str) -> Callable[[], None]:
    """The command that stands for one of the test kit."""

    def command() -> None:
        wanted = f"pki-connector {name}"
        typer.echo(f"{wanted} is in the test kit: pip install 'pki-connector[demo]'", err=True)
        raise typer.Exit(Exit.FAILED)

    return command
