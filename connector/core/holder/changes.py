"""Detect changed certificates. A changed set supersedes the open delivery in every state."""

from connector.core.errors import ConnectorError, Family, Fault, Scope
from connector.core.facts import Listing
from connector.core.holder.lifecycle import Holder, change, end, open_delivery, route_of
from connector.core.holder.planning import choose
from connector.core.model import Sha256Hex
from connector.core.retry import backoff
from connector.core.selection import Selection
from connector.core.states import (
    Check,
    Delivery,
    DeviceInDelivery,
    DevicePhase,
    Effect,
    Phase,
    Trigger,
)
from connector.core.step import outcome_of


def hinted(step: Holder) -> None:
    """The CA announced a change: look, unless planning is going to list anyway."""
    delivery = step.state.delivery
    if delivery is not None and delivery.phase is Phase.PLANNING:
        if delivery.step is Effect.LIST:
            change(step, due=step.now)
        return
    if step.state.person_key is not None and step.state.devices:
        step.set(check=Check(due=step.now))


def checked(step: Holder, listing: Listing | Fault) -> None:
    """The look at the CA for a change ended."""
    if isinstance(listing, Fault):
        _check_later(step, listing)
        return
    step.set(check=None)
    selection, problem = _try_choose(step, listing)
    step.note(
        "escrow.checked",
        outcome=outcome_of(problem),
        route=step.state.route,
        generations=tuple(g.fingerprint for g in listing.generations),
    )
    digest = selection.digest if selection else None
    if digest == _reference(step) and not _failed_before_choosing(step, problem):
        return
    _changed(step, digest)


def _check_later(step: Holder, fault: Fault) -> None:
    check = step.state.check
    route = route_of(step)
    step.note("escrow.checked", outcome=fault.code, route=step.state.route)
    if check is None:
        return
    if fault.family is not Family.TRANSIENT and fault.scope is Scope.SUBJECT:
        step.set(check=None)
        return
    attempts = check.attempts + (0 if fault.scope is Scope.UPSTREAM else 1)
    retry = route.retry if route else step.rules.device_retry
    due = step.now + backoff(retry, attempts, step.rules.dice, fault)
    step.set(check=Check(due=due, attempts=attempts))


def _try_choose(step: Holder, listing: Listing) -> tuple[Selection | None, Fault | None]:
    try:
        return choose(step, listing), None
    except ConnectorError as error:
        return None, error.fault()


def _reference(step: Holder) -> Sha256Hex | None:
    """The digest to compare the new set with; a delivery cancelled before planning has none."""
    delivery = step.state.delivery
    if delivery is None or (delivery.phase is Phase.CANCELLED and delivery.digest is None):
        return step.state.last_digest
    return delivery.digest


def _failed_before_choosing(step: Holder, problem: Fault | None) -> bool:
    """Whether no set can be chosen for another reason than before, which counts as a change."""
    delivery = step.state.delivery
    if problem is None or delivery is None:
        return False
    return delivery.trouble is None or delivery.trouble.code != problem.code


def _changed(step: Holder, digest: Sha256Hex | None) -> None:
    delivery = step.state.delivery
    step.note("certificates.changed", route=step.state.route, digest=digest)
    if delivery is not None and delivery.open:
        supersede(step, delivery)
    elif step.state.devices:
        open_delivery(step, Trigger.RENEWAL)


def supersede(
    step: Holder,
    delivery: Delivery,
    *,
    trigger: Trigger = Trigger.RENEWAL,
    by: str = "connector",
) -> None:
    """End the open delivery and go on with a new one.

    Devices not yet installed move to it; those installed are looked at again there.
    """
    renewed = {
        key: DeviceInDelivery(since=step.now, joined_at=device.joined_at)
        for key, device in delivery.devices.items()
        if device.phase is not DevicePhase.LEFT
    }
    end(step, Phase.CANCELLED, why="superseded")
    open_delivery(step, trigger, by=by, devices=renewed)
