"""``serve``: it loads what it runs only when called, so that other commands stay quick."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from connector.cli.config import report
from connector.cli.exits import Exit
from connector.cli.options import Call, asking
from connector.cli.output import Format
from connector.cli.termination import TERMINATION_LOG, left_in
from connector.settings.load import load
from connector.settings.model import Settings
from connector.settings.plugins import installed
from connector.settings.report import SettingsRefused
from connector.wiring.live_routes import Reading


@asking()
def serve(
    call: Call,
    restored: Annotated[
        bool,
        typer.Option(
            "--restored",
            help="The journal is an older snapshot: start paused, as after journal restore.",
        ),
    ] = False,
    termination_log: Annotated[
        Path,
        typer.Option(
            "--termination-log",
            envvar="PKI_CONNECTOR_TERMINATION_LOG",
            help="Write why the service ended into this file, if it exists.",
        ),
    ] = TERMINATION_LOG,
) -> None:
    """Run the service until SIGTERM or SIGINT."""
    import uvloop  # noqa: PLC0415 - only the service needs it

    from connector.app import serve as run  # noqa: PLC0415 - loads everything there is
    from connector.journal.kafka.topics import TopicsRefused  # noqa: PLC0415 - as above

    with _reported(call), left_in(termination_log):
        settings = load(call.config, call.world.environment, installed())
        try:
            by = call.operator if restored else ""
            uvloop.run(run(settings, restored_by=by, reading=_reading(call)))
        except TopicsRefused as error:
            for fault in error.faults:
                call.screen.fault(str(fault))
            raise


def _reading(call: Call) -> Reading | None:
    """How the service reads its settings' file again, when it has one."""
    file, environment = call.config, call.world.environment
    if file is None:
        return None
    return Reading(file, lambda: load(file, environment, installed()))


def settings_of(call: Call, file: Path | None = None) -> Settings:
    """The checked settings of the call's file, or of another one.

    Raises:
        SettingsRefused: they are wrong, and the output is JSON, in which all errors have one form.
        typer.Exit: they are wrong; each fault has been printed.
    """
    with _reported(call):
        return load(file or call.config, call.world.environment, installed())


@contextmanager
def _reported(call: Call) -> Iterator[None]:
    """Tell each fault of refused settings, unless JSON is asked for."""
    try:
        yield
    except SettingsRefused as error:
        if call.screen.form is Format.JSON:
            raise
        report(call, error.problems)
        raise typer.Exit(Exit.PROBLEMS) from None
