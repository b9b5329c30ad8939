"""Acts of operators: deliver, retry, cancel, pause, resume, and who is who."""

from typing import Annotated, cast

import typer
from pydantic import BaseModel, ValidationError

from connector.admin.client import AdminClient
from connector.admin.records import (
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
from connector.cli import pauses, plan
from connector.cli.exits import Exit
from connector.cli.options import Call, asking
from connector.cli.screen import Format
from connector.core.states import HolderState

HolderArgument = Annotated[
    str,
    typer.Argument(
        help="The holder: key (TENANT/user/ID), id, user name, mail, device/ID or serial number."
    ),
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; goes into the audit trail.")]
RouteOption = Annotated[str | None, typer.Option("--route", help="Only this route.")]


BRAKES = {"pause", "resume"}
"""Acts on the whole service: the partitions that take them are no subjects of an operator's."""
ANEW = "accepted: a new hand-over, keys leave escrow again"
NEEDED = {
    "holder": "name the holder by key, id, user name, mail, device/ID or serial number",
    "code": "--code is written like UEM-400",
    "drop_generation": "--drop-generation takes 8 or more hexadecimal digits of a fingerprint",
    "reason": "--reason says why, in at most 512 characters",
}
"""What an act wants of each of its members, in the words of the command line."""


def _act(call: Call, kind: type[BaseModel], **given: object) -> None:
    """Send an act, once even if the connection breaks and it is sent again."""
    act, key = _made(kind, given), call.world.unique()

    async def sending(client: AdminClient) -> Receipt:
        return await client.act(act, key)

    receipt = call.ask(sending)
    pauses.show(call, receipt.pauses)
    _show(call, receipt)
    if not receipt.complete:
        call.screen.fault("The journal stopped taking events; repeat the command for the rest.")
        raise typer.Exit(Exit.PARTLY)


def _show(call: Call, receipt: Receipt) -> None:
    columns = ("subject", receipt.act)
    again = set(receipt.discloses)
    rows = [(one, ANEW if one in again else "accepted") for one in receipt.subjects]
    match call.screen.form:
        case Format.JSON:
            call.screen.json(receipt)
        case Format.CSV:
            call.screen.csv(columns, rows)
        case Format.TABLE if receipt.act in BRAKES:
            call.screen.line(f"{receipt.act}: accepted by {len(rows)} of the journal's partitions")
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
        bool, typer.Option("--dry-run", help="Only show what would be delivered; touches no key.")
    ] = False,
    drop_generation: Annotated[
        str | None,
        typer.Option(
            "--drop-generation",
            metavar="FINGERPRINT",
            help="Take one encryption generation out of the holder's history first.",
        ),
    ] = None,
    reason: ReasonOption = "",
) -> None:
    """Deliver a holder's keys now, also when the notification of his device was lost."""
    if dry_run:
        report = call.ask(lambda client: client.plan(holder))
        plan.show(call, report)
        if not report.would_deliver:
            raise typer.Exit(Exit.PROBLEMS)
        return
    if drop_generation and not reason:
        raise typer.BadParameter("dropping a generation needs a --reason")
    _act(call, Deliver, holder=holder, reason=reason, drop_generation=drop_generation)


@asking
def retry(
    call: Call,
    holder: Annotated[
        str | None, typer.Argument(help="The holder; or --code and --route choose many.")
    ] = None,
    code: Annotated[str | None, typer.Option("--code", help="All with this error code.")] = None,
    route: RouteOption = None,
    reason: ReasonOption = "",
) -> None:
    """Try again what failed or waits: by a push while the copy lives, else by a new delivery."""
    if holder is not None and (code or route):
        raise typer.BadParameter("name a holder, or choose by --code and --route")
    if holder is not None:
        _act(call, RetryOne, holder=holder, reason=reason)
    elif code or route:
        _act(call, RetryMany, code=code, route=route, reason=reason)
    else:
        raise typer.BadParameter("name a holder, or choose by --code and --route")


@asking
def cancel(call: Call, holder: HolderArgument, reason: ReasonOption) -> None:
    """End the open delivery of a holder."""
    _act(call, Cancel, holder=holder, reason=reason)


@asking
def pause(call: Call, reason: ReasonOption, route: RouteOption = None) -> None:
    """Apply the brake: no act is started; looks and the watch over copies go on."""
    _act(call, Pause, route=route, reason=reason)


@asking
def resume(call: Call, route: RouteOption = None, reason: ReasonOption = "") -> None:
    """Release the brake."""
    _act(call, Resume, route=route, reason=reason)


identity = typer.Typer(
    no_args_is_help=True, help="Who a UEM user is at the CA: the pair pinned at first delivery."
)


@identity.command("show")
@asking
def identity_show(call: Call, holder: HolderArgument) -> None:
    """Show the pinned pair, and one seen since that waits for a person."""
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
def identity_confirm(call: Call, holder: HolderArgument, reason: ReasonOption) -> None:
    """Confirm that the changed pair is right: it is the same person."""
    _act(call, ConfirmIdentity, holder=holder, reason=reason)


@identity.command("forget")
@asking
def identity_forget(call: Call, holder: HolderArgument, reason: ReasonOption) -> None:
    """Forget the pinned pair and what was delivered before."""
    _act(call, ForgetIdentity, holder=holder, reason=reason)
