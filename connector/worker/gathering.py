"""Collect the input of one round."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connector.core.errors import Transient
from connector.core.events import Event
from connector.core.journal import Commands, DeadLetter, Journal, PartitionRecord, Positioned
from connector.core.model import Millis, SubjectKey, is_partition
from connector.core.rows import FIRST_PLACE, Due, OpenAct
from connector.core.states import Brakes
from connector.worker import brakes, correction
from connector.worker.admission import Admission
from connector.worker.running_effects import Outcome, RunningEffects
from connector.worker.upstream_limits import Lane

Letter = Positioned | DeadLetter

EVENTS_PER_ROUND = 256
FOUND_PER_ROUND = 64


@dataclass(frozen=True, slots=True)
class Gathered:
    """Commands to the partition, events, what is due, acts found open, outcomes of effects.

    ``uncorrected``: subjects whose times are to be corrected; None where none are.
    """

    commands: Sequence[Positioned]
    letters: Sequence[Letter]
    due: Sequence[tuple[Lane, Due]]
    found: Sequence[OpenAct]
    outcomes: Sequence[Outcome]
    uncorrected: Sequence[SubjectKey] | None = None

    @property
    def news(self) -> bool:
        """Whether the round has input other than due effects, so that more may be waiting."""
        effects = self.found or self.outcomes
        return bool(self.commands or self.letters or effects or self.uncorrected is not None)

    @property
    def anything(self) -> bool:
        """Whether the round has any input."""
        return self.news or bool(self.due)

    def to_the_partition(self) -> Iterator[Event]:
        """The commands to the partition itself that have not been applied yet."""
        return (one.event for one in self.commands)

    def keys(self) -> Iterator[SubjectKey]:
        """The subjects that the round handles, possibly more than once."""
        yield from self.uncorrected or ()
        yield from (act.key for act in self.found)
        for letter in self.letters:
            if isinstance(letter, Positioned) and not is_partition(letter.event.subject):
                yield letter.event.subject
        yield from (key for key, _ in self.outcomes)
        yield from (row.key for _, row in self.due)


class Gathering:
    """Reads from the journal what a partition has to do.

    ``stopping``: no new effects are started. ``draining``: running acts are awaited; events
    other than commands are left to the next owner.
    """

    def __init__(
        self, journal: Journal, partition: int, admission: Admission, running: RunningEffects
    ) -> None:
        self._journal = journal
        self._partition = partition
        self._admission = admission
        self._running = running
        self._all_found = False
        self._found_to = FIRST_PLACE
        self.stopping = False
        self.draining = False

    async def gather(self, record: PartitionRecord, now: Millis) -> Gathered:
        """Collect all present input; commands to the partition are read before anything else."""
        commands = await self._commands(record)
        self._admission.acts_wait = not commands.whole
        letters = [] if self.draining else await self._letters(record)
        found = await self._open_acts(record)
        busy = {letter.event.subject for letter in letters if isinstance(letter, Positioned)}
        busy |= {*(act.key for act in found), *self._running.finished}
        due = [] if self.stopping else await self._admission.due(now, record.brakes, busy)
        stale = None if self.stopping else await correction.page(self._journal, record)
        return Gathered(commands.found, letters, due, found, self._running.take(), stale)

    def written(self, gathered: Gathered) -> None:
        """Note that the round with this input was committed."""
        self._all_found = len(gathered.found) < FOUND_PER_ROUND
        if gathered.found:
            self._found_to = gathered.found[-1].place

    async def newest_brakes(self, record: PartitionRecord, now: Millis) -> Brakes:
        """The brakes as of now; everything counts as paused while they cannot be read."""
        try:
            commands = await self._commands(record, newest=True)
        except Transient as error:
            only_for_now(error)
            return Brakes(all_paused=True)
        if not commands.whole:
            return Brakes(all_paused=True)
        return brakes.after(record.brakes, (one.event for one in commands.found), now)

    async def _commands(self, record: PartitionRecord, *, newest: bool = False) -> Commands:
        return await self._journal.commands(self._partition, record.commanded, newest=newest)

    async def _letters(self, record: PartitionRecord) -> list[Letter]:
        return await self._journal.read(self._partition, record.position, EVENTS_PER_ROUND)

    async def _open_acts(self, record: PartitionRecord) -> list[OpenAct]:
        """A page of the acts that an earlier owner left open, until all have been read.

        Paging goes on behind the last act read, because one whose state cannot be read stays open
        and must not hide those behind it.

        The pages are read beside other work, so that a hundred thousand open acts do not delay the
        first effect. Nothing starts for their holders meanwhile: their states say that an act runs.
        """
        if self._all_found:
            return []
        return await self._journal.open_acts(
            self._partition, record.epoch, FOUND_PER_ROUND, self._found_to
        )


def only_for_now(error: Transient) -> None:
    """Raise the error again, unless it says that the journal cannot be used now (``JRN-001``)."""
    if error.code != "JRN-001":
        raise error
