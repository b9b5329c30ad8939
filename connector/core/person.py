"""The person at the CA: the holders that get an event when their certificates change."""

from connector.core.events import CertificatesChanged, Event, HolderForgotten, HolderRegistered
from connector.core.facts import Elapsed, Fact, TimeSteppedBack
from connector.core.no_later import no_later
from connector.core.policy import Rules
from connector.core.states import PersonState
from connector.core.step import Step


def advance(state: PersonState, fact: Fact, now: int, rules: Rules) -> Step[PersonState]:
    """Advance a person by one fact. A change at the CA is sent to every registered holder.

    A person without registered holders is removed after a time: a CA announces the certificates of
    all its persons, and most of them may have no device. A later event makes a new record.
    """
    step = Step(state, now, rules, cause=fact.id if isinstance(fact, Event) else None)
    match fact:
        case Event():
            _on_event(step, fact)
        case Elapsed() if state.unused_since is not None:
            _let_go(step, state.unused_since)
        case TimeSteppedBack():
            step.state = no_later(state, now, "changed_at", "unused_since")
            _schedule(step, step.state.unused_since)
            step.keep_if_equal(state)
        case _:
            step.moment("stale_fact", subject="person")
    return step


def _on_event(step: Step[PersonState], event: Event) -> None:
    before = step.state
    holders = set(before.holders)
    match event.body:
        case CertificatesChanged() as change:
            step.set(changed_at=step.now)
            for holder in before.holders:
                step.tell(holder, change)
            step.note("person.certificates_changed", what=change.what, holders=len(holders))
        case HolderRegistered(holder=holder) if holder not in holders:
            step.set(holders=tuple(sorted({*holders, holder})))
            step.note("person.holder_registered", holder=holder)
        case HolderForgotten(holder=holder) if holder in holders:
            step.set(holders=tuple(sorted(holders - {holder})))
            step.note("person.holder_forgotten", holder=holder)
        case _:
            step.moment("stale_fact", subject="person")
    if step.state is not before:
        _schedule(step, None if step.state.holders else step.now)


def _schedule(step: Step[PersonState], unused_since: int | None) -> None:
    kept = step.rules.ended_kept
    wants = () if unused_since is None else (step.deadline(unused_since + kept),)
    step.set(unused_since=unused_since, wants=wants)


def _let_go(step: Step[PersonState], unused_since: int) -> None:
    if step.now >= unused_since + step.rules.ended_kept and not step.rules.deadlines_held:
        step.gone = True
    else:
        _schedule(step, unused_since)
