"""``serve`` and ``demo``: they load what they run only when called, so that others stay quick."""

import asyncio
from pathlib import Path

import typer
from rich.console import Console

from connector.cli.config import report
from connector.cli.exits import Exit
from connector.cli.options import Call, asking
from connector.settings.load import load
from connector.settings.model import Settings
from connector.settings.plugins import installed
from connector.settings.report import SettingsRefused


@asking
def serve(call: Call) -> None:
    """Run the service until SIGTERM or SIGINT."""
    import uvloop  # noqa: PLC0415 - only the service needs it

    from connector.app import serve as run  # noqa: PLC0415 - loads everything there is
    from connector.journal.kafka.topics import TopicsRefused  # noqa: PLC0415 - as above

    try:
        uvloop.run(run(settings_of(call)))
    except TopicsRefused as error:
        for fault in error.faults:
            call.screen.fault(str(fault))
        raise


def settings_of(call: Call, file: Path | None = None) -> Settings:
    """The checked settings of the call's file, or of another one.

    Raises:
        typer.Exit: they are wrong, which has been told.
    """
    try:
        return load(file or call.config, call.world.environment, installed())
    except SettingsRefused as error:
        report(call, error.problems)
        raise typer.Exit(Exit.PROBLEMS) from None


def demo() -> None:
    """Watch old mail become readable on a new phone, with real processes on loopback ports."""
    from connector.demo import run  # noqa: PLC0415 - loads simulators and mail

    raise typer.Exit(asyncio.run(run(Console())))
