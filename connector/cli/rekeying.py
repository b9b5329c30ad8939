"""``audit rekey`` and ``audit accept``: go on with a trail because a person wants it."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from connector.cli.options import Call, asking
from connector.cli.output import Format
from connector.cli.serve import settings_of
from connector.mounted import read_secret
from connector.operators.verbs.audit import ChainReport
from connector.settings.model import Settings
from connector.wiring.audit_key import audit_keys
from connector.wiring.clock import MachineClock
from connector.wiring.offline import offline_journal
from connector.wiring.rekeying import Will
from connector.wiring.rekeying import accept as accept_damage
from connector.wiring.rekeying import rekey as change_key

LONGEST_REASON = 512
ReasonOption = Annotated[str, typer.Option("--reason", help="Reason, for the audit log.")]


@asking()
def rekey(
    call: Call,
    reason: ReasonOption = "",
    old_key_file: Annotated[
        Path | None,
        typer.Option("--old-key-file", exists=True, help="The previous key."),
    ] = None,
    key_lost: Annotated[
        bool,
        typer.Option(
            "--key-lost", help="The previous key is lost: continue without checking its records."
        ),
    ] = False,
) -> None:
    """Continue the audit log with the key that the settings name.

    The service must be stopped. The whole log is checked with the previous key first. The first
    record with the new key names the old head and both keys. If interrupted, repeat it.
    """
    if (old_key_file is None) is not key_lost:
        raise typer.BadParameter("give either --old-key-file or --key-lost")
    settings = settings_of(call)
    last = None if old_key_file is None else read_secret(old_key_file)
    will = will_of(call, settings, reason)

    async def changing() -> list[int]:
        async with offline_journal(settings, alone=True) as journal:
            return await change_key(journal, will, last)

    done = asyncio.run(changing())
    if call.screen.form is Format.JSON:
        call.screen.json({"partitions": done})
    else:
        call.screen.line(f"{len(done)} chain(s) continue with the new key.")
    call.screen.remark("Keep the old key, and add it to audit.old_key_files.")


@asking()
def accept(
    call: Call,
    reason: ReasonOption = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be accepted.")
    ] = False,
) -> None:
    """Accept the findings of a broken audit log, and continue it.

    The service must be stopped. The accepted records are not changed, and every `audit verify`
    shows who accepted them and why. Export the log first: it is evidence.
    """
    settings = settings_of(call)
    will = will_of(call, settings, reason or ("-" if dry_run else ""))

    async def accepting() -> list[ChainReport]:
        async with offline_journal(settings, alone=True) as journal:
            return await accept_damage(journal, will, dry_run=dry_run)

    _show(call, asyncio.run(accepting()))
    if dry_run:
        call.screen.remark("No finding was accepted.")


def will_of(call: Call, settings: Settings, reason: str) -> Will:
    """Who calls, why, when, and with which audit keys."""
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise typer.BadParameter("--reason says why, in at most 512 characters")
    key, *old = audit_keys(settings)
    return Will(
        key=key,
        old=old,
        by=call.operator,
        reason=reason.strip(),
        now=MachineClock().now(),
    )


def _show(call: Call, broken: list[ChainReport]) -> None:
    if call.screen.form is Format.JSON:
        call.screen.json({"accepted": broken})
        return
    columns = ("partition", "findings", "from record", "to record")
    rows = [(one.partition, one.found, one.first, one.count) for one in broken]
    show = call.screen.csv if call.screen.form is Format.CSV else call.screen.table
    show(columns, rows)
