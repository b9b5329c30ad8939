"""``advance`` of a holder: pass a fact to its handler, then apply what follows from it."""

from typing import Any

from connector.core.errors import Family, Fault
from connector.core.events import (
    CertificatesChanged,
    DeviceChanged,
    DeviceJoined,
    DeviceLeft,
    Event,
    JournalRestored,
)
from connector.core.facts import (
    Acted,
    ActFound,
    Begun,
    CleanedUp,
    CopyLookedAt,
    Denied,
    Elapsed,
    Fact,
    HandedOver,
    InstallLookedAt,
    Listed,
    Looked,
    Parts,
    Permitted,
    Pushed,
    RequestsLookedAt,
    TimeSteppedBack,
    UserLookedUp,
    failed,
)
from connector.core.holder import (
    changes,
    devices,
    handing,
    install,
    look_up,
    operator_commands,
    planning,
    purge,
    push,
    recovery,
    restored,
    retention,
    stepped_back,
    user_look,
    waits,
)
from connector.core.holder.lifecycle import Holder, end, fail, route_of
from connector.core.holder.retrying import refuse
from connector.core.holder.schedule import schedule
from connector.core.model import HolderFacts, Millis
from connector.core.policy import Mode, Rules
from connector.core.states import Effect, HolderState, Phase, Running
from connector.core.step import Step, outcome_of

FETCHING = frozenset({Effect.BEGIN, Effect.HAND_OVER})
"""What a route that only observes does not do, also when the mode was changed on the way."""


def advance(state: HolderState, fact: Fact, now: Millis, rules: Rules) -> Holder:
    """Advance a holder by one fact.

    Args:
        state: the holder so far.
        fact: an event, the outcome of an effect, a permit, or a due time that has passed.
        now: journal time in milliseconds.
        rules: routes, dice, and whether deadlines are suspended.

    Returns:
        The step: new state (the same object when nothing changed), audit entries, events for other
        subjects, moments for the metrics.
    """
    step: Holder = Step(state, now, rules, cause=fact.id if isinstance(fact, Event) else None)
    _dispatch(step, fact)
    if step.state is not state or isinstance(fact, Elapsed):
        _settle(step)
        schedule(step)
    if isinstance(fact, TimeSteppedBack):
        step.keep_if_equal(state)
    return step


def _dispatch(step: Holder, fact: Fact) -> None:
    match fact:
        case Event():
            _on_event(step, fact)
        case Looked():
            _on_look(step, fact)
        case Permitted() | Denied():
            _on_permit(step, fact)
        case HandedOver() | Parts():
            _on_act(step, fact)
        case ActFound():
            _on_found(step)
        case Elapsed():
            _on_time(step)
        case TimeSteppedBack():
            stepped_back.correct(step)


def _on_event(step: Holder, event: Event) -> None:
    match event.body:
        case DeviceJoined() as body:
            devices.joined(step, body)
        case DeviceLeft() as body:
            devices.left(step, body)
        case DeviceChanged():
            devices.doubted(step)
        case CertificatesChanged():
            changes.hinted(step)
        case JournalRestored() as body:
            restored.restored(step, body)
        case body if isinstance(body, operator_commands.HumanBody):
            operator_commands.acted(step, body)
        case _:
            step.note("event.ignored", outcome="EVT-005")


def _on_look(step: Holder, fact: Looked[Any]) -> None:
    if fact.basis == step.state.version and step.state.running is None:
        _on_fresh_look(step, fact)
    else:
        step.moment("stale_fact", subject="holder")
        step.note("look.stale_outcome", reason=fact.effect.value, outcome=outcome_of(fact.fault))


def _on_fresh_look(step: Holder, fact: Looked[Any]) -> None:
    match fact:
        case UserLookedUp(answer=answer):
            _on_look_up(step, answer)
        case Listed(answer=answer) if step.state.check is not None:
            changes.checked(step, answer)
        case Listed(answer=answer):
            planning.listed(step, answer)
        case RequestsLookedAt(answer=answer):
            recovery.looked(step, answer)
        case InstallLookedAt(answer=answer):
            install.looked(step, answer)
        case CopyLookedAt(answer=answer):
            purge.looked(step, answer)
        case _:
            step.moment("stale_fact", subject="holder")


def _on_look_up(step: Holder, answer: HolderFacts | Fault | None) -> None:
    """Pass the answer to both the delivery and the check, whichever asked for it."""
    answer = look_up.about(step.state.key, answer)
    step.note("holder.looked_up", outcome=outcome_of(answer), route=step.state.route)
    delivery = step.state.delivery
    asked = delivery is not None and delivery.open and delivery.step is Effect.LOOK_UP
    user_look.looked(step, answer)
    if asked and step.state.delivery is not None and step.state.delivery.open:
        look_up.looked_up(step, answer)


def _wants(step: Holder, effect: Effect) -> bool:
    """Whether the state asks for an act at this moment."""
    wanted = any(want.effect is effect and want.due <= step.now for want in step.state.wants)
    return wanted and step.state.running is None


def _on_permit(step: Holder, fact: Permitted | Denied) -> None:
    """A permit only counts for an act that the state asks for now."""
    if not _wants(step, fact.effect):
        step.moment("stale_fact", subject="holder")
    elif isinstance(fact, Denied):
        refuse(step, fact.fault)
    else:
        _start(step, fact.effect)


def _start(step: Holder, effect: Effect) -> None:
    """Start the permitted act."""
    route = route_of(step)
    if effect in FETCHING and route is not None and route.mode is Mode.OBSERVE:
        end(step, Phase.CANCELLED, code="DLV-005", why="observed")
        return
    match effect:
        case Effect.BEGIN:
            recovery.start_begin(step)
        case Effect.HAND_OVER:
            handing.start(step)
        case Effect.PUSH:
            push.start_push(step)
        case Effect.CLEAN_UP:
            recovery.start_clean_up(step)
        case _:
            step.moment("stale_fact", subject="holder")


def _on_act(step: Holder, fact: Acted) -> None:
    running = step.state.running
    if running is None or (running.effect, running.attempt) != (fact.effect, fact.attempt):
        step.note(
            "act.stale_outcome",
            reason=fact.effect.value,
            outcome=outcome_of(fact.fault),
            attempt=fact.attempt,
            result=fact.outcome.outcome if isinstance(fact, HandedOver) else None,
        )
        return
    step.set(running=None)
    _outcome(step, running, fact)


def _outcome(step: Holder, running: Running, fact: Acted) -> None:
    match fact:
        case HandedOver(outcome=outcome):
            handing.ended(step, running, outcome)
        case Begun(done=answers, fault=fault):
            recovery.begun(step, running, answers, fault)
        case Pushed(done=taken, fault=fault):
            push.pushed(step, running, taken, fault)
        case CleanedUp(done=ended, fault=fault):
            recovery.cleaned_up(step, running, ended, fault)
        case _:
            step.moment("stale_fact", subject="holder")


def _on_found(step: Holder) -> None:
    """A new owner found an open act: its outcome is unknown; wait until it can have no effect."""
    running = step.state.running
    if running is None or waits.is_ours(step, running):
        return
    awaited = waits.found(step, running)
    not_before = step.now + awaited.left(step.rules.boot)
    wait = {"awaited": awaited, "not_before": not_before}
    step.set(running=running.model_copy(update=wait | {"epoch": step.rules.epoch}))
    if running.effect is Effect.HAND_OVER:
        wait = {"awaited": awaited, "not_after": not_before, "due": not_before}
        step.set(copy_=step.state.copy_.model_copy(update=wait))
    step.note(
        "act.outcome_unknown",
        outcome="HND-007",
        reason=running.effect.value,
        delivery=running.delivery,
        attempt=running.attempt,
    )


def _on_time(step: Holder) -> None:
    """The end of an act whose outcome never arrived, or a deadline.

    An act of an earlier owner is found first, whichever fact comes first.
    """
    running = step.state.running
    if running is not None and not waits.is_ours(step, running):
        _on_found(step)
        return
    purge.overdue(step)
    if running is not None:
        if not waits.left_of(step, running):
            fault = Fault(
                code="HND-007", family=Family.TRANSIENT, detail="the act's outcome is unknown"
            )
            step.set(running=None)
            _outcome(step, running, failed(running.effect, running.attempt, fault))
        return
    delivery = step.state.delivery
    if delivery is None or not delivery.open or step.rules.deadlines_held:
        return
    if step.now >= delivery.deadline and delivery.phase is not Phase.AWAITING_PURGE:
        _deadline(step)


def _deadline(step: Holder) -> None:
    delivery = step.state.delivery
    if delivery is not None and delivery.phase is Phase.AWAITING_INSTALL:
        install.give_up(step)
        return
    trouble = delivery.trouble if delivery else None
    seen = f"; last error: {trouble.code}" if trouble else ""
    fail(step, "DLV-001", f"the phase took longer than its deadline{seen}")


def _settle(step: Holder) -> None:
    """Apply the transitions that follow without a further fact."""
    if route_of(step) is None:
        step.set(check=None, look=None)
    delivery = step.state.delivery
    pinned = delivery is not None and delivery.open and delivery.looked_up_at is not None
    if pinned and route_of(step) is None:
        fail(step, "USR-007", "the route of this delivery is not configured any more")
    install.settle(step)
    purge.settle(step)
    retention.let_go(step)
