"""Acts of operators: deliver, retry, cancel, pause, resume, and who is who."""

from typing import Annotated, cast

import typer
from pydantic import BaseModel, ValidationError

from connector.cli import pauses, plan
from connector.cli.exits import Exit
from connector.cli.options import Call, asking
from connector.cli.output import Format
from connector.cli.waiting import (
    NOT_APPLIED,
    TIMEOUT,
    TimeoutOption,
    UntilOption,
    WaitOption,
    Wish,
    became,
    wait_for,
    wish,
)
from connector.core.states import HolderState
from connector.operators.client import AdminClient
from connector.operators.records import (
    AcceptClock,
    Act,
    Cancel,
    ConfirmIdentity,
    Deliver,
    ForgetIdentity,
    Pause,
    Receipt,
    Resume,
    RetryMany,
    RetryOne,
)

HolderArgument = Annotated[
    str,
    typer.Argument(
        help="The holder: key (TENANT/user/ID), id, user name, mail, device/ID or serial number."
    ),
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Reason, for the audit log.")]
RouteOption = Annotated[str | None, typer.Option("--route", help="Only this route.")]


BRAKES = {"pause", "resume", "accept_clock"}
"""Acts on the whole service: the partitions that take them are no subjects of an operator's."""
NEEDED = {
    "holder": "name the holder by key, id, user name, mail, device/ID or serial number",
    "code": "--code is written like UEM-400",
    "drop_generation": "--drop-generation takes 8 or more hexadecimal digits of a fingerprint",
    "reason": "--reason says why, in at most 512 characters",
}
"""What an act wants of each of its members, in the words of the command line."""


def _act(call: Call, wanted: Wish | None, kind: type[BaseModel], **given: object) -> None:
    """Send an act, once even if the connection breaks and it is sent again; perhaps wait for it."""
    act, key = _made(kind, given), call.world.unique()

    async def sending(client: AdminClient) -> Receipt:
        return await client.act(act, key)

    receipt = call.ask(sending)
    pauses.show(call, receipt.pauses)
    outcome = None if wanted is None else wait_for(call, act, receipt, wanted)
    _show(call, outcome or receipt)
    if not receipt.complete:
        call.screen.fault("The journal stopped accepting events; repeat the command for the rest.")
        raise typer.Exit(Exit.PARTLY)
    if outcome is not None and outcome.exit is not Exit.OK:
        raise typer.Exit(outcome.exit)


def _show(call: Call, receipt: Receipt) -> None:
    columns = ("subject", receipt.act)
    rows = [(subject, became(receipt, subject)) for subject in receipt.subjects]
    match call.screen.form:
        case Format.JSON:
            call.screen.json(receipt)
        case Format.CSV:
            call.screen.csv(columns, rows)
        case Format.TABLE if receipt.act in BRAKES:
            done = [state for _, state in rows if state != NOT_APPLIED]
            how, of = (done or [NOT_APPLIED])[0], "the journal's partitions"
            if len(done) < len(rows):
                how, of = "applied", f"{len(rows)} partitions"
            call.screen.line(f"{receipt.act}: {how} by {len(done)} of {of}")
        case Format.TABLE:
            call.screen.table(columns, rows)


def _made(kind: type[BaseModel], given: dict[str, object]) -> Act:
    try:
        return cast("Act", kind.model_validate(given))
    except ValidationError as error:
        faults = error.errors(include_input=False, include_context=False, include_url=False)
        names = sorted({str(fault["loc"][0]) for fault in faults})
        text = "; ".join(NEEDED.get(name, f"{name} is not of the right kind") for name in names)
        raise typer.BadParameter(text) from None


@asking
def deliver(
    call: Call,
    holder: HolderArgument,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only show what would be delivered; no key is fetched."),
    ] = False,
    drop_generation: Annotated[
        str | None,
        typer.Option(
            "--drop-generation",
            metavar="FINGERPRINT",
            help="First drop this encryption generation from the holder's history.",
        ),
    ] = None,
    reason: ReasonOption = "",
    wait: WaitOption = False,
    until: UntilOption = None,
    timeout: TimeoutOption = TIMEOUT,
) -> None:
    """Deliver a holder's keys now, also if the device's notification was lost."""
    if dry_run:
        report = call.ask(lambda client: client.plan(holder))
        plan.show(call, report)
        if not report.would_deliver:
            raise typer.Exit(Exit.PROBLEMS)
        return
    if drop_generation and not reason:
        raise typer.BadParameter("dropping a generation needs a --reason")
    wanted = wish(wait=wait, until=until, timeout=timeout)
    _act(call, wanted, Deliver, holder=holder, reason=reason, drop_generation=drop_generation)


@asking
def retry(
    call: Call,
    holder: Annotated[
        str | None, typer.Argument(help="The holder, or select many by --code and --route.")
    ] = None,
    code: Annotated[str | None, typer.Option("--code", help="All with this error code.")] = None,
    route: RouteOption = None,
    reason: ReasonOption = "",
    wait: WaitOption = False,
    until: UntilOption = None,
    timeout: TimeoutOption = TIMEOUT,
) -> None:
    """Retry what failed or waits: push the profile, or deliver again if the copy is gone."""
    if holder is not None and (code or route):
        raise typer.BadParameter("name a holder, or select by --code and --route")
    wanted = wish(wait=wait, until=until, timeout=timeout)
    if holder is not None:
        _act(call, wanted, RetryOne, holder=holder, reason=reason)
    elif code or route:
        _act(call, wanted, RetryMany, code=code, route=route, reason=reason)
    else:
        raise typer.BadParameter("name a holder, or select by --code and --route")


@asking
def cancel(
    call: Call,
    holder: HolderArgument,
    reason: ReasonOption,
    wait: WaitOption = False,
    timeout: TimeoutOption = TIMEOUT,
) -> None:
    """End the open delivery of a holder."""
    wanted = wish(wait=wait, timeout=timeout)
    _act(call, wanted, Cancel, holder=holder, reason=reason)


@asking
def pause(
    call: Call,
    reason: ReasonOption,
    route: RouteOption = None,
    wait: WaitOption = False,
    timeout: TimeoutOption = TIMEOUT,
) -> None:
    """Pause all routes or one: no key leaves escrow; looks and the watch over copies continue."""
    wanted = wish(wait=wait, timeout=timeout)
    _act(call, wanted, Pause, route=route, reason=reason)


@asking
def resume(
    call: Call,
    route: RouteOption = None,
    reason: ReasonOption = "",
    wait: WaitOption = False,
    timeout: TimeoutOption = TIMEOUT,
) -> None:
    """End a pause."""
    wanted = wish(wait=wait, timeout=timeout)
    _act(call, wanted, Resume, route=route, reason=reason)


clock = typer.Typer(
    no_args_is_help=True, help="What time it is, where clock and journal are far apart."
)


@clock.command("accept")
@asking
def clock_accept(
    call: Call,
    reason: ReasonOption,
    wait: WaitOption = False,
    timeout: TimeoutOption = TIMEOUT,
) -> None:
    """Accept the present clock of the service as right: journal time follows it."""
    wanted = wish(wait=wait, timeout=timeout)
    _act(call, wanted, AcceptClock, reason=reason)


identity = typer.Typer(
    no_args_is_help=True,
    help="Show, confirm and forget the pinned identity of a UEM user at the CA.",
)


@identity.command("show")
@asking
def identity_show(call: Call, holder: HolderArgument) -> None:
    """Show the pinned identity, and a changed one that must be confirmed."""
    state = call.ask(lambda client: client.detail("holder", holder)).state
    known = state.identity if isinstance(state, HolderState) else None
    pairs = {
        "pinned": known.pinned if known else None,
        "conflicting": known.conflicting if known else None,
    }
    if call.screen.form is Format.JSON:
        call.screen.json({"holder": state.key, **pairs})
        return
    rows = [(name, pair.person, pair.agreeing) for name, pair in pairs.items() if pair]
    (call.screen.csv if call.screen.form is Format.CSV else call.screen.table)(
        ("pair", "person at the CA", "agreeing attribute"), rows
    )


@identity.command("confirm")
@asking
def identity_confirm(
    call: Call,
    holder: HolderArgument,
    reason: ReasonOption,
    wait: WaitOption = False,
    timeout: TimeoutOption = TIMEOUT,
) -> None:
    """Confirm that the changed identity is the same person."""
    wanted = wish(wait=wait, timeout=timeout)
    _act(call, wanted, ConfirmIdentity, holder=holder, reason=reason)


@identity.command("forget")
@asking
def identity_forget(
    call: Call,
    holder: HolderArgument,
    reason: ReasonOption,
    wait: WaitOption = False,
    timeout: TimeoutOption = TIMEOUT,
) -> None:
    """Forget the pinned identity and the record of delivered generations."""
    wanted = wish(wait=wait, timeout=timeout)
    _act(call, wanted, ForgetIdentity, holder=holder, reason=reason)
