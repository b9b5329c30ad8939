"""Acts of operators: deliver, retry, cancel, pause, resume, and who is who."""

from typing import Annotated, TypeVar

import typer

from connector.cli import pauses, plan
from connector.cli.exits import Exit
from connector.cli.options import Call, asking
from connector.cli.output import Format
from connector.cli.questions import made
from connector.cli.waiting import NOT_YET, WAITING, Wait, WaitUntil, Wish, became, wait_for
from connector.core.errors import Rejected
from connector.core.identity import same_pair
from connector.core.model import IdentityPair
from connector.core.states import HolderState
from connector.operators.verbs.acts import (
    ACCEPT_CLOCK,
    CANCEL,
    CONFIRM_IDENTITY,
    DELIVER,
    FORGET_IDENTITY,
    PAUSE,
    RESUME,
    RETRY,
    RETRY_MANY,
    Act,
    ConfirmIdentity,
    Pause,
    Receipt,
)
from connector.operators.verbs.plan import PLAN, PlanQuery
from connector.operators.verbs.status import SUBJECT, SubjectQuery
from connector.operators.verbs.verb import Verb

A = TypeVar("A", bound=Act)

commands = typer.Typer()
"""Those that belong to no group."""
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


def _act(call: Call, wanted: Wish | None, verb: Verb[A, Receipt], **given: object) -> None:
    """Send an act, once even if the connection breaks and it is sent again; perhaps wait for it."""
    act = made(verb.takes, **given)
    receipt = call.ask(verb, act, call.world.unique())
    pauses.show(call, receipt.pauses)
    if isinstance(act, Pause) and receipt.pauses:
        call.screen.remark("This pause was set before and was not changed; one resume ends it.")
    if isinstance(act, ConfirmIdentity):
        call.screen.remark(f"Confirming {act.person}, {act.agreeing}.")
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
            done = [state for _, state in rows if state != NOT_YET]
            how, of = (done or [NOT_YET])[0], "the journal's partitions"
            if len(done) < len(rows):
                how, of = "applied", f"{len(rows)} partitions"
            call.screen.line(f"{receipt.act}: {how} by {len(done)} of {of}")
        case Format.TABLE:
            call.screen.table(columns, rows)


@commands.command()
@asking(DELIVER, PLAN, *WAITING)
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
    *,
    wait: WaitUntil,
) -> None:
    """Deliver a holder's keys now, also if the device's notification was lost."""
    if dry_run:
        report = call.ask(PLAN, made(PlanQuery, holder=holder))
        plan.show(call, report)
        if not report.would_deliver:
            raise typer.Exit(Exit.PROBLEMS)
        return
    if drop_generation and not reason:
        raise typer.BadParameter("dropping a generation needs a --reason")
    _act(call, wait.wish, DELIVER, holder=holder, reason=reason, drop_generation=drop_generation)


@commands.command()
@asking(RETRY, RETRY_MANY, *WAITING)
def retry(
    call: Call,
    holder: Annotated[
        str | None, typer.Argument(help="The holder, or select many by --code and --route.")
    ] = None,
    code: Annotated[str | None, typer.Option("--code", help="All with this error code.")] = None,
    route: RouteOption = None,
    reason: ReasonOption = "",
    *,
    wait: WaitUntil,
) -> None:
    """Retry what failed or waits: push the profile, or deliver again if the copy is gone."""
    if holder is not None and (code or route):
        raise typer.BadParameter("name a holder, or select by --code and --route")
    if holder is not None:
        _act(call, wait.wish, RETRY, holder=holder, reason=reason)
    elif code or route:
        _act(call, wait.wish, RETRY_MANY, code=code, route=route, reason=reason)
    else:
        raise typer.BadParameter("name a holder, or select by --code and --route")


@commands.command()
@asking(CANCEL, *WAITING)
def cancel(
    call: Call,
    holder: HolderArgument,
    reason: ReasonOption,
    *,
    wait: Wait,
) -> None:
    """End the open delivery of a holder."""
    _act(call, wait.wish, CANCEL, holder=holder, reason=reason)


@commands.command()
@asking(PAUSE, *WAITING)
def pause(
    call: Call,
    reason: ReasonOption,
    route: RouteOption = None,
    *,
    wait: Wait,
) -> None:
    """Pause all routes or one: no key leaves escrow; looks and the watch over copies continue."""
    _act(call, wait.wish, PAUSE, route=route, reason=reason)


@commands.command()
@asking(RESUME, *WAITING)
def resume(
    call: Call,
    route: RouteOption = None,
    reason: ReasonOption = "",
    *,
    wait: Wait,
) -> None:
    """End the pause of all routes, or of one with --route; every other pause stays."""
    _act(call, wait.wish, RESUME, route=route, reason=reason)


clock = typer.Typer(
    no_args_is_help=True, help="Accept the clock after it and the journal disagreed."
)
commands.add_typer(clock, name="clock")


@clock.command("accept")
@asking(ACCEPT_CLOCK, *WAITING)
def clock_accept(
    call: Call,
    reason: ReasonOption,
    *,
    wait: Wait,
) -> None:
    """Accept the present clock of the service as right: journal time follows it."""
    _act(call, wait.wish, ACCEPT_CLOCK, reason=reason)


identity = typer.Typer(
    no_args_is_help=True,
    help="Show, confirm and forget the pinned identity of a UEM user at the CA.",
)
commands.add_typer(identity, name="identity")


@identity.command("show")
@asking(SUBJECT)
def identity_show(call: Call, holder: HolderArgument) -> None:
    """Show the pinned identity, and a changed one that must be confirmed."""
    state = call.ask(SUBJECT, made(SubjectQuery, kind="holder", name=holder)).state
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
@asking(CONFIRM_IDENTITY, *WAITING)
def identity_confirm(
    call: Call,
    holder: HolderArgument,
    person: Annotated[
        str, typer.Option("--person", help="The changed person at the CA, from identity show.")
    ],
    agreeing: Annotated[
        str, typer.Option("--agreeing", help="The agreeing attribute, from identity show.")
    ],
    reason: ReasonOption,
    *,
    wait: Wait,
) -> None:
    """Confirm that the changed identity is the same person; if it changed again, it is refused."""
    pair = {"person": person, "agreeing": agreeing}
    _act(call, wait.wish, CONFIRM_IDENTITY, holder=holder, reason=reason, **pair)
    if wait.wish is not None:
        _require_pinned(call, holder, IdentityPair(**pair))


def _require_pinned(call: Call, holder: str, pair: IdentityPair) -> None:
    """Fail if the confirmation was refused when it was applied, in the order of the journal."""
    state = call.ask(SUBJECT, made(SubjectQuery, kind="holder", name=holder)).state
    known = state.identity if isinstance(state, HolderState) else None
    if known is None or known.conflicting is not None or not same_pair(known.pinned, pair):
        raise Rejected("IDN-005", "refused when it was applied; see the audit trail")


@identity.command("forget")
@asking(FORGET_IDENTITY, *WAITING)
def identity_forget(
    call: Call,
    holder: HolderArgument,
    reason: ReasonOption,
    person: Annotated[
        str | None, typer.Option("--person", help="The person who stays pinned: see identity show.")
    ] = None,
    agreeing: Annotated[
        str | None, typer.Option("--agreeing", help="The agreeing attribute that stays pinned.")
    ] = None,
    *,
    wait: Wait,
) -> None:
    """Forget the record of delivered generations, and the user if nothing else is left of them.

    Of a user who has devices, a copy in the UEM, requests or an open delivery, an identity stays
    pinned: the one that identity show prints last, which must be named.
    """
    pair = {"person": person, "agreeing": agreeing}
    _act(call, wait.wish, FORGET_IDENTITY, holder=holder, reason=reason, **pair)
    if wait.wish is not None and person is not None and agreeing is not None:
        _require_pinned(call, holder, IdentityPair(person=person, agreeing=agreeing))
