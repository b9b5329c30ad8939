"""The hand-over in the holder's state: start, outcome, and what it means for the copy."""

from pydantic import JsonValue

from connector.core.handover import (
    Accepted,
    Changed,
    HandoverOutcome,
    NotSent,
    Refused,
    Unfinished,
    Unknown,
)
from connector.core.holder import acts, waits
from connector.core.holder.accepted import accepted, remember
from connector.core.holder.lifecycle import Holder, change, delivery_of, fail, move, route_of
from connector.core.holder.onward import looked_lately
from connector.core.holder.planning import rules_of
from connector.core.holder.retrying import refuse, retry_later
from connector.core.model import RequestState
from connector.core.policy import RoutePolicy
from connector.core.states import (
    Copy,
    CopyState,
    Delivery,
    Effect,
    Phase,
    Running,
)

CHANGED_ROUNDS = 5
"""How often planning and hand-over may disagree before a person has to look."""


def start(step: Holder) -> None:
    """Record the act, the copy that may result, and the audit entry, before the act is done.

    If an earlier upload may still arrive (journal time ran ahead of the boot clock), wait for
    it. If the permit took long, look at the user once more first.
    """
    delivery, route = step.state.delivery, route_of(step)
    if delivery is None or route is None or delivery.digest is None:
        return
    if waits.until_quiet(step):
        return
    if not looked_lately(step, delivery, route):
        change(step, step=Effect.LOOK_UP)
        return
    attempt = acts.record(
        step,
        Effect.HAND_OVER,
        route.hand_over_limit,
        delivery=delivery.id,
        reason=delivery.trigger.value,
        digest=delivery.digest,
        entries=delivery.entries,
        requests=tuple(r for r in step.state.requests if r.state is RequestState.GRANTED),
        address=delivery.address,
        rules=rules_of(step.state, route),
        before=step.state.copy_,
    )
    step.set(copy_=_perhaps(step, delivery, route))
    step.note(
        "hand_over.started",
        delivery=delivery.id,
        route=route.name,
        reason=delivery.trigger.value,
        actor=delivery.by,
        generations=tuple(dict.fromkeys(entry.fingerprint for entry in delivery.entries)),
        attempt=attempt,
        limit_ms=route.hand_over_limit,
        digest=delivery.digest,
    )


def _perhaps(step: Holder, delivery: Delivery, route: RoutePolicy) -> Copy:
    before = step.state.copy_
    held = before.state in {CopyState.PERHAPS, CopyState.PRESENT}
    digests = before.digests if held else ()
    return Copy(
        state=CopyState.PERHAPS,
        digests=tuple(dict.fromkeys((*digests, delivery.digest or ""))),
        possible_since=(before.there_since if held else None) or step.now,
        not_after=step.now + route.hand_over_limit + route.hand_over_margin,
        due=step.now + route.hand_over_limit + route.hand_over_margin,
        retention=route.retention,
        retention_from=route.retention_from.value,
        overdue=before.overdue,
        awaited=waits.begun(step, route.hand_over_limit),
    )


def ended(step: Holder, running: Running, outcome: HandoverOutcome) -> None:
    """The hand-over process ended; its outcome updates the copy first, then the delivery."""
    code = _code(outcome)
    step.note(
        f"hand_over.{outcome.outcome}",
        outcome=code,
        delivery=running.delivery,
        route=step.state.route,
        attempt=running.attempt,
        receipt=_receipt(outcome),
    )
    step.moment("handed_over", outcome=outcome.outcome, error_code="" if code == "ok" else code)
    disclosed = _disclosed(outcome)
    if disclosed:
        step.moment("keys_disclosed", disclosed, reason=running.reason)
    match outcome:
        case Accepted():
            accepted(step, running, outcome)
        case NotSent() | Refused():
            _as_before(step, running)
            _after_fault(step, running, outcome)
        case Changed():
            _as_before(step, running)
            _replan(step, running)
        case Unknown():
            _unknown(step, running, outcome)


def _disclosed(outcome: HandoverOutcome) -> int:
    """How many keys left escrow, delivered or not."""
    match outcome:
        case Accepted():
            return len({bundle.fingerprint for bundle in outcome.bundles})
        case Changed():
            return 0
        case _:
            return outcome.disclosed


def _code(outcome: HandoverOutcome) -> str:
    match outcome:
        case Accepted():
            return "ok"
        case Changed():
            return "HND-008"
        case _:
            return outcome.fault.code


def _receipt(outcome: HandoverOutcome) -> dict[str, JsonValue]:
    if isinstance(outcome, Accepted):
        return {
            "bundles": [bundle.model_dump(mode="json") for bundle in outcome.bundles],
            "server_time": outcome.server_time,
            **_protection(outcome),
        }
    if isinstance(outcome, Changed):
        return {"disclosed": 0}
    return {"disclosed": outcome.disclosed, **_protection(outcome)}


def _protection(outcome: Accepted | Unfinished) -> dict[str, JsonValue]:
    """How the process was protected, as far as it reported that before it ended."""
    if outcome.sandbox is None:
        return {}
    parts: list[JsonValue] = [part.value for part in outcome.sandbox]
    return {"memory_locked": outcome.memory_locked, "sandbox": parts}


def _as_before(step: Holder, running: Running) -> None:
    """It is proven that the UEM holds the previous copy. An alarm that was raised is kept."""
    before = running.before or Copy()
    held = before.state in {CopyState.PERHAPS, CopyState.PRESENT}
    overdue = before.overdue or (held and step.state.copy_.overdue)
    step.set(copy_=before.model_copy(update={"overdue": overdue}))


def _after_fault(step: Holder, running: Running, outcome: Unfinished) -> None:
    if delivery_of(step, running) is None:
        return
    fault, disclosed = outcome.fault, outcome.disclosed
    if fault.code != "CA-409":
        refuse(step, fault, disclosed=disclosed)
    elif _another_round(step, "the CA's grants expired before every hand-over"):
        move(step, Phase.RECOVERING, Effect.LOOK_REQUESTS)
        retry_later(step, fault, disclosed=disclosed)


def _replan(step: Holder, running: Running) -> None:
    if delivery_of(step, running) is None:
        return
    if _another_round(step, "the CA's list changed in every hand-over"):
        move(step, Phase.PLANNING, Effect.LOOK_UP)
        change(step, entries=(), digest=None)


def _another_round(step: Holder, why: str) -> bool:
    """Whether the delivery may go back again; rounds are counted, since each has a new deadline.

    A request that the CA calls granted but does not hand out would otherwise loop for ever.
    """
    delivery = step.state.delivery
    rounds = CHANGED_ROUNDS if delivery is None else delivery.changed_rounds
    if rounds >= CHANGED_ROUNDS:
        fail(step, "DLV-004", why)
        return False
    change(step, changed_rounds=rounds + 1)
    return True


def _unknown(step: Holder, running: Running, outcome: Unknown) -> None:
    """The copy stays *perhaps*; the next try waits until this one cannot reach the UEM.

    What may have arrived belongs to the history: a device may have used it. If every upload was
    answered, none is still in transit.
    """
    remember(step, running, perhaps=True)
    if delivery_of(step, running) is None:
        return
    not_after = step.now if outcome.answered else step.state.copy_.not_after
    retry_later(step, outcome.fault, not_before=not_after or step.now, disclosed=outcome.disclosed)
    change(step, step=Effect.LOOK_UP)
