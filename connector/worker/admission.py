"""Which of the effects that are due may start in this round: permits, and the ceiling."""

from collections.abc import Iterable
from dataclasses import dataclass

from connector.core.facts import Elapsed, Permitted
from connector.core.journal import Due, Journal
from connector.core.model import Millis, SubjectKey
from connector.core.states import ACTS, Brakes, Effect, HolderState, State
from connector.worker import brakes
from connector.worker.flights import Flights
from connector.worker.gate import Gate, Lane, parse_lane
from connector.worker.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Ready:
    """An effect that may start after the commit."""

    lane: Lane
    key: SubjectKey


class Admission:
    """Finds what is due in a partition, and takes permits for what may start.

    ``held_back`` tells, after a round, whether something that is due waits for a permit.
    """

    def __init__(self, journal: Journal, partition: int, gate: Gate, flights: Flights) -> None:
        """Nothing is held back yet."""
        self._journal = journal
        self._partition = partition
        self._gate = gate
        self._flights = flights
        self.held_back = False

    async def due(self, now: Millis, held: Brakes) -> list[tuple[Lane, Due]]:
        """What is due in the lanes that are open, each with as much as may start."""
        self.held_back = False
        found: list[tuple[Lane, Due]] = []
        for name, earliest in await self._journal.lanes(self._partition):
            if earliest > now:
                continue
            lane = parse_lane(name)
            room = self._gate.room(lane, held)
            if room == 0:
                self.held_back = True
                continue
            limit = room + self._flights.in_lane(lane)
            rows = await self._journal.due(self._partition, name, now, limit)
            found += [(lane, row) for row in rows]
        return found

    async def permit(
        self, sheet: Sheet, due: Iterable[tuple[Lane, Due]], ready: list[Ready]
    ) -> None:
        """Add to ``ready``: looks of states left alone, acts whose ``running`` is on the sheet."""
        taken: set[SubjectKey] = set()
        for lane, row in due:
            if self._gate.only_time(lane):
                if not sheet.touched(row.key):
                    sheet.apply(row.key, Elapsed())
                continue
            if row.key in self._flights or sheet.touched(row.key) or row.key in taken:
                continue
            if self._gate.room(lane, sheet.record.brakes) == 0:
                self.held_back = True
            elif await self._admit(sheet, lane, row.key):
                taken.add(row.key)
                ready.append(Ready(lane, row.key))

    async def _admit(self, sheet: Sheet, lane: Lane, key: SubjectKey) -> bool:
        if lane.effect not in ACTS:
            await self._gate.enter(lane)
            return True
        keys = _keys(sheet.state(key)) if lane.effect is Effect.HAND_OVER else 0
        already = brakes.disclosed(sheet.record.brakes, sheet.now)
        if keys and self._gate.ceiling is not None and already + keys > self._gate.ceiling:
            self.held_back = True
            return False
        after = sheet.apply(key, Permitted(lane.effect))
        if not isinstance(after, HolderState) or after.running is None:
            return False
        if keys:
            spent = brakes.disclose(sheet.record.brakes, sheet.now, keys)
            sheet.record = sheet.record.model_copy(update={"brakes": spent})
        await self._gate.enter(lane)
        return True


def _keys(state: State) -> int:
    """How many keys a hand-over would disclose; they are counted before it starts (promise 10)."""
    if not isinstance(state, HolderState) or state.delivery is None:
        return 0
    return len({entry.fingerprint for entry in state.delivery.entries})
