"""The person as the CA knows him: whom to tell when his certificates change."""

from connector.core.events import CertificatesChanged, Event, HolderForgotten, HolderRegistered
from connector.core.facts import Fact
from connector.core.policy import Rules
from connector.core.states import PersonState
from connector.core.step import Step


def advance(state: PersonState, fact: Fact, now: int, rules: Rules) -> Step[PersonState]:
    """What an event makes of a person. A change at the CA goes on to every holder registered."""
    step = Step(state, now, rules, cause=fact.id if isinstance(fact, Event) else None)
    if not isinstance(fact, Event):
        step.moment("stale_fact", subject="person")
        return step
    match fact.body:
        case CertificatesChanged() as change:
            step.set(changed_at=now)
            for holder in state.holders:
                step.tell(holder, change)
            step.note("person.certificates_changed", what=change.what, holders=len(state.holders))
        case HolderRegistered(holder=holder) if holder not in state.holders:
            step.set(holders=tuple(sorted({*state.holders, holder})))
            step.note("person.holder_registered", holder=holder)
        case HolderForgotten(holder=holder) if holder in state.holders:
            step.set(holders=tuple(other for other in state.holders if other != holder))
            step.note("person.holder_forgotten", holder=holder)
        case _:
            step.moment("stale_fact", subject="person")
    return step
