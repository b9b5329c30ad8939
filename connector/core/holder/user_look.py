"""A look at the user outside the delivery: the same person, and do the devices have the set?

It is done when a device joins while the copy exists, because the UEM then sends the set to that
device by itself, and when a notification concerns a device that has a set: a lost certificate only
shows as a profile that is not installed any more, and the UEM does not repair that by itself. A new
version of the profile that a device has not installed yet looks the same; a device that is offline
has not lost anything.
"""

from connector.core.errors import ConnectorError, Family, Fault, Scope, Transient
from connector.core.evidence import NOT_INSTALLED
from connector.core.holder.devices import join_open, synchronise
from connector.core.holder.lifecycle import (
    Holder,
    change,
    deadline_of,
    fail,
    open_delivery,
    route_of,
)
from connector.core.holder.look_up import same_identity
from connector.core.holder.possession import generations_of, set_on
from connector.core.identity import observed_pair
from connector.core.model import (
    DAY,
    HolderFacts,
    Millis,
    SubjectKey,
    SubjectKind,
    parse_subject,
    subject_key,
)
from connector.core.policy import RoutePolicy
from connector.core.retry import backoff
from connector.core.states import Check, DevicePhase, Trigger

LOST_AGAIN = "INS-008"


def looked(step: Holder, facts: HolderFacts | Fault | None) -> None:
    """The outcome of the look: compare the user and the devices, or look again later."""
    look, route = step.state.look, route_of(step)
    if look is None:
        return
    step.set(look=None)
    if isinstance(facts, Fault):
        _later(step, look, facts)
    elif facts is not None and facts.active and route is not None:
        step.set(looked_at=step.now)
        try:
            synchronise(step, {device.id: device for device in facts.devices})
        except Transient as error:  # known devices are not shown; what is shown counts all the same
            _later(step, look, error.fault())
        _compare(step, facts, route)
        _find_lost(step, facts, route)


def _later(step: Holder, look: Check, fault: Fault) -> None:
    if fault.family is not Family.TRANSIENT and fault.scope is Scope.SUBJECT:
        return
    route = route_of(step)
    retry = route.retry if route else step.rules.device_retry
    attempts = look.attempts + (0 if fault.scope is Scope.UPSTREAM else 1)
    due = step.now + backoff(retry, attempts, step.rules.dice, fault)
    step.set(look=Check(due=due, attempts=attempts))


def _compare(step: Holder, facts: HolderFacts, route: RoutePolicy) -> None:
    """End the open delivery if the identity changed; it would not have been started either."""
    try:
        same_identity(step, observed_pair(facts, route))
    except ConnectorError as error:
        fail(step, error.code, error.detail)


def _find_lost(step: Holder, facts: HolderFacts, route: RoutePolicy) -> None:
    tenant = parse_subject(step.state.key).tenant
    again = route.look_every.cap
    for seen in facts.devices:
        key = subject_key(tenant, SubjectKind.DEVICE, seen.id)
        known = step.state.devices.get(key)
        if known is None or set_on(step.state, key) is None or _is_awaited(step, key):
            continue
        missing = seen.profile in NOT_INSTALLED
        since = (known.missing_since or step.now) if missing else None
        before = seen.last_seen if known.missing_since is None else known.missing_seen
        update = {
            "profile": seen.profile,
            "missing_since": since,
            "missing_seen": before if missing else None,
        }
        step.set(devices={**step.state.devices, key: known.model_copy(update=update)})
        if since is None:
            continue
        if step.now - since >= again and _is_seen_since(seen.last_seen, before):
            _lost(step, key)
        else:
            wait = _until_seen(step, step.now - since, again)
            step.set(look=Check(due=step.now + wait))


def _is_seen_since(seen: Millis | None, before: Millis | None) -> bool:
    """Whether the UEM saw the device after the look that first missed its profile (UEM clock).

    If the UEM does not say when it saw a device, or an earlier version did not store it, the
    time that has passed decides.
    """
    return seen is None or before is None or seen > before


def _until_seen(step: Holder, missing: Millis, again: Millis) -> Millis:
    """How long to wait for a device that is not seen, by how long its profile is missing.

    Twice as long each time, up to a day; where the deadline of a delivery has passed, twice as long
    again without an end. A notification about the device leads to a look at any time.
    """
    return min(max(again, missing), max(DAY, missing - deadline_of(step)))


def _is_awaited(step: Holder, device: SubjectKey) -> bool:
    """Whether the open delivery waits for the device anyway."""
    delivery = step.state.delivery
    entry = delivery.devices.get(device) if delivery is not None and delivery.open else None
    return entry is not None and entry.phase is DevicePhase.WAITING


def _lost(step: Holder, device: SubjectKey) -> None:
    """The device lost its set: deliver it again, as to a device that has just joined."""
    has = set_on(step.state, device)
    if has is None:
        return
    known = step.state.devices[device].model_copy(
        update={
            "has": has.model_copy(update={"lost_at": step.now}),
            "missing_since": None,
            "missing_seen": None,
        }
    )
    inside = tuple(sorted(generations_of(step.state, has.digest)))
    step.set(
        devices={**step.state.devices, device: known},
        sets={has.digest: inside, **step.state.sets},
    )
    step.note("device.set_lost", outcome=LOST_AGAIN, device=device, digest=has.digest)
    delivery = step.state.delivery
    if delivery is None or not delivery.open:
        open_delivery(step, Trigger.REDELIVERY)
    else:
        join_open(step, device, known.joined_at)
    _name(step, device, step.now)


def _name(step: Holder, device: SubjectKey, now: Millis) -> None:
    """Record why the device waits again."""
    delivery = step.state.delivery
    if delivery is None or device not in delivery.devices:
        return
    entry = delivery.devices[device].model_copy(update={"code": LOST_AGAIN, "code_since": now})
    change(step, devices={**delivery.devices, device: entry})
