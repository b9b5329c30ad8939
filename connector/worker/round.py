"""One round of the loop: which subjects it changed, and what its commit will contain."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from connector.core.audit import AuditEntry, key_name, link
from connector.core.errors import ConnectorError
from connector.core.events import Event
from connector.core.facts import Fact
from connector.core.journal import Commit, DeadLetter, PartitionRecord, StateRow
from connector.core.machines import advance, fresh
from connector.core.model import Millis, SubjectKey
from connector.core.policy import Rules
from connector.core.secret import Credential
from connector.core.states import HolderState, Phase, State
from connector.core.step import Moment
from connector.worker import looks

PROGRAM_ERROR = "SRV-003"


class Failure(NamedTuple):
    """A fact that made the program fail, its subject, and the exception."""

    key: SubjectKey
    fact: Fact
    error: Exception

    @property
    def code(self) -> str:
        """The error's code, or the code of a program error."""
        return self.error.code if isinstance(self.error, ConnectorError) else PROGRAM_ERROR


@dataclass(slots=True)
class RoundDraft:
    """Applies facts to states in memory; :meth:`commit` makes a commit of the result.

    ``barred`` are subjects that this round must leave out (their state cannot be read, or a record
    of theirs was too large), with the reason: every fact about one fails. ``origins`` has for each
    of the ``events`` the subject that sent it.
    """

    record: PartitionRecord
    now: Millis
    rules: Rules
    loaded: Mapping[SubjectKey, State]
    barred: Mapping[SubjectKey, Exception] = field(default_factory=dict)
    states: dict[SubjectKey, State] = field(default_factory=dict)
    audit: list[AuditEntry] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    origins: list[SubjectKey] = field(default_factory=list)
    moments: list[tuple[SubjectKey, Moment]] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    gone: set[SubjectKey] = field(default_factory=set)

    def state(self, key: SubjectKey) -> State:
        """A subject's state as changed by this round so far."""
        known = self.states.get(key) or self.loaded.get(key)
        return known or fresh(key, self.record.commits)

    def touched(self, key: SubjectKey) -> bool:
        """Whether this round has changed the subject."""
        return key in self.states

    def apply(self, key: SubjectKey, fact: Fact) -> State:
        """Advance one subject by one fact, and return its new state.

        The version goes up once per round, so that a look that is started after this round's
        commit belongs to the state that it will find. When the program fails, the state stays
        as it was and the fact is added to ``failures``.
        """
        before = self.state(key)
        if key in self.barred:
            self.failures.append(Failure(key, fact, self.barred[key]))
            return before
        try:
            step = advance(before, fact, self.now, self.rules)
        except Exception as error:  # noqa: BLE001 - one subject's bug must not stop the partition
            self.failures.append(Failure(key, fact, error))
            return before
        alone = not (step.events or step.gone) and _phase(step.state) is _phase(before)
        folded, audit = looks.fold(before, step.state, step.audit, self.now, alone=alone)
        self.audit += audit
        self.events += step.events
        self.origins += [key] * len(step.events)
        self.moments += [(key, moment) for moment in step.moments]
        after: State = folded
        if after is before and not step.gone:
            return before
        if key not in self.states:
            after = after.model_copy(update={"version": before.version + 1})
        if step.gone:
            self.gone.add(key)
            after = fresh(key).model_copy(update={"version": after.version})
        else:
            self.gone.discard(key)
        self.states[key] = after
        return after

    def changed(self, before: PartitionRecord) -> bool:
        """Whether there is anything to commit."""
        return bool(self.states or self.audit or self.events or self.dead_letters) or (
            _own(self.record) != _own(before)
        )

    def commit(self, key: Credential) -> Commit:
        """The round as one commit, its audit entries linked to the partition's chain."""
        chained = tuple(
            link(
                key,
                partition=self.record.partition,
                epoch=self.record.epoch,
                head=self.record.audit_head,
                count=self.record.audit_count,
                entries=self.audit,
            )
        )
        record = self.record.model_copy(
            update={
                "commits": self.record.commits + 1,
                "audit_head": chained[-1].mac if chained else self.record.audit_head,
                "audit_key": key_name(key) if chained else self.record.audit_key,
                "audit_count": self.record.audit_count + len(chained),
                "time": self.now,
            }
        )
        return Commit(
            record=record,
            states=tuple(self._rows()),
            audit=chained,
            events=tuple(self.events),
            dead_letters=tuple(self.dead_letters),
            settled=tuple(self.settled),
        )

    def _rows(self) -> list[StateRow]:
        return [
            StateRow(key=key, state=None if key in self.gone else state)
            for key, state in self.states.items()
        ]


def _own(record: PartitionRecord) -> tuple[object, ...]:
    """What of a partition's record changes beside the subjects."""
    return record.position, record.commands, record.brakes, record.held_up, record.correction


def _phase(state: State) -> Phase | None:
    delivery = state.delivery if isinstance(state, HolderState) else None
    return None if delivery is None else delivery.phase
