"""``journal copy``: from one journal into another, with a proof at the end."""

import asyncio
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from connector.catalogue import catalogue
from connector.cli.exits import Exit
from connector.cli.options import Call, asking
from connector.cli.output import Format
from connector.cli.serve import settings_of
from connector.cli.trail import check_files, export
from connector.core.errors import Permanent
from connector.core.journal import Journal
from connector.journal.copying.contents import Contents, contents
from connector.journal.copying.copy import Order, Standing, copy
from connector.journal.copying.survey import Survey
from connector.operators.auditing import check_journal
from connector.operators.verbs.audit import AuditReport
from connector.settings.model import Settings
from connector.wiring.audit_key import audit_keys
from connector.wiring.clock import MachineClock
from connector.wiring.offline import offline_journal

journal = typer.Typer(no_args_is_help=True, help="Back up, restore and copy the journal.")
DIFFERS = "JRN-011"
TOLD: dict[Standing, str] = {
    "empty": "Copied.",
    "begun": "An earlier copy was completed.",
    "finished": "The copy was finished before; nothing was written.",
}


class Sides(NamedTuple):
    """What source and target hold, whether the target's trail is whole, and how it came to be."""

    source: Contents
    target: Contents
    trail: AuditReport
    standing: Standing

    @property
    def equal(self) -> bool:
        """Whether the copy is one."""
        return self.source == self.target and self.trail.whole


@journal.command("copy")
@asking()
def copy_journal(
    call: Call,
    source: Annotated[
        Path, typer.Option("--from", exists=True, help="Settings file of the journal to copy.")
    ],
    target: Annotated[
        Path,
        typer.Option("--to", exists=True, help="Settings file of the empty journal to copy into."),
    ],
    trail: Annotated[
        Path, typer.Option("--trail", help="File for the exported audit log; keep it.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Reason, for the audit log.")] = "",
) -> None:
    """Copy states, ids, unread events, brakes and dead letters into an empty journal.

    No service may run on either journal. If interrupted, repeat it with the same arguments. At the
    end both journals are read again and compared: exit code 8 if they differ.
    """
    settings = settings_of(call, source), settings_of(call, target)
    sides = asyncio.run(_copy(call, *settings, trail, reason))
    _show(call, sides, trail)
    if not sides.equal:
        call.screen.fault(f"{DIFFERS} {catalogue()[DIFFERS].title}: {catalogue()[DIFFERS].action}")
        raise typer.Exit(Exit.PROBLEMS)


async def _copy(call: Call, old: Settings, new: Settings, trail: Path, reason: str) -> Sides:
    now = MachineClock().now()
    async with offline_journal(old, alone=True) as source:
        await _fence(source)
        digest = await _export(source, old, trail)
        survey = await Survey.of(source, now)
        found = await contents(survey)
        order = Order(
            key=audit_keys(new)[0],
            by=call.operator,
            reason=reason,
            now=now,
            trail=digest,
        )
        async with offline_journal(new, new=True, alone=True) as target:
            standing = await copy(survey, found, target, order)
    return await _read_again(new, found, standing, now)


async def _read_again(new: Settings, found: Contents, standing: Standing, now: int) -> Sides:
    """What the target holds for a process that has not written it."""
    async with offline_journal(new, alone=True) as target:
        there = await contents(await Survey.of(target, now))
        chains = await check_journal(target, audit_keys(new)[0], ())
    return Sides(found, there, AuditReport(chains=tuple(chains)), standing)


async def _fence(source: Journal) -> None:
    """Own every partition once, so that an unknown running process can commit no more."""
    for number in range(source.partitions):
        await source.take_over(number)


async def _export(source: Journal, old: Settings, trail: Path) -> str:
    """The old trail in a file that was checked; its SHA-256.

    Raises:
        Permanent: ``AUD-001`` when the trail is not whole: it is not copied over.
    """
    digest = await export(source, trail)
    key, *earlier = audit_keys(old)
    chains = await check_journal(source, key, (), earlier)
    files = old.audit.key_file, (), old.audit.old_key_files
    copied = await asyncio.to_thread(check_files, [trail], *files)
    if any(chain.findings for chain in (*chains, *copied.chains)):
        raise Permanent("AUD-001", "copying: the audit trail of the source is not intact")
    return digest


def _show(call: Call, sides: Sides, trail: Path) -> None:
    if call.screen.form is Format.JSON:
        call.screen.json(
            {
                "standing": sides.standing,
                "equal": sides.equal,
                "source": sides.source,
                "target": sides.target,
                "audit_whole": sides.trail.whole,
                "trail": str(trail),
            }
        )
        return
    rows = [*_rows(sides), ("audit chains", *_chains(sides), sides.trail.whole)]
    show = call.screen.csv if call.screen.form is Format.CSV else call.screen.table
    show(("what", "source", "copy", "equal"), rows)
    call.screen.remark(TOLD[sides.standing])
    call.screen.remark(f"The exported audit log is in {trail}.")


def _rows(sides: Sides) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for name in ("states", "ids", "events", "letters"):
        ours, theirs = getattr(sides.source, name), getattr(sides.target, name)
        rows.append((name, ours.count, theirs.count, ours.count == theirs.count))
        rows.append((f"{name}, digest", ours.digest, theirs.digest, ours == theirs))
    brakes = sides.source.brakes, sides.target.brakes
    return [*rows, ("brakes, digest", *brakes, brakes[0] == brakes[1])]


def _chains(sides: Sides) -> tuple[str, str]:
    broken = sum(bool(chain.findings) for chain in sides.trail.chains)
    return "exported, whole", f"{len(sides.trail.chains)} new, {broken} broken"
