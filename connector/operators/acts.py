"""Turn a command of an operator into events for the journal. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from connector.core.errors import Rejected
from connector.core.events import (
    CancelRequested,
    ClockAccepted,
    DeliveryRequested,
    Event,
    EventBody,
    GenerationDropped,
    IdentityConfirmed,
    IdentityForgotten,
    Paused,
    Resumed,
    RetryRequested,
    event_id,
)
from connector.core.holder.operator_commands import (
    DOES_NOT_FIT,
    can_retry,
    refused_to_forget,
    waiting_pair,
)
from connector.core.model import (
    IdentityPair,
    Millis,
    Sha256Hex,
    SubjectKey,
    SubjectKind,
    parse_subject,
)
from connector.core.model import subject_key as make_key
from connector.core.states import HolderState, StandingPause
from connector.operators.verbs.acts import (
    AcceptClock,
    Cancel,
    ConfirmIdentity,
    Deliver,
    ForgetIdentity,
    HolderAct,
    Pause,
    Resume,
    RetryOne,
)
from connector.operators.verbs.verb import Operator

NO_TENANT = "-"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What identifies a command and its author: a unique id, the time, and who acts."""

    unique: str
    now: Millis
    operator: Operator


def events_for(stamp: Stamp, subject: SubjectKey, bodies: Iterable[EventBody]) -> list[Event]:
    """The events of one subject, in order."""
    return [
        Event(
            id=event_id("operator", stamp.unique, subject, str(number)),
            tenant=parse_subject(subject).tenant,
            subject=subject,
            source="operator",
            occurred_at=stamp.now,
            received_at=stamp.now,
            body=body,
        )
        for number, body in enumerate(bodies)
    ]


def holder_bodies(act: HolderAct, state: HolderState, by: str) -> list[EventBody]:
    """The event bodies of an operator's command on one holder.

    Raises:
        Rejected: ``DLV-006`` when it does not fit the state; ``EVT-007`` for a fingerprint that
            names no generation of theirs, or a missing reason; ``IDN-005`` when another pair waits
            to be confirmed.
    """
    match act:
        case Deliver():
            return _deliver(act, state, by)
        case RetryOne():
            _fits(can_retry(state))
            return [RetryRequested(by=by, reason=act.reason)]
        case Cancel():
            _fits(state.delivery is not None and state.delivery.open)
            return [CancelRequested(by=by, reason=act.reason)]
        case ConfirmIdentity():
            return [_confirm(act, state, by)]
        case ForgetIdentity():
            return [_forget(act, state, by)]


def _fits(condition: bool) -> None:  # noqa: FBT001 - an assertion reads best like this
    if not condition:
        raise Rejected("DLV-006", "the act does not fit the state of the delivery")


def _confirm(act: ConfirmIdentity, state: HolderState, by: str) -> IdentityConfirmed:
    """Refuses at once what would be refused when it is applied: then the state decides again."""
    named = IdentityPair(person=act.person, agreeing=act.agreeing)
    waiting = waiting_pair(state, named)
    _fits(waiting != DOES_NOT_FIT)
    if isinstance(waiting, str):
        raise Rejected(waiting, "another pair waits to be confirmed; see identity show")
    return IdentityConfirmed(by=by, reason=act.reason, pair=named)


def _forget(act: ForgetIdentity, state: HolderState, by: str) -> IdentityForgotten:
    """As :func:`_confirm`."""
    named = act.pair()
    if refusal := refused_to_forget(state, named):
        what = "more is left of the user: name the pair that stays pinned, from identity show"
        raise Rejected(refusal, what if named is None else "another pair is pinned, or waits")
    return IdentityForgotten(by=by, reason=act.reason, pair=named)


def _deliver(act: Deliver, state: HolderState, by: str) -> list[EventBody]:
    request = DeliveryRequested(by=by, reason=act.reason)
    if act.drop_generation is None:
        return [request]
    if not act.reason:
        raise Rejected("EVT-007", "dropping a generation needs a reason")
    fingerprint = _generation(state, act.drop_generation)
    return [GenerationDropped(by=by, reason=act.reason, fingerprint=fingerprint), request]


def _generation(state: HolderState, beginning: str) -> Sha256Hex:
    """The one generation whose fingerprint begins like this."""
    wanted = beginning.replace(":", "").lower()
    known = {generation.fingerprint for generation in state.generations}
    known |= {sent.fingerprint for sent in state.delivered}
    found = [fingerprint for fingerprint in known if fingerprint.startswith(wanted)]
    if len(found) != 1:
        many = "several generations" if found else "no generation"
        raise Rejected("EVT-007", f"{many} of the holder begin with this fingerprint")
    return found[0]


def last_events(events: Iterable[Event]) -> dict[SubjectKey, str]:
    """By subject, the id of its last event."""
    return {event.subject: event.id for event in events}


def retry_events(stamp: Stamp, holders: Iterable[SubjectKey], reason: str) -> list[Event]:
    """A retry of many holders."""
    body = RetryRequested(by=stamp.operator.by, reason=reason)
    return [event for holder in holders for event in events_for(stamp, holder, [body])]


def partition_events(
    stamp: Stamp, act: Pause | Resume | AcceptClock, partitions: int
) -> list[Event]:
    """A brake, or that the clock is right, is an event to every partition."""
    by = stamp.operator.by
    body: EventBody
    match act:
        case AcceptClock():
            body = ClockAccepted(by=by, reason=act.reason)
        case Pause():
            body = Paused(by=by, reason=act.reason, route=act.route)
        case Resume():
            body = Resumed(by=by, reason=act.reason, route=act.route)
    return [
        event
        for number in range(partitions)
        for event in events_for(
            stamp, make_key(NO_TENANT, SubjectKind.PARTITION, str(number)), [body]
        )
    ]


def concerning(
    act: Pause | Resume | AcceptClock, pauses: Iterable[StandingPause]
) -> tuple[StandingPause, ...]:
    """Of the pauses in force: the one that a pause repeats, or those that a resume leaves."""
    if isinstance(act, AcceptClock):
        return ()
    return tuple(one for one in pauses if (one.route == act.route) == isinstance(act, Pause))
