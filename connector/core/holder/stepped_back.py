"""After journal time stepped back: times in the state that a wrong clock wrote.

What has happened, happened before now; what is waited for is waited for no longer than if it had
begun now. No time gets earlier than it truly was by that, so nothing ends early, and nothing is
left standing in a future that the wrong clock was in. The order of times is kept.

Times of the UEM and of the CA stay, and so do the waits on the clock of the machine's boot, which
keep two acts apart.
"""

from connector.core.holder.lifecycle import Holder, deadline_of, route_of
from connector.core.holder.purge import latest_look
from connector.core.holder.waits import left_of
from connector.core.model import Millis
from connector.core.no_later import no_later
from connector.core.states import Copy, Delivery, KnownDevice, Running


def correct(step: Holder) -> None:
    """Correct every time of ours in the state; what it waits for is computed from them later."""
    state, now = step.state, step.now
    step.set(
        identity=state.identity and no_later(state.identity, now, "pinned_at"),
        devices={key: _known(known, now) for key, known in state.devices.items()},
        delivery=state.delivery and _delivery(step, state.delivery),
        history=tuple(_delivery(step, one) for one in state.history),
        copy_=_copy(step, state.copy_),
        running=state.running and _running(step, state.running),
        check=state.check and no_later(state.check, now, "due"),
        look=state.look and no_later(state.look, now, "due"),
        delivered=tuple(no_later(one, now, "at") for one in state.delivered),
        dropped=tuple(no_later(one, now, "at") for one in state.dropped),
        automatic=tuple(min(at, now) for at in state.automatic),
        looks=state.looks and no_later(state.looks, now, "since"),
    )
    step.state = no_later(step.state, now, "requests_due", "looked_at")


def _known(known: KnownDevice, now: Millis) -> KnownDevice:
    corrected = no_later(known, now, "joined_at", "announced_at", "missing_since")
    if corrected.has is None:
        return corrected
    return corrected.model_copy(update={"has": no_later(corrected.has, now, "at", "lost_at")})


def _delivery(step: Holder, delivery: Delivery) -> Delivery:
    """A look at the user counts as old: it is not known how long ago it was."""
    now, route = step.now, route_of(step)
    old = now - 1 - (route.look_fresh if route else 0)
    marks = ("since", "joined_at", "pushed_at", "not_installed_seen_at", "looked_at", "code_since")
    devices = {
        key: no_later(device, now, *marks, "push_due") for key, device in delivery.devices.items()
    }
    delivery = no_later(delivery, now, "opened_at", "phase_since", "uploaded_at", "ended_at", "due")
    delivery = no_later(delivery, now + deadline_of(step), "deadline")
    delivery = no_later(delivery, old, "looked_up_at")
    return delivery.model_copy(update={"devices": devices})


def _copy(step: Holder, copy: Copy) -> Copy:
    copy = no_later(copy, step.now, "possible_since", "since", "not_after", "gone_at")
    return no_later(copy, latest_look(step, copy), "due")


def _running(step: Holder, running: Running) -> Running:
    running = no_later(running, step.now, "started_at")
    running = no_later(running, step.now + left_of(step, running), "not_before")
    before = running.before and _copy(step, running.before)
    return running.model_copy(update={"before": before})
