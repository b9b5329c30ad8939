"""After a restored backup: look at everything again, and conclude nothing from old records."""

from connector.core.events import JournalRestored
from connector.core.holder.lifecycle import Holder, change, route_of
from connector.core.model import Millis, parse_subject
from connector.core.states import Check, Copy, CopyState, Effect, Phase


def restored(step: Holder, body: JournalRestored) -> None:
    """Assume that since the backup sets were uploaded, requests ended and devices changed."""
    before = step.state.copy_
    held = before.state in {CopyState.PERHAPS, CopyState.PRESENT}
    step.set(
        copy_=Copy(
            state=CopyState.PERHAPS,
            digests=before.digests,
            possible_since=(before.there_since if held else None) or step.now,
            not_after=step.now,
            due=step.now,
            retention=_retention(step),
            retention_from=before.retention_from,
            overdue=before.overdue and held,
        ),
        look=Check(due=step.now),
    )
    if step.state.person_key is not None and step.state.devices:
        step.set(check=Check(due=step.now))
    _delivery(step)
    step.note(
        f"person.{body.kind}",
        actor=body.by,
        reason=body.reason,
        route=step.state.route,
        requests=len(step.state.requests),
        copy=before.state.value,
    )


def _retention(step: Holder) -> Millis:
    """The copy's retention, or the longest that an upload since the backup may have had."""
    route, tenant = route_of(step), parse_subject(step.state.key).tenant
    routes = [one for one in step.rules.routes.values() if one.uem == tenant]
    known = [one.retention for one in ([route] if route else routes)]
    return max(known, default=0) or step.state.copy_.retention


def _delivery(step: Holder) -> None:
    """Continue an open delivery with a look: at its requests, or at the user."""
    delivery = step.state.delivery
    if delivery is None or not delivery.open:
        return
    if delivery.phase is Phase.RECOVERING and step.state.requests:
        change(step, step=Effect.LOOK_REQUESTS, due=step.now)
    elif delivery.phase is Phase.HANDING_OVER:
        change(step, step=Effect.LOOK_UP, due=step.now)
