"""``kafka``: make the clustered journal's topics, and print the rights that it needs."""

import asyncio
from typing import Annotated, Literal

import typer

from connector.cli.exits import Exit
from connector.cli.options import Call, asking
from connector.cli.output import Format
from connector.cli.serve import settings_of
from connector.core.errors import Permanent
from connector.core.model import Record
from connector.journal.kafka.acls import Acl, acls
from connector.journal.kafka.topics import Plan, TopicFault
from connector.journal.settings import KafkaSettings

kafka = typer.Typer(no_args_is_help=True, help="Topics and permissions of the clustered journal.")


class TopicReport(Record):
    """One topic in the plan: to be made, right, or wrong and left as it is."""

    topic: str
    state: Literal["new", "right", "wrong"]
    partitions: int | None = None
    replication: int | None = None
    settings: dict[str, str] | None = None
    faults: tuple[TopicFault, ...] = ()


@kafka.command("init")
@asking()
def init(
    call: Call,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be created.")
    ] = False,
) -> None:
    """Create missing topics; exit code 8, and none created, if an existing one is misconfigured.

    The plan is shown first. Existing topics are never changed: each fault says how to correct
    it.
    """
    options = _options(call)
    found = asyncio.run(_plan(options))
    _show_plan(call, found)
    if found.faults:
        call.screen.fault(f"{len(found.faults)} fault(s); nothing was created.")
        raise typer.Exit(Exit.PROBLEMS)
    if dry_run:
        call.screen.remark("Nothing was created.")
        return
    asyncio.run(_make(options, found))
    call.screen.remark(f"{len(found.missing)} topic(s) created.")


async def _plan(options: KafkaSettings) -> Plan:
    """What is there and what is missing; the cluster has agreed to make that."""
    from connector.journal.kafka import cluster  # noqa: PLC0415 - loads the Kafka client

    async with cluster.administration(options) as admin:
        found = await cluster.plan(admin, options)
        if not found.faults:
            await cluster.check_creation(admin, found.missing)
        return found


async def _make(options: KafkaSettings, found: Plan) -> None:
    from connector.journal.kafka import cluster  # noqa: PLC0415 - as above

    async with cluster.administration(options) as admin:
        await cluster.create(admin, found.missing)


def _show_plan(call: Call, found: Plan) -> None:
    topics = _reports(found)
    if call.screen.form is Format.JSON:
        call.screen.json({"topics": topics})
        return
    rows = [
        (one.topic, one.state, one.partitions, one.replication, _remarks(one)) for one in topics
    ]
    show = call.screen.csv if call.screen.form is Format.CSV else call.screen.table
    show(("topic", "state", "partitions", "replication", "settings or faults"), rows)


def _reports(found: Plan) -> list[TopicReport]:
    new = [
        TopicReport(topic=one.name, state="new", **one.model_dump(exclude={"name"}))
        for one in found.missing
    ]
    right = [
        TopicReport(
            topic=one.name,
            state="right",
            partitions=one.partitions,
            replication=one.replication,
        )
        for one in found.right
    ]
    faulty: dict[str, list[TopicFault]] = {}
    for fault in found.faults:
        faulty.setdefault(fault.topic, []).append(fault)
    wrong = [
        TopicReport(topic=name, state="wrong", faults=tuple(faults))
        for name, faults in faulty.items()
    ]
    return sorted(new + right + wrong, key=lambda one: one.topic)


def _remarks(one: TopicReport) -> str:
    if one.faults:
        return "; ".join(f"{fault.wrong} ({fault.action})" for fault in one.faults)
    return " ".join(f"{name}={value}" for name, value in (one.settings or {}).items())


@kafka.command("acls")
@asking()
def show_acls(
    call: Call,
    principal: Annotated[
        str | None,
        typer.Option(
            "--principal", help="User:NAME as the brokers know it; default: the settings' user."
        ),
    ] = None,
    creator: Annotated[
        bool,
        typer.Option(
            "--creator", help="Also the permissions that kafka init needs to create topics."
        ),
    ] = False,
) -> None:
    """Print the permissions that the connector needs, as kafka-acls commands."""
    options = _options(call)
    servers = ",".join(options.bootstrap_servers)
    wanted = acls(options.names, principal or _own_principal(options), creator=creator)
    match call.screen.form:
        case Format.JSON:
            call.screen.json(wanted)
        case Format.CSV:
            columns = tuple(Acl.model_fields)
            call.screen.csv(columns, [_cells(one) for one in wanted])
        case Format.TABLE:
            for one in wanted:
                call.screen.line(one.command(servers))


def _cells(one: Acl) -> tuple[str, ...]:
    return (
        one.principal,
        one.resource,
        " ".join(one.names),
        one.pattern,
        " ".join(one.operations),
    )


def _own_principal(options: KafkaSettings) -> str:
    sasl = options.security.sasl
    if sasl is None or sasl.user is None:
        raise typer.BadParameter("the settings name no user; use --principal User:NAME")
    return f"User:{sasl.user}"


def _options(call: Call) -> KafkaSettings:
    """The journal's options of the settings.

    Raises:
        Permanent: ``CFG-001`` when the settings name another kind of journal.
        typer.Exit: the settings are wrong; the faults have been printed.
    """
    journal = settings_of(call).journal
    if not isinstance(journal, KafkaSettings):
        raise Permanent("CFG-001", f"journal.type is {journal.type}, not kafka")
    return journal
