"""``journal backups``: a backup at each interval, for a process beside the service."""

import asyncio
import signal
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from connector.catalogue import catalogue
from connector.cli.journal_backup import taken
from connector.cli.options import Call, asking
from connector.cli.output import Screen
from connector.cli.serve import settings_of
from connector.core.errors import ConnectorError
from connector.core.values import parse_duration
from connector.journal.backup_series import ENCRYPTED, BackupSeries

AGAIN = timedelta(minutes=1)
"""After a failure, such as a journal that the service has not made yet."""


def _duration(text: str) -> timedelta:
    value = parse_duration(text)
    if not isinstance(value, timedelta) or not value:
        raise typer.BadParameter("must be longer than nothing")
    return value


@asking()
def backups(
    call: Call,
    directory: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="Directory for the backups.")
    ],
    every: Annotated[
        timedelta, typer.Option("--every", parser=_duration, help="Time between two backups.")
    ] = timedelta(days=1),
    keep: Annotated[int, typer.Option("--keep", min=1, help="How many of them are kept.")] = 7,
    to_key: Annotated[
        Path | None,
        typer.Option("--to-key", help="Encrypt each to this RSA public key or certificate (PEM)."),
    ] = None,
) -> None:
    """Back up the embedded journal at each interval, until SIGTERM or SIGINT.

    The files are named by the time (UTC). A backup that fails is reported and tried again, also
    when the public key cannot be read, which may be replaced at any time.
    """
    from connector.wiring.clock import MachineClock  # noqa: PLC0415 - as below
    from connector.wiring.restoring import embedded  # noqa: PLC0415 - loads the worker

    source = embedded(settings_of(call)).path
    clock = MachineClock()
    series = BackupSeries(
        source,
        directory,
        every,
        keep,
        lambda: datetime.fromtimestamp(clock.now() / 1000, UTC),
        to_key,
    )
    asyncio.run(until_stopped(series, call.screen))


async def until_stopped(series: BackupSeries, screen: Screen) -> None:
    """Make backups when they are due, until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    wait = series.due_in()
    while not stop.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(wait.total_seconds()):
                await stop.wait()
                return
        wait = await take(series, screen)


async def take(series: BackupSeries, screen: Screen) -> timedelta:
    """Make one backup and say so; the time until the next one."""
    try:
        file = await asyncio.to_thread(series.take)
    except ConnectorError as error:
        screen.fault(f"{error.code} {catalogue()[error.code].title}: {error.detail}")
        return AGAIN
    taken(screen, file, encrypted=file.suffix == ENCRYPTED)
    return series.due_in()
