"""Open requests at the CA: the holder's own record, watched until they have ended."""

from collections.abc import Iterable

from connector.core.errors import Family, Fault, Scope
from connector.core.events import event_id
from connector.core.holder import acts
from connector.core.holder.lifecycle import Holder, change, fail, route_of
from connector.core.holder.onward import missing, proceed
from connector.core.holder.retrying import refuse, retry_later
from connector.core.model import OpenRequest, RequestState, Sha256Hex
from connector.core.retry import poll
from connector.core.states import Effect, Phase, Running
from connector.core.step import outcome_of

ENDED_REQUESTS = frozenset(
    {RequestState.DENIED, RequestState.EXPIRED, RequestState.FETCHED, RequestState.GONE}
)

CLEAN_UP_TRIES = 12
"""So often the CA is asked to end a request that it refuses to end: for about two hours by default.
Requests whose end it cannot tell now are asked for as long as it takes."""


def start_begin(step: Holder) -> None:
    """Record the requests with their ids before they are sent."""
    delivery, route = step.state.delivery, route_of(step)
    if delivery is None or route is None:
        return
    asked = tuple(
        OpenRequest(
            id=event_id(delivery.id, fingerprint, str(step.state.attempt + 1))[:32],
            fingerprint=fingerprint,
            state=RequestState.PENDING,
        )
        for fingerprint in missing(step)
    )
    reason = delivery.trigger.value
    needs = {"delivery": delivery.id, "reason": reason, "requests": asked}
    attempt = acts.record(step, Effect.BEGIN, route.act_limit, **needs)
    step.set(requests=(*step.state.requests, *asked))
    step.note(
        "recovery.begin_started",
        delivery=delivery.id,
        route=route.name,
        reason=reason,
        generations=tuple(request.fingerprint for request in asked),
        attempt=attempt,
    )


def begun(
    step: Holder, running: Running, answers: tuple[OpenRequest, ...], fault: Fault | None
) -> None:
    """The CA took all, some or none of the requests. Unanswered ones are kept and looked at."""
    step.note(
        "recovery.begun",
        outcome=outcome_of(fault),
        delivery=running.delivery,
        route=step.state.route,
        generations=tuple(request.fingerprint for request in answers),
    )
    update(step, answers)
    if not _mine(step, running, Phase.RECOVERING):
        return
    if fault is not None:
        change(step, step=Effect.LOOK_REQUESTS)
        refuse(step, fault)
    elif _unheard_of(step, answers):
        change(step, step=Effect.LOOK_REQUESTS, due=step.now)
    else:
        settle_requests(step)


def _unheard_of(step: Holder, answers: Iterable[OpenRequest]) -> bool:
    """Whether open requests of an earlier act with unknown outcome count as well."""
    said = {request.id for request in answers}
    delivery = step.state.delivery
    wanted = {entry.fingerprint for entry in delivery.entries} if delivery else set()
    return any(
        request.state is RequestState.PENDING
        and request.id not in said
        and request.fingerprint in wanted
        for request in step.state.requests
    )


def _mine(step: Holder, running: Running, phase: Phase) -> bool:
    delivery = step.state.delivery
    return delivery is not None and delivery.id == running.delivery and delivery.phase is phase


def looked(step: Holder, answers: tuple[OpenRequest, ...] | Fault) -> None:
    """The outcome of a look at the requests."""
    step.note("recovery.looked", outcome=outcome_of(answers), route=step.state.route)
    if isinstance(answers, Fault):
        refuse(step, answers)
        return
    update(step, answers)
    settle_requests(step)


def update(step: Holder, answers: Iterable[OpenRequest]) -> None:
    """Update requests from the CA's answer; those that have ended there are removed."""
    said = {request.id: request for request in answers}
    merged = [said.get(request.id, request) for request in step.state.requests]
    denied = [request for request in merged if request.state is RequestState.DENIED]
    step.set(requests=tuple(r for r in merged if r.state not in ENDED_REQUESTS))
    delivery = step.state.delivery
    if denied and delivery is not None and delivery.phase is Phase.RECOVERING:
        wanted = {entry.fingerprint for entry in delivery.entries}
        if any(request.fingerprint in wanted for request in denied):
            fail(step, "CA-410", "the CA denied the recovery")


def settle_requests(step: Holder) -> None:
    """All granted: hand over. Some lapsed: begin those again later. Otherwise look again later."""
    delivery, route = step.state.delivery, route_of(step)
    if delivery is None or route is None or delivery.phase is not Phase.RECOVERING:
        return
    wanted = {entry.fingerprint for entry in delivery.entries}
    waits = any(
        r.state is RequestState.PENDING and r.fingerprint in wanted for r in step.state.requests
    )
    if missing(step):
        retry_later(
            step, Fault(code="CA-411", family=Family.TRANSIENT, detail="a recovery request expired")
        )
        change(step, step=Effect.BEGIN)
    elif not waits:
        proceed(step)
    else:
        looks = delivery.attempts + 1
        due = step.now + poll(route.request_look_every, looks, step.rules.dice)
        change(step, step=Effect.LOOK_REQUESTS, attempts=looks, due=due, trouble=None)


def unneeded(step: Holder) -> tuple[OpenRequest, ...]:
    """Requests that no open delivery will fetch."""
    delivery = step.state.delivery
    needed: set[Sha256Hex] = set()
    if delivery is not None and delivery.phase in {
        Phase.PLANNING,
        Phase.RECOVERING,
        Phase.HANDING_OVER,
        Phase.AWAITING_APPROVAL,
    }:
        needed = {entry.fingerprint for entry in delivery.entries}
        if delivery.phase is Phase.PLANNING:
            return ()
    return tuple(r for r in step.state.requests if r.fingerprint not in needed)


def start_clean_up(step: Holder) -> None:
    """Record which requests will be ended at the CA, before that is done."""
    requests, route = unneeded(step), route_of(step)
    limit = route.act_limit if route else 30_000
    attempt = acts.record(step, Effect.CLEAN_UP, limit, requests=requests)
    step.note(
        "recovery.clean_up_started",
        route=step.state.route,
        generations=tuple(request.fingerprint for request in requests),
        attempt=attempt,
    )


def cleaned_up(
    step: Holder, running: Running, ended: tuple[OpenRequest, ...], fault: Fault | None
) -> None:
    """The CA ended these requests; it will be asked again later to end the others.

    A request that the CA refuses to end is given up after a number of tries: it expires by itself,
    and nothing here needs it.
    """
    step.note("recovery.cleaned_up", outcome=outcome_of(fault), route=step.state.route)
    route = route_of(step)
    gone = {request.id for request in ended}
    step.set(requests=tuple(r for r in step.state.requests if r.id not in gone))
    if fault is None:
        step.set(requests_due=None, requests_attempts=0)
        return
    attempts = step.state.requests_attempts + 1
    if attempts >= CLEAN_UP_TRIES and _is_refusal(fault):
        _give_up(step, running, fault)
        return
    every = route.request_look_every if route else step.rules.device_retry
    step.set(
        requests_due=step.now + poll(every, attempts * 4, step.rules.dice),
        requests_attempts=attempts,
    )


def _is_refusal(fault: Fault) -> bool:
    return fault.family is not Family.TRANSIENT and fault.scope is Scope.SUBJECT


def _give_up(step: Holder, running: Running, fault: Fault) -> None:
    refused = {request.id for request in running.requests}
    left = [request for request in step.state.requests if request.id in refused]
    kept = tuple(request for request in step.state.requests if request.id not in refused)
    step.set(requests=kept, requests_due=None, requests_attempts=0)
    step.note(
        "recovery.clean_up_given_up",
        outcome=fault.code,
        route=step.state.route,
        generations=tuple(request.fingerprint for request in left),
        requests=[request.id for request in left],
    )
