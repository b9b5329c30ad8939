"""The result of one ``advance``: the new state, and what else its commit will contain."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import JsonValue

from connector.core.audit import AuditEntry
from connector.core.errors import Fault
from connector.core.events import Event, EventBody, event_id
from connector.core.model import SECOND, Millis, SubjectKey, parse_subject
from connector.core.policy import Rules
from connector.core.states import DeviceState, Effect, HolderState, PersonState, Want

S = TypeVar("S", HolderState, DeviceState, PersonState)

HELD_LOOK: Millis = 60 * SECOND
"""How often a deadline that is held back is looked at again."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A business moment for the metrics: a name and bounded labels, perhaps a duration in ms."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    value: float = 1


@dataclass(slots=True)
class Step(Generic[S]):
    """One step of a subject. Handlers replace ``state`` and add to the lists; nothing else."""

    state: S
    now: Millis
    rules: Rules
    cause: str | None = None
    audit: list[AuditEntry] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    gone: bool = False
    """Nothing of the subject needs to be remembered any more."""

    def set(self, **changes: object) -> None:
        """Replace attributes of the state."""
        self.state = self.state.model_copy(update=changes)

    def keep_if_equal(self, before: S) -> None:
        """Keep the state from before the step if the new one does not differ: nothing to write."""
        if self.state == before:
            self.state = before

    def deadline(self, due: Millis) -> Want:
        """A want that only waits; while deadlines are suspended, it is checked again later."""
        held = self.now + HELD_LOOK if self.rules.deadlines_held else 0
        return wait_until(max(due, held))

    def note(  # noqa: PLR0913 - an audit entry has that many parts, all named
        self,
        action: str,
        *,
        outcome: str = "ok",
        actor: str = "connector",
        reason: str = "",
        generations: tuple[str, ...] = (),
        delivery: str | None = None,
        route: str | None = None,
        **details: JsonValue,
    ) -> None:
        """Add an audit entry about this subject."""
        self.audit.append(
            AuditEntry(
                at=self.now,
                subject=self.state.key,
                action=action,
                actor=actor,
                reason=reason,
                outcome=outcome,
                generations=generations,
                delivery=delivery,
                route=route,
                details=details,
            )
        )

    def tell(self, subject: SubjectKey, body: EventBody) -> None:
        """Send an event to another subject; its id is derived from its cause."""
        cause = self.cause or f"{self.state.key}@{self.state.version}"
        self.events.append(
            Event(
                id=event_id(cause, self.state.key, subject, body.model_dump_json()),
                tenant=parse_subject(subject).tenant,
                subject=subject,
                source="core",
                received_at=self.now,
                cause=cause[:128],
                body=body,
            )
        )

    def moment(self, name: str, value: float = 1, **labels: str) -> None:
        """Add a business moment."""
        self.moments.append(Moment(name, labels, value))


def wait_until(due: Millis) -> Want:
    """A want that only waits."""
    return Want(effect=Effect.WAIT, due=due, lane=Effect.WAIT.value)


def outcome_of(answer: object) -> str:
    """The error code of a fault; ``ok`` for any other answer, also for none."""
    return answer.code if isinstance(answer, Fault) else "ok"
