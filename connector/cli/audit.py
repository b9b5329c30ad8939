"""``audit``: is the trail whole, and a copy of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer

from connector.catalogue import catalogue
from connector.cli.cut import cut
from connector.cli.exits import Exit
from connector.cli.formatting import moment, short
from connector.cli.options import Call, asking
from connector.cli.output import Format
from connector.cli.questions import made
from connector.cli.rekeying import accept, rekey
from connector.cli.scrape import published_in
from connector.cli.serve import settings_of
from connector.cli.trail import check_files
from connector.core.audit import AuditRecord, concerns
from connector.core.model import SubjectKey
from connector.operators.auditing import check_journal, trail_of
from connector.operators.chain_check import MOST_FINDINGS
from connector.operators.search import KINDS, as_key
from connector.operators.verbs.audit import (
    AUDIT,
    VERIFY,
    AuditQuery,
    AuditReport,
    ChainReport,
    Published,
    VerifyQuery,
)
from connector.wiring.audit_key import audit_keys
from connector.wiring.offline import offline_journal

audit = typer.Typer(no_args_is_help=True, help="Check, export and cut the audit log.")
COLUMNS = (
    "partition",
    "sequence",
    "at",
    "subject",
    "action",
    "actor",
    "outcome",
    "reason",
    "route",
    "delivery",
    "generations",
)
BROKEN, SHORTER = "AUD-001", "AUD-005"
SHOWN = 5
"""Findings printed per chain; with a wrong key there is one for every record."""
OfflineOption = Annotated[
    bool,
    typer.Option("--offline", help="Read the journal that the settings name, without the service."),
]
OldKeysOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--old-key-file",
        exists=True,
        help="Key used before `audit rekey`, with --file; may be repeated.",
    ),
]
PublishedOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--published", exists=True, help="Saved scrape of /metrics; all its chains are compared."
    ),
]
PartitionOption = Annotated[
    int | None, typer.Option("--partition", min=0, help="One partition; default: all.")
]


@audit.command("verify")
@asking(VERIFY)
def verify(
    call: Call,
    partition: PartitionOption = None,
    head: Annotated[
        str | None,
        typer.Option(
            "--head", help="Head of the chain as published; 12 digits or more, with --count."
        ),
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", min=0, help="Number of records as published.")
    ] = None,
    published: PublishedOption = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(
            "--file", exists=True, help="Check an exported copy; repeat it for files in sequence."
        ),
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option("--key-file", exists=True, help="The chain's key, with --file.")
    ] = None,
    old_key_file: OldKeysOption = None,
    offline: OfflineOption = False,
) -> None:
    """Find changed, missing, duplicate or cut-off records; exit code 8 when there are any.

    A missing end can only be found with a head or count that was published before.
    """
    known = _published(partition, head, count)
    known += published_in(published) if published else []
    if file and key_file is None:
        raise typer.BadParameter("--file needs the chain's --key-file")
    if file and key_file:
        report = check_files(file, key_file, known, old_key_file or ())
    elif offline:
        report = asyncio.run(_check_offline(call, known))
    else:
        report = call.ask(VERIFY, VerifyQuery(published=tuple(known)))
    if partition is not None:
        report = _only(report, partition)
    _show(call, report)
    if not report.whole:
        raise typer.Exit(Exit.PROBLEMS)


def _only(report: AuditReport, partition: int) -> AuditReport:
    chains = tuple(chain for chain in report.chains if chain.partition == partition)
    if not chains:
        raise typer.BadParameter(f"there is no partition {partition}")
    return AuditReport(chains=chains)


def _published(partition: int | None, head: str | None, count: int | None) -> list[Published]:
    if head is None and count is None:
        return []
    if partition is None:
        raise typer.BadParameter("--head and --count belong to one --partition")
    return [made(Published, partition=partition, head=head, count=count)]


def _show(call: Call, report: AuditReport) -> None:
    if call.screen.form is Format.JSON:
        call.screen.json({"whole": report.whole, **report.model_dump(mode="json")})
        return
    rows = [
        (chain.partition, chain.count, chain.head, "whole" if not chain.findings else "BROKEN")
        for chain in report.chains
    ]
    show = call.screen.csv if call.screen.form is Format.CSV else call.screen.table
    show(("partition", "records", "head", "chain"), rows)
    broken = [chain for chain in report.chains if chain.findings]
    if broken:
        call.screen.fault(f"{BROKEN} {catalogue()[BROKEN].title}: {catalogue()[BROKEN].action}")
    if any(chain.published for chain in broken):
        call.screen.fault(f"{SHORTER} {catalogue()[SHORTER].title}: {catalogue()[SHORTER].action}")
    for chain in broken:
        _findings(call, chain)
    for chain in report.chains:
        _notes(call, chain)


def _findings(call: Call, chain: ChainReport) -> None:
    for finding in chain.findings[:SHOWN]:
        place = f"partition {finding.partition}, record {finding.sequence}"
        call.screen.fault(f"{BROKEN} {place}: {finding.problem}")
    more = chain.found - SHOWN
    if more > 0:
        call.screen.fault(f"    and {more} more; the first {MOST_FINDINGS} with --output json")
    if chain.found >= chain.count > 1:
        call.screen.fault("    No record matches: check that this is the chain's key.")


def _notes(call: Call, chain: ChainReport) -> None:
    """What is no finding but must not be overlooked."""
    place = f"partition {chain.partition}"
    if chain.unchecked:
        call.screen.fault(
            f"{place}: records up to {chain.unchecked} were made with another key and are not"
            " checked; give it as --old-key-file, or in audit.old_key_files"
        )
    for one in chain.accepted:
        call.screen.fault(
            f"{place}: {one.found} finding(s) in records {one.first} to {one.through} were accepted"
            f" by {one.by} at {moment(one.at)}: {one.reason}"
        )


audit.command("cut")(cut)
audit.command("rekey")(rekey)
audit.command("accept")(accept)


@audit.command("export")
@asking(AUDIT)
def export(
    call: Call,
    partition: PartitionOption = None,
    after: Annotated[
        int, typer.Option("--after", min=0, help="Only records after this sequence number.")
    ] = 0,
    subject: Annotated[
        list[str] | None,
        typer.Option(
            "--subject",
            help="Only records about this key (TENANT/user/ID, TENANT/device/ID, CA/person/ID) or"
            " with it in their details; may be repeated. `audit verify` needs all records.",
        ),
    ] = None,
    offline: OfflineOption = False,
) -> None:
    """Print the audit trail; with ``--output json`` one record per line, for `audit verify`."""
    query = made(AuditQuery, partition=partition, after=after)
    wanted = frozenset(_key(one) for one in subject or ())

    async def receiving() -> list[tuple[object, ...]]:
        rows = []
        async for record in _trail(call, query, offline=offline):
            if wanted and not concerns(record.entry, wanted):
                continue
            if call.screen.form is Format.JSON:
                call.screen.json_line(record)
            else:
                rows.append(_row(record, whole=call.screen.form is Format.CSV))
        return rows

    rows = asyncio.run(receiving())
    if call.screen.form is Format.CSV:
        call.screen.csv(COLUMNS, rows)
    elif call.screen.form is Format.TABLE:
        call.screen.table(COLUMNS, rows)


def _key(text: str) -> SubjectKey:
    for kind in KINDS:
        if key := as_key(kind, text):
            return key
    raise typer.BadParameter(f"{text!r} is no key such as corp/user/12")


async def _trail(call: Call, query: AuditQuery, *, offline: bool) -> AsyncIterator[AuditRecord]:
    if not offline:
        async with call.client() as client:
            async for record in client.stream(AUDIT, query):
                yield record
        return
    async with offline_journal(settings_of(call)) as journal:
        async for record in trail_of(journal, query.partition, query.after):
            yield record


async def _check_offline(call: Call, known: list[Published]) -> AuditReport:
    settings = settings_of(call)
    key, *old = audit_keys(settings)
    async with offline_journal(settings) as journal:
        return AuditReport(chains=tuple(await check_journal(journal, key, known, old)))


def _row(record: AuditRecord, *, whole: bool) -> tuple[object, ...]:
    entry = record.entry
    return (
        record.partition,
        record.sequence,
        moment(entry.at),
        entry.subject,
        entry.action,
        entry.actor,
        entry.outcome,
        entry.reason,
        entry.route,
        entry.delivery,
        " ".join(name if whole else short(name) for name in entry.generations),
    )
