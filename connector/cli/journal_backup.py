"""``journal backup`` and ``journal restore``."""

from pathlib import Path
from typing import Annotated

import typer

from connector.cli.options import Call, asking
from connector.cli.output import Format
from connector.cli.serve import settings_of
from connector.journal.backup import back_up
from connector.mounted import read_secret
from connector.wiring.clock import MachineClock
from connector.wiring.rekeying import Will
from connector.wiring.restoring import embedded
from connector.wiring.restoring import restore as put_in_place

LONGEST_REASON = 512


@asking
def backup(
    call: Call,
    file: Annotated[Path, typer.Argument(help="New file for the backup.")],
) -> None:
    """Copy the embedded journal into one file while the service runs, and check the copy.

    It holds no key. Keep the metrics of the same moment beside it: `audit verify --published`.
    """
    back_up(embedded(settings_of(call)).path, file)
    if call.screen.form is Format.JSON:
        call.screen.json({"backup": str(file)})
    else:
        call.screen.line(f"{file} holds the journal, and was checked.")


@asking
def restore(
    call: Call,
    file: Annotated[Path, typer.Argument(exists=True, help="The backup.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; goes into the audit trail.")] = "",
) -> None:
    """Put a backup in the place of the embedded journal; the service must not run.

    The journal that is there is kept beside it. The service then starts paused and looks at
    everything again; `status --restored` shows what, and `resume` ends it.
    """
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise typer.BadParameter("--reason says why, in at most 512 characters")
    settings = settings_of(call)
    will = Will(
        key=read_secret(settings.audit.key_file),
        old=(),
        by=call.operator,
        reason=reason.strip(),
        now=MachineClock().now(),
    )
    aside = put_in_place(settings, file, will)
    if call.screen.form is Format.JSON:
        call.screen.json({"restored": str(file), "kept": str(aside) if aside.exists() else None})
        return
    call.screen.line(f"{file} is the journal now.")
    if aside.exists():
        call.screen.line(f"The one before is {aside}.")
    call.screen.remark("Start the service, look through status --restored, then resume.")
