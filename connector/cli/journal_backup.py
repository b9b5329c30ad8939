"""``journal backup`` and ``journal restore``."""

from pathlib import Path
from typing import Annotated

import typer

from connector.cli.options import Call, asking
from connector.cli.output import Format, Screen
from connector.cli.rekeying import will_of
from connector.cli.serve import settings_of
from connector.journal.backup import back_up
from connector.journal.sealing import private_key, public_key


@asking()
def backup(
    call: Call,
    file: Annotated[Path, typer.Argument(help="New file for the backup.")],
    to_key: Annotated[
        Path | None,
        typer.Option("--to-key", help="Encrypt it to this RSA public key or certificate (PEM)."),
    ] = None,
) -> None:
    """Copy the embedded journal into one file while the service runs, and check the copy.

    It holds no key. Keep a scrape of the metrics of that time for `audit verify --published`.
    """
    from connector.wiring.restoring import embedded  # noqa: PLC0415 - loads the worker

    key = None if to_key is None else public_key(to_key)
    back_up(embedded(settings_of(call)).path, file, key)
    taken(call.screen, file, encrypted=key is not None)


def taken(screen: Screen, file: Path, *, encrypted: bool) -> None:
    """Say that a backup was made."""
    if screen.form is Format.JSON:
        screen.json({"backup": str(file), "encrypted": encrypted})
    else:
        how = "a checked and encrypted copy" if encrypted else "a checked copy"
        screen.line(f"{file} holds {how} of the journal.")


@asking()
def restore(
    call: Call,
    file: Annotated[Path, typer.Argument(exists=True, help="The backup.")],
    reason: Annotated[str, typer.Option("--reason", help="Reason, for the audit log.")] = "",
    key: Annotated[
        Path | None,
        typer.Option("--key", help="The RSA private key (PEM) of an encrypted backup."),
    ] = None,
) -> None:
    """Replace the embedded journal with a backup; the service must be stopped.

    The previous journal is kept beside it. The service then starts paused and checks every
    holder again; `status --restored` lists them, and `resume` ends the pause.
    """
    from connector.wiring.restoring import restore as put_in_place  # noqa: PLC0415 - as above

    settings = settings_of(call)
    opening = None if key is None else private_key(key)
    aside = put_in_place(settings, file, will_of(call, settings, reason), opening)
    if call.screen.form is Format.JSON:
        call.screen.json({"restored": str(file), "kept": str(aside) if aside.exists() else None})
        return
    call.screen.line(f"{file} is now the journal.")
    if aside.exists():
        call.screen.line(f"The previous journal is {aside}.")
    call.screen.remark("Start the service, review status --restored, then resume.")
