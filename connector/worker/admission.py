"""Which of the effects that are due may start in this round: permits, and the ceiling."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import islice
from math import inf

from connector.core.errors import Permanent
from connector.core.facts import Denied, Elapsed, Permitted
from connector.core.journal import Journal
from connector.core.model import SECOND, Millis, SubjectKey
from connector.core.rows import Due
from connector.core.states import ACTS, Brakes, Effect, HolderState, State
from connector.worker import brakes
from connector.worker.circuit_breaker import CircuitBreaker
from connector.worker.quarantine import Quarantine
from connector.worker.round import RoundDraft
from connector.worker.running_effects import RunningEffects
from connector.worker.upstream_limits import Lane, UpstreamLimits, parse_lane

BY_TIME = ACTS | {Effect.LIST}
"""Effects in which certificates are judged by the time."""


@dataclass(frozen=True, slots=True)
class Ready:
    """An effect that may start after the commit; ``keys``: how many the ceiling counts for it."""

    lane: Lane
    key: SubjectKey
    keys: int = 0


class Admission:
    """Finds what is due in a partition, and takes permits for what may start.

    ``held_back`` says, after a round, whether an effect that is due waits for a permit; ``probes``
    has the upstreams that should be probed, with their circuit breakers.
    ``acts_wait``: no act may start, because a brake may be stored that was not read yet.
    ``time_unsure``: no act may start, nor a listing, which is judged by the time.
    ``more_elapsed``: more deadlines may have passed than one round looks at.
    """

    def __init__(
        self,
        journal: Journal,
        partition: int,
        limits: UpstreamLimits,
        running: RunningEffects,
        quarantine: Quarantine,
    ) -> None:
        self._journal = journal
        self._partition = partition
        self._limits = limits
        self._running = running
        self._quarantine = quarantine
        self.held_back = False
        self.probes: dict[str, CircuitBreaker] = {}
        self.acts_wait = False
        self.time_unsure = False
        self.more_elapsed = False

    async def due(
        self, now: Millis, held: Brakes, busy: Collection[SubjectKey] = ()
    ) -> list[tuple[Lane, Due]]:
        """What is due in the lanes that are open, each with as much as may start.

        Rows that cannot start are passed over without taking a place: subjects with an effect in
        progress in any lane, those in quarantine, and the ``busy`` ones, which the round handles.
        """
        self.held_back = self.more_elapsed = False
        self.probes.clear()
        passed_over = len(self._running) + len(self._quarantine) + len(busy)
        found: list[tuple[Lane, Due]] = []
        for name, earliest in await self._journal.lanes(self._partition):
            if earliest > now:
                continue
            lane = parse_lane(name)
            room = self._room(lane, held)
            if room == 0:
                self.held_back = True
                self.probes |= dict(self._limits.probes_due(lane))
                continue
            rows = await self._journal.due(self._partition, name, now, room + passed_over)
            free = (row for row in rows if row.key not in busy and self._may_start(lane, row.key))
            chosen = [(lane, row) for row in islice(free, room)]
            self.more_elapsed |= len(chosen) == room and self._limits.only_time(lane)
            found += chosen
        return found

    def _may_start(self, lane: Lane, key: SubjectKey) -> bool:
        if key in self._quarantine:
            return False
        return self._limits.only_time(lane) or key not in self._running

    def _room(self, lane: Lane, held: Brakes) -> int:
        if self.acts_wait and lane.effect in ACTS:
            return 0
        if self.time_unsure and lane.effect in BY_TIME and not self._limits.only_time(lane):
            return 0
        return self._limits.room(lane, held)

    async def until_due(self, now: Millis) -> float:
        """Seconds until the next effect falls due; infinite when none does."""
        later = [due for _, due in await self._journal.lanes(self._partition) if due > now]
        return max((min(later) - now) / SECOND, 0.001) if later else inf

    async def permit(
        self, draft: RoundDraft, due: Iterable[tuple[Lane, Due]], ready: list[Ready]
    ) -> None:
        """Add to ``ready``: looks of unchanged states, acts whose ``running`` is in the draft."""
        taken: set[SubjectKey] = set()
        failed = {failure.key for failure in draft.failures}
        for lane, row in due:
            if row.key in failed:
                continue
            if self._limits.only_time(lane) or row.key in draft.barred:
                if not draft.touched(row.key):
                    draft.apply(row.key, Elapsed())
                continue
            if row.key in self._running or draft.touched(row.key) or row.key in taken:
                continue
            if self._room(lane, draft.record.brakes) == 0:
                self.held_back = True
            elif one := await self._admit(draft, lane, row.key):
                taken.add(row.key)
                ready.append(one)

    async def _admit(self, draft: RoundDraft, lane: Lane, key: SubjectKey) -> Ready | None:
        if lane.effect not in ACTS:
            self._limits.enter(lane)
            return Ready(lane, key)
        keys = _keys(draft.state(key)) if lane.effect is Effect.HAND_OVER else 0
        if keys and not await self._may_disclose(draft, key, keys):
            return None
        if (
            self._room(lane, draft.record.brakes) == 0
        ):  # another partition's loop took the last place meanwhile
            self.held_back = True
            return None
        after = draft.apply(key, Permitted(lane.effect))
        if not isinstance(after, HolderState) or after.running is None:
            return None
        if keys:
            spent = brakes.disclose(draft.record.brakes, draft.now, keys)
            draft.record = draft.record.model_copy(update={"brakes": spent})
        self._limits.enter(lane)
        return Ready(lane, key, keys)

    async def _may_disclose(self, draft: RoundDraft, key: SubjectKey, keys: int) -> bool:
        """Whether the ceiling leaves room; a set larger than all of it is denied at once."""
        ceiling = self._limits.ceiling
        if ceiling is None:
            return True
        if keys > ceiling.limit:
            fault = Permanent("DLV-009", f"the set has {keys} keys, the ceiling is {ceiling.limit}")
            draft.apply(key, Denied(Effect.HAND_OVER, fault.fault()))
            return False
        if await ceiling.take(self._partition, keys, draft.now):
            return True
        self._limits.held_back_by_ceiling()
        self.held_back = True
        return False


def _keys(state: State) -> int:
    """How many keys a hand-over would disclose; they are counted before it starts (promise 10)."""
    if not isinstance(state, HolderState) or state.delivery is None:
        return 0
    return len({entry.fingerprint for entry in state.delivery.entries})
