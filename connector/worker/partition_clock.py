"""The clocks of one partition: its journal time, what upstreams say of it, and the boot's clock."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from connector.core.audit import AuditEntry
from connector.core.boot_time import BootTime
from connector.core.events import ClockAccepted, Event
from connector.core.facts import CopyLookedAt, Fact, HandedOver, InstallLookedAt
from connector.core.handover import Accepted
from connector.core.journal import PartitionRecord
from connector.core.metric_definitions import CLOCK_JUMPS
from connector.core.metrics import Metrics
from connector.core.model import SECOND, Millis, SubjectKey, SubjectKind, subject_key
from connector.core.no_later import no_later
from connector.core.ports import Clock, Evidence, GoneLook
from connector.worker import brakes, correction
from connector.worker.journal_time import JournalTime
from connector.worker.options import WorkerOptions
from connector.worker.round import RoundDraft
from connector.worker.running_effects import Outcome
from connector.worker.server_dates import ServerDates

DOUBT = "CLK-002"


class Doubt(NamedTuple):
    """What the two clocks say while it is not known which of them is right."""

    journal: Millis
    wall: Millis


class PartitionClock:
    """Tells what time it is for a partition, and whether that is known.

    Until the partition is owned, the time is that of the wall clock.

    Args:
        clock: wall and monotonic clock of the machine.
        options: how far clocks may be apart, and the name of the machine's boot.
        dates: what the upstreams say.
    """

    def __init__(self, clock: Clock, options: WorkerOptions, dates: ServerDates) -> None:
        self._clock = clock
        self._options = options
        self._dates = dates
        self._time: JournalTime | None = None
        self._back: Millis = 0

    def start(self, record: PartitionRecord) -> None:
        """The partition was taken over as it stands in its record."""
        jump = self._options.clock_jump
        self._time = JournalTime(self._clock, jump, record.time, record.confirmed)
        self._back = 0

    def now(self) -> Millis:
        """Journal time in milliseconds."""
        return self._clock.now() if self._time is None else self._time.now()

    @property
    def unsure(self) -> bool:
        """Whether it is not known what time it is, so that nothing may begin by it."""
        return self._time is not None and self._time.unsure

    @property
    def in_doubt(self) -> bool:
        """Whether nothing may expire."""
        return self._time is not None and self._time.in_doubt

    def doubt(self) -> Doubt | None:
        """What the clocks say while it is not known what time it is."""
        return Doubt(self.now(), self._clock.now()) if self.unsure else None

    def should_ask(self) -> bool:
        """Whether the upstreams should be asked for their time now."""
        return self.unsure and self._dates.ask()

    def boot_time(self, epoch: int) -> BootTime:
        """Where the machine's boot has no name, nothing of an earlier owner is counted on."""
        boot = self._options.boot or f"owner {epoch}"
        return BootTime(boot, int(self._clock.monotonic() * SECOND))

    def round_begins(self, outcomes: Iterable[Outcome], commands: Iterable[Event]) -> None:
        """Before a round decides anything: what outcomes and people say of the time."""
        for _, fact in outcomes:
            self._dates.note(_server_time(fact))
        if self._time is None:
            return
        self._back += self._time.heard(self._dates.now())
        for event in commands:
            if isinstance(event.body, ClockAccepted) and self.accepts(event):
                self._back += self._time.accept()

    def accepts(self, event: Event) -> bool:
        """Whether a person who accepted a wall clock has seen what this one says now."""
        return abs(event.received_at - self._clock.now()) <= self._options.clock_jump

    def note(
        self, draft: RoundDraft, metrics: Metrics, uncorrected: Sequence[SubjectKey] | None = None
    ) -> None:
        """Write down what became of the time: jumps once, steps back with what depends on it.

        ``uncorrected``: the next subjects to be corrected after an earlier step back, if there are.
        """
        if self._time is None:
            return
        if uncorrected is not None:
            correction.correct(draft, uncorrected)
        for direction in self._time.jumps():
            metrics.count(CLOCK_JUMPS, direction=direction)
            draft.audit.append(_entry(draft, "clock.jumped", "CLK-001", direction))
        draft.record = draft.record.model_copy(update={"confirmed": self._time.confirmed})
        if self._back:
            metrics.count(CLOCK_JUMPS, direction="backward")
            draft.audit.append(_entry(draft, "clock.stepped_back", DOUBT, "", back=self._back))
            draft.record = correction.begin(_settled(draft.record, draft.now))

    def written(self) -> None:
        """What was noted is durable."""
        self._back = 0


def _entry(
    draft: RoundDraft, action: str, outcome: str, reason: str, **details: Millis
) -> AuditEntry:
    subject = subject_key("-", SubjectKind.PARTITION, str(draft.record.partition))
    return AuditEntry(
        at=draft.now,
        subject=subject,
        action=action,
        outcome=outcome,
        reason=reason,
        details=dict(details),
    )


def _settled(record: PartitionRecord, now: Millis) -> PartitionRecord:
    """The record after time stepped back: what was noted at a later time counts from now on."""
    settled = {
        "brakes": brakes.settled_by(record.brakes, now),
        "pulled": {name: no_later(one, now, "at") for name, one in record.pulled.items()},
    }
    return no_later(record.model_copy(update=settled), now, "restored")


def _server_time(fact: Fact) -> Millis | None:
    match fact:
        case (
            InstallLookedAt(answer=Evidence(server_time=time))
            | CopyLookedAt(answer=GoneLook(server_time=time))
            | HandedOver(outcome=Accepted(server_time=time))
        ):
            return time
        case _:
            return None
